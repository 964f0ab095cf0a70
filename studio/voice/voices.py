"""The voices that narrate: who they are and how they are called. Their sound lies in `assets/voices`."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from studio.voice.problems import VoiceError

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "voices"
VoiceLanguage = Literal["zh", "en"]


@dataclass(frozen=True)
class Voice:
    """A narrator.

    `title` by the reader's language; `accent` of English, which a Chinese voice needs for Latin words;
    `pace` the seconds that it needs for what the first voice of its language says in one.
    """

    name: str
    title: Mapping[VoiceLanguage, str]
    language: VoiceLanguage
    gender: Literal["female", "male"]
    sample: str
    pace: float = 1.0
    accent: Literal["us", "gb"] = "us"
    engine: Literal["kokoro"] = "kokoro"


class _Voices(Mapping[str, Voice]):
    """All voices by name, read when they are first looked at."""

    def __getitem__(self, name: str) -> Voice:
        return _table()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_table())

    def __len__(self) -> int:
        return len(_table())


VOICES: Mapping[str, Voice] = _Voices()
"""Every voice by its name, in the order in which they are offered."""


def voice(name: str) -> Voice:
    """The voice of this name; VoiceError "voice_unknown" names those there are."""
    if name not in VOICES:
        raise VoiceError("voice_unknown", value=str(name)[:40], allowed=", ".join(VOICES))
    return VOICES[name]


def voice_for(language: VoiceLanguage, gender: str = "") -> Voice:
    """The first voice of a language, of the gender "female" or "male" if that is given."""
    return next(v for v in VOICES.values() if v.language == language and gender in ("", v.gender))


def sample(name: str) -> str:
    """A short text in the voice's language, to hear it by; VoiceError "voice_unknown"."""
    return voice(name).sample


@cache
def _table() -> dict[str, Voice]:
    entries = tomllib.loads((FOLDER / "voices.toml").read_text(encoding="utf-8"))
    return {name: Voice(name=name, **entry) for name, entry in entries.items()}
