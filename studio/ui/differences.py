"""What differs between clips that are looked at side by side: only the fields that do, words by word."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from studio.text.rewrite import diff
from studio.ui import ways
from studio.ui.context import Page
from studio.ui.markup import icon

# In the order in which they are told.
_FIELDS = (
    "prompt",
    "style",
    "model",
    "size",
    "num_frames",
    "num_inference_steps",
    "guidance_scale",
    "guidance_scale_2",
    "flow_shift",
    "tier",
    "loras",
    "seed",
    "negative_prompt",
)
_TEXTS = ("prompt", "negative_prompt")


def differences(page: Page, recipes: Sequence[Mapping[str, Any]]) -> str:
    """A table of the fields in which recipes differ, one column a clip, and which differ in nothing.

    A recipe is a form's values beside those of its request (`recipe_of`). Texts are told by how they differ
    from the first clip's: added words underlined, those left out struck through.
    """
    rows = [name for name in _FIELDS if len({str(one.get(name) or "") for one in recipes}) > 1]
    if len(recipes) < 2:
        return ""
    if not rows:
        return f'<p class="muted same">{escape(page.t("differ_not"))}</p>'
    seed = ""
    if "seed" not in rows:
        seed = escape(page.t("differ_same_seed", seed=recipes[0].get("seed", "")))
        seed = f'<p class="muted same">{icon("check")}{seed}</p>'
    heads = "".join(f'<th scope="col"><b>{number}</b></th>' for number in range(1, len(recipes) + 1))
    body = "".join(_row(page, name, recipes) for name in rows)
    title = escape(page.t("differ_title"))
    return (
        f'<section class="differ"><h3>{title}</h3>{seed}'
        f'<div class="scroll"><table><thead><tr><td></td>{heads}'
        f"</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def recipe_of(page: Page, form: Mapping[str, Any], request: Mapping[str, Any] | None) -> dict[str, Any]:
    """What `differences` compares: what was typed, and the numbers that came of it."""
    found = {**(request or {}), "prompt": form.get("prompt") or (request or {}).get("prompt", "")}
    style = page.studio.styles.find(str(form.get("style") or "none"))
    found["style"] = style.title[page.language] if style is not None else str(form.get("style") or "")
    if request is not None:
        found["size"] = f"{request.get('width')}×{request.get('height')}"
        found["negative_prompt"] = form.get("negative_prompt") or ""
        found["tier"] = ways.named(page, str(request.get("tier") or "exact"))
        found["loras"] = form.get("loras") or ""
    return found


def _row(page: Page, name: str, recipes: Sequence[Mapping[str, Any]]) -> str:
    first = str(recipes[0].get(name) or "")
    cells = []
    for at, recipe in enumerate(recipes):
        value = str(recipe.get(name) or "")
        worded = _words(first, value) if name in _TEXTS and at and first and value else escape(value or "–")
        same = ' class="same"' if at and value == first else ""
        cells.append(f"<td{same}>{worded}</td>")
    return f'<tr data-field="{name}"><th scope="row">{escape(page.field(name))}</th>{"".join(cells)}</tr>'


def _words(first: str, value: str) -> str:
    found = []
    for part in diff(first, value):
        text = escape(part.text)
        if part.kind == "added":
            found.append(f"<ins>{text}</ins>")
        else:
            found.append(text if part.kind == "same" else f"<del>{text}</del>")
    return "".join(found)
