"""The left side of the tab Compare: what a grid is asked for with, as a form; and the plan that it means."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pipelines.models import MODELS, QUALITIES, ModelSpec
from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Refused
from studio.grid_plan import COLUMNS, GridPlan, Where, numbered_lines, read_rows, read_seeds
from studio.grids import GridEstimate
from studio.styles import Style
from studio.ui import form as fields
from studio.ui.context import Page
from studio.ui.examples import examples
from studio.ui.markup import attributes, button, icon
from studio.ui.theme import COVERS

# What may be tried in several values beside styles and seeds.
TRIED = ("quality", "guidance_scale", "num_inference_steps", "flow_shift", "size", "seconds", "model")
MOST_TRIED = 8
SEED_COUNTS = (1, 2, 3, 4, 6)
MAX_CSV_BYTES = 1_000_000
_EXAMPLE_STYLES = ("paper-cut", "ink", "watercolour", "neon")
_TEMPLATE = (
    "prompt,style,seed\na red boat at sea at sunset,paper-cut,41\na red boat at sea at sunset,ink,41\n"
)

# Beside what a line says: the row of the table that it stood in.
_ROW = "row"

Values = dict[str, Any]


def read(given: Mapping[str, Any]) -> Values:
    """The form's values as compare.js sends them, made harmless: texts of limited length, lists of texts."""

    def text(name: str, most: int = 200) -> str:
        return str(given.get(name) or "")[:most]

    styles = given.get("styles")
    chosen = [str(name)[:60] for name in styles][:60] if isinstance(styles, list) else []
    model = text("model")
    return {
        "prompts": text("prompts", 200_000),
        "lines": _lines(text("lines", 400_000)),
        "file": text("file", 120),
        "styles": chosen,
        "seed_count": text("seed_count", 4),
        "seeds": text("seeds"),
        "model": model if model in MODELS else "",
        "size": text("size"),
        "seconds": text("seconds", 10),
        "quality": text("quality", 20),
        "negative_prompt": text("negative_prompt", 2000),
        "tried": text("tried", 40),
        "tried_values": text("tried_values"),
        "title": text("title", 80),
        "project": text("project", 60),
    }


def _lines(text: str) -> list[dict[str, str]]:
    """The rows of a table that was read before and came back from the browser."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    rows = found if isinstance(found, list) else []
    return [
        {name: str(row[name])[:2000] for name in (_ROW, *COLUMNS) if row.get(name)}
        for row in rows[:200]
        if isinstance(row, dict)
    ]


def with_table(values: Values, name: str, data: str) -> Values:
    """The values with a table's rows in them; Refused with the row and column that are wrong."""
    try:
        table = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refused(Notice("table_bad")) from error
    return {
        **values,
        "lines": [{_ROW: str(row), **line} for row, line in read_rows(table)],
        "file": name[:120],
    }


def settled(page: Page, values: Values) -> Values:
    """The values with a size, length and quality that their model has: the form may still show another's."""
    spec = _spec(page, values["model"])
    sizes, lengths = _sizes(spec), [str(n) for _, n in fields.lengths(page, spec)]
    return values | {
        "size": values["size"] if values["size"] in sizes else sizes[0],
        "seconds": values["seconds"] if values["seconds"] in lengths else str(fields.default_length(spec)),
        "quality": values["quality"] if values["quality"] in QUALITIES else fields.DEFAULT_QUALITY,
    }


def plan_of(page: Page, values: Values) -> GridPlan:
    """What the form asks for; Refused for seeds or values that are none."""
    spec, values = _spec(page, values["model"]), settled(page, values)
    base = {"model": spec.name, "quality": values["quality"]}
    base |= {"size": values["size"], "seconds": values["seconds"], "project": values["project"]}
    base |= {"negative_prompt": values["negative_prompt"]}
    kept = {name: value for name, value in base.items() if value}
    rows = [{name: value for name, value in line.items() if name != _ROW} for line in values["lines"]]
    lines = [_with_own_model(line, spec) for line in rows]
    typed = numbered_lines(values["prompts"])
    where = [_where(at, line) for at, line in enumerate(values["lines"])]
    return GridPlan(
        title=values["title"],
        lines=(*lines, *(line for _, line in typed)),
        where=(*where, *(("line", number) for number, _ in typed)),
        styles=tuple(values["styles"]),
        seeds=read_seeds(values["seeds"]),
        seed_count=_count(values["seed_count"]),
        settings=_settings(kept, values["tried"], values["tried_values"]),
    )


