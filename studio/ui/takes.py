"""The film strip below the stage: other takes of the same prompt, and what was made lately."""

from html import escape

from studio.access import Visitor
from studio.core import Refused
from studio.library import Asset
from studio.ui.context import Page
from studio.ui.markup import attributes

LOOK_BACK = 60
SHOWN = 12


def strip(page: Page, visitor: Visitor, job_id: str) -> str:
    """Two short rows of thumbnails; empty if there is nothing yet."""
    lately = [
        asset for asset in page.studio.library(visitor, limit=LOOK_BACK) if asset.owner == visitor.owner
    ]
    prompt = _prompt_of(page, visitor, job_id)
    takes = [asset for asset in lately if prompt and asset.form.get("prompt") == prompt]
    rest = [asset for asset in lately if asset not in takes]
    rows = _row(page, page.t("takes"), takes, job_id) if len(takes) > 1 else ""
    if len(takes) == 1:
        rest = lately
    return rows + _row(page, page.t("recent"), rest, job_id)


def _prompt_of(page: Page, visitor: Visitor, job_id: str) -> str:
    if not job_id:
        return ""
    try:
        return str(page.studio.job(visitor, job_id).job.form.get("prompt", ""))
    except Refused:
        return ""


def _row(page: Page, title: str, assets: list[Asset], job_id: str) -> str:
    if not assets:
        return ""
    cells = "".join(
        cell(page, asset, act="open", key=asset.job_id, current=asset.job_id == job_id)
        for asset in assets[:SHOWN]
    )
    return f'<section class="strip"><h3>{escape(title)}</h3><div class="frames">{cells}</div></section>'


def cell(page: Page, asset: Asset, *, act: str, key: str, current: bool = False) -> str:
    """One small picture that moves under the pointer; a click is `act` with `key`."""
    prompt = asset.asked
    seed = "" if asset.request is None else f" · {page.t('seed_is', seed=asset.request.seed)}"
    named = attributes(
        type="button",
        class_="cell current" if current else "cell",
        data_act=act,
        data_key=key,
        data_film=f"../media/{asset.id}.mp4",
        title=prompt + seed,
        style=f"--ratio:{asset.width}/{asset.height}",
        aria_current="true" if current else None,
    )
    image = attributes(
        src=f"../media/{asset.id}.webp", alt=prompt, loading="lazy", width=asset.width, height=asset.height
    )
    return f"<button{named}><img{image}></button>"
