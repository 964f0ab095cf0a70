"""Wishes about a finished clip, in plain words, read as edits: of its prompt, its settings or the file.

`read_edit` reads one; the names of its intents, with what each covers, are in assets/edits/intents.toml
(`studio.edits.intents.INTENTS`). No database, no gradio, no torch.
"""

from studio.edits.intents import INTENTS, Intent
from studio.edits.reading import read_edit
from studio.edits.types import Amount, Change, MediaChange, PromptChange, Reading, SettingsChange, Wish

__all__ = [
    "INTENTS",
    "Amount",
    "Change",
    "Intent",
    "MediaChange",
    "PromptChange",
    "Reading",
    "SettingsChange",
    "Wish",
    "read_edit",
]