def _where(at: int, line: Mapping[str, str]) -> Where:
    """The row of its table that a line stood in; of one that comes from an earlier grid its number."""
    row = line.get(_ROW, "")
    return ("row", int(row)) if row.isdecimal() and len(row) < 6 else ("line", at + 1)


def _count(text: str) -> int:
    return next((count for count in SEED_COUNTS if str(count) == text), 1)


def _settings(base: dict[str, Any], tried: str, text: str) -> tuple[dict[str, Any], ...]:
    if tried not in TRIED:
        return (base,)
    parts = [part.strip() for part in text.replace("，", ",").replace("、", ",").split(",")]
    values = list(dict.fromkeys(part for part in parts if part))[:MOST_TRIED]
    if not values:
        return (base,)
    return tuple(_fitting(base | {tried: value}) for value in values)


def _fitting(setting: dict[str, Any]) -> dict[str, Any]:
    """A setting whose size and length are those of another model takes its own instead."""
    spec = MODELS.get(str(setting.get("model")))
    if spec is None:
        return setting
    sizes = [f"{size.width}x{size.height}" for size in spec.sizes]
    if setting.get("size") and str(setting["size"]).replace("×", "x") not in sizes:
        wide, _, high = str(setting["size"]).replace("×", "x").partition("x")
        alike = [size for size in spec.sizes if _is_wide(wide, high) == (size.width > size.height)]
        setting = setting | {"size": "{}x{}".format(*(alike or spec.sizes)[0])}
    return setting


def _is_wide(width: str, height: str) -> bool | None:
    return int(width) > int(height) if width.isdecimal() and height.isdecimal() else None


def _with_own_model(line: dict[str, Any], spec: ModelSpec) -> dict[str, Any]:
    """A row that names another model is not held to the size and length that the form has for its own."""
    own = MODELS.get(str(line.get("model", spec.name)))
    if own is None or own is spec:
        return line
    defaults = {"size": "{}x{}".format(*own.sizes[0]), "num_frames": str(own.default_frames)}
    return {**defaults, **line} if "seconds" not in line else {"size": defaults["size"], **line}


def example(page: Page) -> Values:
    """A comparison to start with: one prompt in four styles."""
    first = examples()[0].prompt[page.language]
    return read({"prompts": first, "styles": list(_EXAMPLE_STYLES), "quality": "draft", "seconds": "2"})


def again(plan: GridPlan) -> Values:
    """The form that asks for a plan once more."""
    base = plan.settings[0] if plan.settings else {}
    tried = next((name for name in TRIED if len({str(one.get(name)) for one in plan.settings}) > 1), "")
    plain = [line for line in plan.lines if set(line) == {"prompt"}]
    rows = [line for line in plan.lines if set(line) != {"prompt"}]
    return read(
        {
            **{
                name: base.get(name)
                for name in ("model", "size", "seconds", "quality", "negative_prompt", "project")
            },
            "prompts": "\n".join(str(line["prompt"]) for line in plain),
            "lines": json.dumps(rows, ensure_ascii=False) if rows else "",
            "styles": list(plan.styles),
            "seeds": ", ".join(map(str, plan.seeds)),
            "tried": tried,
            "tried_values": ", ".join(str(one.get(tried)) for one in plan.settings) if tried else "",
            "title": "",
        }
    )


# -- as HTML -----------------------------------------------------------------------------------------------


