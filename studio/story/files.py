"""Files that people bring to a story: checked, copied below the home, named by what they hold."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePath

from studio.media.canvas import open_picture
from studio.media.intake import MAX_SECONDS, PICTURE_SECONDS, take_in
from studio.media.music import SUFFIXES, check_music
from studio.media.whole import unfinished
from studio.story.exchange import known_music
from studio.story.problems import StoryProblem
from studio.story.types import MAX_SOURCE_SECONDS, Look, Source, Story

FOLDER = "stories"
MAX_FOLDER_BYTES = 2_000_000_000
# More pixels than any film shows of a logo.
_LOGO_SIDE = 2048
_UNNAMED = ".audio"
HEARD = (*SUFFIXES, _UNNAMED)
"""How the places of music end."""
SEEN = ".png"
"""How the places of logos end."""
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")
# The voice may turn out a little longer than it was estimated.
_SPARE = 3.0
_NAME = re.compile(r"(?:[0-9a-f]{16}|source-[0-9a-f]{32})\.[a-z0-9]{2,5}")


def keep_music(home: Path, story_id: str, path: Path, name: str) -> str:
    """Copy music to its story, return its place below the home; MediaError as `check_music`."""
    check_music(path)
    suffix = PurePath(name).suffix.lower()
    return _keep(
        home, story_id, suffix if suffix in SUFFIXES else _UNNAMED, lambda part: shutil.copyfile(path, part)
    )


def keep_logo(home: Path, story_id: str, path: Path, name: str = "") -> str:
    """Copy a logo to its story as PNG, return its place; MediaError as `canvas.open_picture`."""
    picture = open_picture(path, "logo")
    picture.thumbnail((_LOGO_SIDE, _LOGO_SIDE))
    return _keep(home, story_id, SEEN, lambda part: picture.save(part, "PNG"))


def keep_shot(
    home: Path,
    story_id: str,
    path: Path,
    name: str,
    *,
    start: float = 0.0,
    seconds: float | None = None,
    stands: float = 0.0,
) -> Source:
    """Make a clip of a video (`seconds` of it from `start`) or picture in its story; MediaError as `take_in`.

    A picture lasts at least as long as the shot `stands`.
    """
    folder = folder_of(home, story_id)
    title = PurePath(called(name)).stem
    if _is_picture(path, name):
        long = min(MAX_SECONDS, max(PICTURE_SECONDS, stands + _SPARE))
        clip = take_in(path, folder, kind="picture", seconds=long)
        return Source(kind="upload", place=f"{FOLDER}/{story_id}/{clip.path.name}", title=title)
    clip = take_in(path, folder, kind="video", start=start, seconds=seconds)
    place = f"{FOLDER}/{story_id}/{clip.path.name}"
    return Source(kind="upload", place=place, title=title, seconds=min(clip.seconds, MAX_SOURCE_SECONDS))


def called(name: str) -> str:
    """What a file was called, without folders; empty if that can't be shown. At most 120 characters."""
    name = PurePath(name.replace("\\", "/")).name
    if len(name) > 120:
        suffix = PurePath(name).suffix[:12]
        name = name[: 119 - len(suffix)] + "…" + suffix
    return name if name.isprintable() else ""


def is_kept(home: Path, story_id: str, place: str) -> bool:
    """Whether this is the place of a file that was brought to the story, and the file is there."""
    folder, _, name = place.rpartition("/")
    ours = folder == f"{FOLDER}/{story_id}" and _NAME.fullmatch(name) is not None
    return ours and (home / place).is_file()


def moved(story: Story, story_id: str, other_id: str) -> Story:
    """The story with the places of its files in another story's folder."""
    old, new = f"{FOLDER}/{story_id}/", f"{FOLDER}/{other_id}/"

    def place(found: str) -> str:
        return new + found.removeprefix(old) if found.startswith(old) else found

    shots = tuple(
        shot.model_copy(update={"source": shot.source.model_copy(update={"place": place(shot.source.place)})})
        if shot.source
        else shot
        for shot in story.shots
    )
    look = story.look.model_copy(update={"music": place(story.look.music), "logo": place(story.look.logo)})
    return story.model_copy(update={"shots": shots, "look": look})


def copy_all(home: Path, story_id: str, other_id: str) -> None:
    """Copy what was brought to one story to another one."""
    source = folder_of(home, story_id)
    if source.is_dir():
        shutil.copytree(source, folder_of(home, other_id), dirs_exist_ok=True)


def remove_all(home: Path, story_id: str) -> None:
    """Remove what was brought to a story."""
    shutil.rmtree(folder_of(home, story_id), ignore_errors=True)


def folder_of(home: Path, story_id: str) -> Path:
    """Where a story's files lie."""
    return home / FOLDER / story_id


def room_left(home: Path, story_id: str, path: Path) -> None:
    """StoryProblem "story_files_full" if this file would be too much for one story."""
    folder = folder_of(home, story_id)
    used = sum(other.stat().st_size for other in folder.glob("*") if other.is_file())
    if used + path.stat().st_size > MAX_FOLDER_BYTES:
        raise StoryProblem("story_files_full", high=MAX_FOLDER_BYTES // 1_000_000)


def _keep(home: Path, story_id: str, suffix: str, write: Callable[[Path], object]) -> str:
    """Write a file under a temporary name, name it by its content; the same file twice lies there once."""
    folder = folder_of(home, story_id)
    folder.mkdir(parents=True, exist_ok=True)
    with unfinished(folder / f".new{suffix}") as part:
        write(part)
        with part.open("rb") as file:
            name = hashlib.file_digest(file, "sha256").hexdigest()[:16] + suffix
        os.replace(part, folder / name)
    return f"{FOLDER}/{story_id}/{name}"


def _is_picture(path: Path, name: str) -> bool:
    if PurePath(name).suffix.lower() in _PICTURES:
        return True
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith((b"\x89PNG", b"\xff\xd8\xff")) or head[8:12] == b"WEBP"


def check_places(home: Path, story_id: str, before: Look, after: Look) -> None:
    """A new place on the disk is one of a file that was brought to this story, else StoryProblem."""
    music, logo = after.music, after.logo
    heard = music in ("", before.music) or known_music(music)
    if not heard and not (music.endswith(HEARD) and is_kept(home, story_id, music)):
        raise StoryProblem("story_file_gone")
    if logo not in ("", before.logo) and not (logo.endswith(SEEN) and is_kept(home, story_id, logo)):
        raise StoryProblem("story_file_gone")
