"""The look: one set of tokens (studio.css) that Gradio's variables point to, and what the page loads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from pipelines.models import MODELS
from studio.styles import STYLES
from studio.ui.form import ADVANCED

FOLDER = Path(__file__).resolve().parent
COVERS = FOLDER.parents[1] / "assets" / "examples" / "covers"
FONTS = (
    "Inter",
    "PingFang SC",
    "Noto Sans SC",
    "Noto Sans CJK SC",
    "Microsoft YaHei",
    "system-ui",
    "sans-serif",
)

# Gradio's variables in our tokens. The light set is chosen by `data-theme` on <html>, so both of Gradio's own
# modes get the same values.
_TOKENS = {
    "body_background_fill": "#0f1115",  # the first paint knows no tokens yet
    "body_text_color": "var(--text)",
    "body_text_color_subdued": "var(--muted)",
    "background_fill_primary": "var(--panel)",
    "background_fill_secondary": "var(--raised)",
    "border_color_accent": "var(--accent)",
    "border_color_primary": "var(--line)",
    "color_accent_soft": "var(--raised)",
    "link_text_color": "var(--text)",
    "block_background_fill": "transparent",
    "block_border_color": "var(--line)",
    "block_border_width": "0px",
    "block_info_text_color": "var(--muted)",
    "block_label_background_fill": "transparent",
    "block_label_text_color": "var(--muted)",
    "block_title_text_color": "var(--muted)",
    "panel_background_fill": "transparent",
    "panel_border_width": "0px",
    "accordion_text_color": "var(--text)",
    "checkbox_label_background_fill": "var(--panel)",
    "checkbox_label_background_fill_hover": "var(--raised)",
    "checkbox_label_background_fill_selected": "var(--raised)",
    "checkbox_label_text_color": "var(--text)",
    "checkbox_label_text_color_selected": "var(--text)",
    "checkbox_label_border_color": "var(--line)",
    "checkbox_border_color_focus": "var(--accent)",
    "input_background_fill": "var(--panel)",
    "input_background_fill_focus": "var(--panel)",
    "input_border_color": "var(--line)",
    "input_border_color_focus": "var(--accent)",
    "input_placeholder_color": "var(--muted)",
    "button_primary_background_fill": "var(--accent)",
    "button_primary_background_fill_hover": "var(--accent-hover)",
    "button_primary_text_color": "var(--on-accent)",
    "button_primary_border_color": "transparent",
    "button_secondary_background_fill": "var(--raised)",
    "button_secondary_background_fill_hover": "var(--raised-hover)",
    "button_secondary_text_color": "var(--text)",
    "button_secondary_border_color": "transparent",
    "error_background_fill": "var(--panel)",
    "error_text_color": "var(--bad)",
    "loader_color": "var(--accent)",
    "slider_color": "var(--accent)",
}
_SIZES = {
    "block_padding": "0px",
    "block_radius": "10px",
    "input_radius": "10px",
    "button_large_radius": "10px",
    "button_small_radius": "10px",
    "layout_gap": "16px",
    "form_gap_width": "0px",
    "block_shadow": "none",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "shadow_drop": "none",
    "shadow_drop_lg": "none",
}


# In the order in which they need each other.
SCRIPTS = (
    "player.js",
    "studio.js",
    "turns.js",
    "story.js",
    "story_hands.js",
    "story_live.js",
    "story_table.js",
    "verify.js",
    "review.js",
    "share.js",
    "synced.js",
    "styles.js",
    "compare.js",
    "library.js",
    "models.js",
    "edits.js",
    "finish.js",
    "picture.js",
    "ways.js",
)


STYLES_READ = (
    "studio.css",
    "story.css",
    "verify.css",
    "review.css",
    "share.css",
    "styles.css",
    "synced.css",
    "compare.css",
    "library.css",
    "models.css",
    "edits.css",
    "finish.css",
    "picture.css",
    "ways.css",
)


# What somebody chose on the page, else as their browser has it, also when that changes.
_LIGHT_OR_DARK = (
    "(()=>{const light=matchMedia('(prefers-color-scheme: light)');const set=()=>{let kept='';"
    "try{kept=localStorage.getItem('wan_theme')||''}catch{}"
    "document.documentElement.dataset.theme=kept||(light.matches?'light':'dark')};"
    "set();light.addEventListener('change',set)})()"
)


def theme() -> gr.themes.Base:
    """A Gradio theme of plain system fonts (nothing is fetched) and our tokens in both modes."""
    base = gr.themes.Base(
        font=list(FONTS), font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]
    )
    known = set(gr.themes.Base.set.__code__.co_varnames)
    dark = {f"{name}_dark": value for name, value in (_TOKENS | _SIZES).items() if f"{name}_dark" in known}
    return base.set(**_TOKENS, **_SIZES, **dark)


def mount_options() -> dict[str, Any]:
    """What `gr.mount_gradio_app` needs for look, keys and covers; all of it lies inside the page itself."""
    script = "\n".join(_read(name) for name in SCRIPTS)
    style = "\n".join((*map(_read, STYLES_READ), *_drawn()))
    # Not as Gradio's `css`: that one prefixes every rule, which breaks those on :root and in @media.
    # The first of all, so that a page in light never shows dark before.
    head = f"<script>{_LIGHT_OR_DARK}</script><style>{style}</style><script>{script}</script>"
    return {"theme": theme(), "head": head, "footer_links": []}


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _drawn() -> Iterator[str]:
    """Rules made from data: each style's cover, each size's shape, the field that a sentence is about."""
    for style in STYLES.values():
        ground, middle, *_, light = style.palette
        drawn = f"--a:{ground};--b:{middle};--c:{light}"
        if (COVERS / f"{style.name}.webp").exists():
            drawn = f"--cover:url(../examples/covers/{style.name}.webp)"
            drawn += f";--moving:url(../examples/covers/moving/{style.name}.webp)"
        yield f'#style label:has(input[value="{style.name}"]){{{drawn}}}'
    for name in ("prompt", "seed", *ADVANCED):
        wrong = f'#asking:has(.sorry[data-field="{name}"]) #{name} :is(textarea, input)'
        yield f".gradio-container.gradio-container {wrong}{{border-color:var(--bad)}}"
    for size in {size for spec in MODELS.values() for size in spec.sizes}:
        scale = 18 / max(size)
        shape = f"--w:{round(size.width * scale)}px;--h:{round(size.height * scale)}px"
        yield f'#size label:has(input[value="{size.width}x{size.height}"]){{{shape}}}'