def render(page: Page, visitor: Visitor | None, values: Values) -> str:
    """The form, filled in."""
    t, spec, values = page.t, _spec(page, values["model"]), settled(page, values)
    size, length, quality = values["size"], values["seconds"], values["quality"]
    lengths = fields.lengths(page, spec)
    prompts = attributes(
        name="prompts", id="compare_prompts", rows=5, placeholder=t("compare_prompts_like"), spellcheck="true"
    )
    return (
        '<form id="compare_form_in" class="compare-form" autocomplete="off">'
        f'<label class="box"><span>{escape(t("compare_prompts"))}</span>'
        f"<textarea{prompts}>{escape(values['prompts'])}</textarea></label>{_table(page, values)}"
        f"{_styles(page, visitor, values['styles'])}"
        f'<div class="cmp-pair">{_seeds(page, values)}{_model(page, spec)}</div>'
        f"{_choices(page.field('size'), 'size', [(s, s) for s in _sizes(spec)], size)}"
        f"{_choices(t('length'), 'seconds', [(text, str(n)) for text, n in lengths], length)}"
        f"{_choices(page.field('quality'), 'quality', fields.qualities(page), quality)}"
        f"{_project(page, visitor, values['project'])}{_more(page, values)}</form>"
    )


def _table(page: Page, values: Values) -> str:
    t = page.t
    file = attributes(type="file", id="compare_csv", accept=".csv,.tsv,.txt,text/csv", hidden=True)
    template = "data:text/csv;charset=utf-8," + "".join(f"%{byte:02x}" for byte in _TEMPLATE.encode())
    if values["lines"]:
        told = escape(t("compare_rows", count=len(values["lines"]), name=values["file"] or "CSV"))
        off = _button(t("compare_rows_off"), "table_off", symbol="close", look="bare", quiet=True)
        rows = json.dumps(values["lines"], ensure_ascii=False)
        kept = attributes(type="hidden", name="lines", value=rows)
        name = attributes(type="hidden", name="file", value=values["file"])
        inside = f'<span class="tag">{icon("table")} {told}</span>{off}<input{kept}><input{name}>'
    else:
        choose = _button(t("compare_csv"), "table", symbol="upload", look="bare")
        link = attributes(
            href=template, download="compare.csv", class_="btn bare", title=t("compare_csv_like_hint")
        )
        inside = f"{choose}<a{link}>{escape(t('compare_csv_like'))}</a>"
    return f'<div class="cmp-table">{inside}<input{file}></div>'


def _styles(page: Page, visitor: Visitor | None, chosen: Sequence[str]) -> str:
    listed: list[Style] = [view.style for view in page.studio.styles.list(visitor or Visitor("", False))]
    swatches = "".join(_swatch(page, style, style.name in chosen) for style in listed)
    every = _button(page.t("compare_styles_all"), "styles_all", look="bare")
    none = _button(page.t("compare_styles_none"), "styles_none", look="bare")
    count = f'<span class="count" data-count="styles">{len(chosen) or ""}</span>'
    return (
        f'<fieldset class="styles"><legend>{escape(page.t("compare_styles"))} {count}</legend>'
        f'<div class="cmp-styles">{swatches}</div><div class="cmp-few">{every}{none}</div></fieldset>'
    )


def _swatch(page: Page, style: Style, on: bool) -> str:
    box = attributes(type="checkbox", name="styles", value=style.name, checked=on)
    ground, middle, *_, light = style.palette
    drawn = f"--a:{ground};--b:{middle};--c:{light}"
    if (COVERS / f"{style.name}.webp").exists():
        drawn += f";--cover:url(../examples/covers/{style.name}.webp)"
    title = style.title[page.language]
    label = attributes(class_="cmp-style", title=title, style=drawn)
    return f"<label{label}><input{box}><i></i><span>{escape(title)}</span></label>"


def _seeds(page: Page, values: Values) -> str:
    counts = [(page.t("compare_seed_count", count=n), str(n)) for n in SEED_COUNTS]
    select = _select("seed_count", counts, values["seed_count"] or "1")
    own = attributes(
        name="seeds", type="text", value=values["seeds"], placeholder=page.t("compare_seeds_like")
    )
    label = escape(page.t("compare_seeds"))
    return f'<div class="box"><span>{label}</span><div class="cmp-joined">{select}<input{own}></div></div>'


def _model(page: Page, spec: ModelSpec) -> str:
    select = _select("model", fields.models(page), spec.name)
    return f'<label class="box"><span>{escape(page.field("model"))}</span>{select}</label>'


