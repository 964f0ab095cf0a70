"""Below a clip of the library: what it was made from, what was made from it, what looks like it."""

from collections.abc import Sequence
from html import escape

from studio.access import Visitor
from studio.library import Asset
from studio.ui.context import Page
from studio.ui.markup import button
from studio.ui.takes import cell


def render(page: Page, visitor: Visitor, asset: Asset) -> str:
    """Strips of small pictures that open on a click; empty if the clip stands alone."""
    kin = page.studio.family.kin(visitor, asset)
    source = () if kin.source is None else (kin.source.asset,)
    wish = "" if kin.source is None else kin.source.wish
    edits = tuple(one.asset for one in kin.edits)
    alike = page.studio.family.alike(visitor, asset)
    near = {one.id for one in (*source, *edits)}
    rows = [
        _row(page, page.t("kin_source", wish=wish), source),
        _row(page, page.t("kin_edits"), edits),
        _row(page, page.t("kin_used_in"), kin.used_in),
        _row(page, page.t("kin_parts"), kin.parts),
        _grids(page, kin.grids),
        _row(
            page, page.t("kin_alike"), [one for one in alike if one.id not in near], page.t("kin_alike_why")
        ),
    ]
    return f'<div class="kin">{"".join(rows)}</div>' if any(rows) else ""


def _row(page: Page, title: str, assets: Sequence[Asset], why: str = "") -> str:
    if not assets:
        return ""
    cells = "".join(cell(page, asset, act="open_clip", key=asset.id) for asset in assets)
    told = f' title="{escape(why)}"' if why else ""
    return f'<section class="strip"><h3{told}>{escape(title)}</h3><div class="frames">{cells}</div></section>'


def _grids(page: Page, grids: Sequence[tuple[str, str]]) -> str:
    if not grids:
        return ""
    does = "".join(
        button(title or page.t("tab_compare"), "to_grid", key=key, symbol="split", look="raised")
        for key, title in grids
    )
    return (
        f'<section class="strip"><h3>{escape(page.t("kin_grids"))}</h3>'
        f'<div class="actions">{does}</div></section>'
    )
