"""What a film's shots show, as files: clips of the library with their label, and what was brought."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.request import GenerationRequest
from studio.cutting import Footage, is_place
from studio.library import Asset, Library
from studio.media import music
from studio.media.label import LabelStyle
from studio.media.probe import probe
from studio.settings import Settings
from studio.story import files
from studio.story.film_plan import FilmPlan, PlannedSource

if TYPE_CHECKING:
    from studio.trust.credentials import Ingredient


def place_of(home: Path, place: str) -> Path | None:
    """Where a file of a plan lies; None unless it is there, among clips or among what was brought."""
    path = (home / place).resolve()
    fine = any(path.is_relative_to((home / room).resolve()) for room in ("media", files.FOLDER))
    return path if fine and path.is_file() else None


def of_clips(clips: Sequence[Asset], library: Library, settings: Settings) -> list[Footage]:
    """Takes, one after the other."""
    return [Footage(library.file(clip), clip.seconds, label=label_on(clip.label, settings)) for clip in clips]


def of_source(source: PlannedSource, path: Path, library: Library, settings: Settings) -> Footage:
    """A stretch of a file that a shot shows instead: a clip of the library, or one that was brought."""
    there = max(0.0, probe(path).seconds - source.start)
    asset = library.at(source.path)
    label = None if asset is None else label_on(asset.label, settings)
    return Footage(path, min(source.seconds or there, there), source.start, label)


def label_on(kept: dict[str, object] | None, settings: Settings) -> LabelStyle | None:
    """The label that is drawn on a clip; those made before it was kept carry the setting's, in one line."""
    if kept is None:
        return LabelStyle(settings.label_text, stacked=False)
    label = LabelStyle(**kept)  # type: ignore[arg-type]  # as it was kept
    return label if label.shown else None


def clips_named(clips: Sequence[Asset], library: Library) -> "list[Ingredient]":
    """Clips as what something was made from names them.

    By number, never by prompt: credentials go wherever the file goes.
    """
    from studio.trust.credentials import Ingredient

    return [Ingredient(f"clip {clip.id}", "componentOf", "studio", library.file(clip)) for clip in clips]


def first_frame(request: GenerationRequest, source: Asset | None, library: Library) -> "list[Ingredient]":
    """The picture that a clip begins with, as its credentials name it: by hash, or as the clip it is of."""
    from studio.trust.credentials import Ingredient

    if not request.first_frame:
        return []
    if source is not None and library.exists(source):
        return clips_named([source], library)
    title = f"first frame {request.first_frame[:12]}"
    return [Ingredient(title, "componentOf", "person", detail=f"SHA-256 {request.first_frame}")]


def ingredients(plan: FilmPlan, clips: Sequence[Asset], library: Library, home: Path) -> "list[Ingredient]":
    """What a film names as what it was made from: its clips, what people brought, its music."""
    from studio.trust.credentials import Ingredient

    found = clips_named(clips, library)
    for shot in plan.shots:
        if shot.source is not None:
            asset = library.at(shot.source.path)
            path, name = place_of(home, shot.source.path), f"shot {shot.number}"
            title = f"{asset.kind} {asset.id}" if asset else name
            found.append(Ingredient(title, "componentOf", "studio" if asset else "person", path))
    if is_place(plan.music):
        found.append(Ingredient("music", "componentOf", "person"))
    elif plan.music:
        bed = music.bed(plan.music)
        found.append(Ingredient(bed.path.stem, "componentOf", "machine", detail=plan.music))
    return found