def _project(page: Page, visitor: Visitor | None, chosen: str) -> str:
    """Which project the clips go to; nothing while there is none."""
    projects = page.studio.projects.list(visitor) if visitor is not None else []
    if not projects:
        return ""
    choices = [(page.t("project_none"), ""), *((project.name, project.id) for project in projects)]
    select = _select("project", choices, chosen)
    return f'<label class="box"><span>{escape(page.t("project_for"))}</span>{select}</label>'


def _more(page: Page, values: Values) -> str:
    t = page.t
    tried = [(t("compare_tried_none"), ""), *((page.field(name), name) for name in TRIED)]
    several = attributes(
        name="tried_values", type="text", value=values["tried_values"], placeholder=t("compare_tried_like")
    )
    unwanted = attributes(name="negative_prompt", rows=2)
    title = attributes(name="title", type="text", maxlength=80, value=values["title"])
    opened = bool(values["tried"] or values["negative_prompt"])
    return (
        f'<details class="cmp-more"{attributes(open=opened)}><summary>{escape(t("advanced"))}</summary>'
        f'<div class="box"><span>{escape(t("compare_tried"))}</span><div class="cmp-joined">'
        f"{_select('tried', tried, values['tried'])}<input{several}></div></div>"
        f'<label class="box"><span>{escape(page.field("negative_prompt"))}</span>'
        f"<textarea{unwanted}>{escape(values['negative_prompt'])}</textarea></label>"
        f'<label class="box"><span>{escape(t("compare_title"))}</span><input{title}></label></details>'
    )


def _choices(label: str, name: str, choices: Sequence[tuple[str, Any]], chosen: str) -> str:
    found = "".join(
        f"<label><input{attributes(type='radio', name=name, value=value, checked=str(value) == chosen)}>"
        f"<span>{escape(text.replace('x', '×') if name == 'size' else text)}</span></label>"
        for text, value in choices
    )
    group = attributes(class_="cmp-choices", role="radiogroup", aria_label=label)
    return f'<div class="box"><span>{escape(label)}</span><div{group}>{found}</div></div>'


def _select(name: str, choices: Sequence[tuple[str, Any]], chosen: str) -> str:
    options = "".join(
        f"<option{attributes(value=value, selected=str(value) == chosen)}>{escape(text)}</option>"
        for text, value in choices
    )
    return f"<select{attributes(name=name)}>{options}</select>"


def _button(text: str, verb: str, *, symbol: str = "", look: str = "", quiet: bool = False) -> str:
    return button(text, "compare", key=verb, symbol=symbol, look=look, quiet=quiet)


def start(page: Page) -> str:
    """The button."""
    named = attributes(
        type="button", id="compare_start", class_="btn primary big", data_act="compare", data_key="start"
    )
    return f"<button{named}><span>{escape(page.t('compare_start'))}</span></button>"


def price(page: Page, estimate: GridEstimate) -> str:
    """How many clips, how long, what it costs; on one line."""
    t = page.t
    parts = [t("compare_count", count=estimate.cells)]
    if estimate.reused:
        parts.append(t("compare_reused", count=estimate.reused))
    if estimate.to_render:
        if estimate.ahead:
            parts.append(t("price_ahead", count=estimate.ahead))
        if estimate.seconds is None:
            parts.append(t("price_unknown"))
        elif estimate.ahead and estimate.wait is None:
            parts.append(t("price_then", time=page.duration(estimate.seconds)))
        else:
            parts.append(t("price_about", time=page.duration(estimate.seconds + (estimate.wait or 0))))
        if estimate.price is not None:
            parts.append(t("story_price", price=f"{estimate.price:.2f}", currency=estimate.currency))
        parts += fields.paid(page, estimate.cloud, unlisted=estimate.unlisted)
    return " · ".join(parts)


def _spec(page: Page, name: str) -> ModelSpec:
    return MODELS.get(name) or page.studio.models()[0]


def _sizes(spec: ModelSpec) -> list[str]:
    return [f"{size.width}x{size.height}" for size in spec.sizes]
