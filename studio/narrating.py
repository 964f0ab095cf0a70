"""The narrator of films: the settings' voices, and how long what they said is kept."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from studio.settings import Settings
from studio.story.film_plan import FilmPlan

if TYPE_CHECKING:
    from studio.voice.speak import Speech

    # (plan, text, should_stop): the text as the plan's voice says it; None if there is nothing to say.
    Speak = Callable[[FilmPlan, str, Callable[[], bool]], Speech | None]

KEEP_SECONDS = 30 * 24 * 3600.0


def narrator(settings: Settings) -> "Speak":
    """Who speaks: the configured service if there is one, else the offline voices. Raises as `speak`."""

    def say(plan: FilmPlan, text: str, should_stop: Callable[[], bool]) -> "Speech | None":
        # Only now: the voices' libraries take a while to import, and most workers make clips first.
        from studio.voice.endpoint import configured
        from studio.voice.speak import speak

        speech = speak(
            text,
            voice=plan.voice,
            speed=plan.voice_speed,
            home=settings.studio_home,
            endpoint=configured(settings),
            should_stop=should_stop,
        )
        if speech is not None:
            _used(speech.path)
        return speech

    return say


def release() -> None:
    """Give the offline voices' memory back (a quarter of a gigabyte): cutting and rendering need it more."""
    from studio.voice import kokoro

    if kokoro.loaded():
        kokoro.release()


def sweep(home: Path) -> None:
    """Remove narration that no film has used for a month; it is spoken again if one needs it."""
    before = time.time() - KEEP_SECONDS
    for kind in ("wav", "json"):
        for path in (home / "voice").glob(f"*.{kind}"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()


def _used(narration: Path) -> None:
    """Let a narration count as new, with what is noted beside it."""
    for path in (narration, narration.with_suffix(".json")):
        with contextlib.suppress(OSError):
            path.touch()
