"""Music beds by mood, and the check of music that people bring."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from immich_memories_music import tracks_dir

from studio import words
from studio.media.audio import length
from studio.media.ffmpeg import MediaError
from studio.words import Language

Mood = Literal["calm", "energetic", "happy", "nostalgic", "tender"]
MOODS: tuple[Mood, ...] = get_args(Mood)

MAX_BYTES = 30_000_000
SECONDS = (1.0, 15 * 60.0)
"""How short and how long music may be."""
SUFFIXES = (".mp3", ".wav", ".m4a", ".ogg", ".opus", ".flac")
"""What an upload may be called; what it is, its content says."""


@dataclass(frozen=True)
class Licence:
    """Under what terms a bed may be used, and how it came to be: films name both."""

    name: str
    holder: str
    source: str
    made_with: str


LICENCE = Licence(
    name="MIT",
    holder="Immich Memories Contributors",
    source="https://github.com/sdumont/immich-video-memory-generator",
    made_with="ACE-Step 1.5",
)
"""Of all beds: each was made by a machine, nothing is sampled from recordings."""


@dataclass(frozen=True)
class Bed:
    """A piece of music for a film. `number` counts the beds of its mood and kind."""

    name: str
    mood: Mood
    kind: Literal["acoustic", "electronic"]
    number: int
    path: Path


@cache
def beds() -> tuple[Bed, ...]:
    """All beds, those of a mood together; none if the package lies incomplete on the disk."""
    found: list[Bed] = []
    for mood in MOODS:
        for kind in ("acoustic", "electronic"):
            paths = sorted((tracks_dir() / mood).glob(f"{mood}_{kind}_*.opus"))
            found += [Bed(path.stem, mood, kind, number, path) for number, path in enumerate(paths, 1)]
    return tuple(found)


def bed(name: str) -> Bed:
    """The bed of that name, or the first one of that mood. Raises MediaError "music_unknown"."""
    fitting = [one for one in beds() if name in (one.name, one.mood)]
    if not fitting:
        raise MediaError("music_unknown", value=name[:40], allowed=list(MOODS))
    return fitting[0]


def title(one: Bed, language: Language) -> str:
    """What a bed is called on the page."""
    return words.page(
        "music_title",
        language,
        mood=words.page(f"music_{one.mood}", language),
        kind=words.page(f"music_{one.kind}", language),
        number=one.number,
    )


def credit(one: Bed, language: Language) -> str:
    """The line about a bed for the credits: it says that a machine made it, and the licence."""
    return words.page(
        "music_credit", language, title=title(one, language), tool=LICENCE.made_with, licence=LICENCE.name
    )


def check_music(path: Path) -> float:
    """Seconds of music in an uploaded file: mp3, wav, m4a, ogg, opus or flac, 1 s to 15 min, 30 MB at most.

    All of it is decoded once. Raises MediaError "file_empty", "file_too_big", "music_bad" or "music_length".
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise MediaError("music_bad") from error
    if size == 0:
        raise MediaError("file_empty")
    if size > MAX_BYTES:
        raise MediaError("file_too_big", high=MAX_BYTES // 1_000_000)
    low, high = SECONDS
    try:
        seconds = length(path, most=high)
    except MediaError as error:
        raise MediaError("music_bad") from error
    if not low <= seconds <= high:
        raise MediaError("music_length", low=int(low), high=int(high) // 60)
    return seconds
