"""The synced player: two to four clips side by side under one clock. Markup for synced.js; no gradio here.

Whoever shows one loads `synced.js` and `synced.css`, which need nothing else of a page but the colours of its
tokens (--text, --muted, --accent, --panel, --raised, --line, --screen, --ground, --on-accent).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Literal

from studio import words
from studio.words import Language

MOST = 4
_WORDS = ("play", "pause", "back", "next", "loop", "wipe", "full", "sound", "speed", "seek", "lost")


@dataclass(frozen=True)
class SyncedClip:
    """One clip: where its MP4 and still lie, what stands below it, pictures a second, its size in pixels."""

    src: str
    title: str
    fps: float
    width: int
    height: int
    poster: str = ""
    sound: bool = False


def synced(
    clips: Sequence[SyncedClip], language: Language, *, view: Literal["side", "wipe"] = "side", id_: str = ""
) -> str:
    """The player as HTML; the clips after the fourth are left out. A wipe is for exactly two."""
    told = json.dumps([asdict(clip) for clip in clips[:MOST]], ensure_ascii=False)
    # Another set of clips is another element; the one that is there is left to itself (`data-own`).
    key = hashlib.sha256(told.encode()).hexdigest()[:12]
    named = f' id="{escape(id_)}"' if id_ else ""
    return (
        f'<synced-player{named} data-own data-key="synced {key}" data-view="{view}" '
        f'data-clips="{escape(told)}" data-words="{escape(said(language))}"></synced-player>'
    )


def said(language: Language) -> str:
    """What the player's buttons are called, as the JSON of its `data-words`."""
    found = {name: words.page(f"synced_{name}", language) for name in _WORDS}
    return json.dumps(found, ensure_ascii=False)
