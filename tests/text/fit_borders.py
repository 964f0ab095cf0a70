"""Weighs the cues of borders: `python -m tests.text.fit_borders` writes borders.toml and .npy of the lexicon.

Logistic regression with a penalty, by Newton's method, over the cues and over what each sentence means.
Prints the F1 on exact starts that the stories of each writer reach with the weights of the others, and that
all reach with those of all.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from studio.text.borders import FILE, MEANT, Told, is_open, meanings_of, strength
from studio.text.layout import layout_of
from studio.text.units import Unit, units_of
from tests.text.corpus import FOLDS, fold_of
from tests.text.newton import logistic

STORIES = Path(__file__).parent / "stories"
PENALTY = 4.0
# How much the further stories count beside those of the corpus.
_MORE_COUNT = 0.5
# A border is also looked at as if the shot before it had begun earlier than it should, as will happen. How
# much that counts beside the right beginning, and how far back such a beginning lies at most.
_ASTRAY = 0.3
_BACK = 14


@dataclass(frozen=True)
class MarkedStory:
    """A story and the offsets at which its shots begin."""

    name: str
    text: str
    starts: frozenset[int]
    count: float = 1.0


def marked(name: str, text: str, count: float = 1.0) -> MarkedStory:
    """The story of a text with || before the first character of each shot."""
    parts = text.split("||")
    starts, place = set(), 0
    for part in parts[:-1]:
        place += len(part)
        starts.add(place)
    return MarkedStory(name, "".join(parts), frozenset(starts), count)


@dataclass(frozen=True)
class Weighed:
    """Log odds by cue, and by part of a sentence's meaning (512,)."""

    cues: Mapping[str, float]
    meant: npt.NDArray[np.float64]


def fitted_stories() -> list[MarkedStory]:
    """The stories of the corpus that the weights are fitted to, by many writers."""
    return [story for folder in ("dev", "check", "further") for story in stories_in(folder)]


def stories_in(folder: str) -> list[MarkedStory]:
    """The annotated stories of a folder."""
    paths = sorted((STORIES / folder).glob("*.toml"))
    return [marked(path.stem, tomllib.loads(path.read_text("utf-8"))["text"]) for path in paths]


def more_stories() -> list[MarkedStory]:
    """Further stories with marks only, all of them prose."""
    paths = sorted((STORIES / "marked").glob("*.txt"))
    return [marked(path.stem, path.read_text("utf-8"), _MORE_COUNT) for path in paths]


def f1(found: Sequence[tuple[set[int], frozenset[int]]]) -> float:
    """Micro F1 of pairs of found and known starts."""
    right = sum(len(mine & known) for mine, known in found)
    return 2 * right / sum(len(mine) + len(known) for mine, known in found)


def fit(stories: Sequence[MarkedStory]) -> Weighed:
    """The weights with which the borders of these stories come out best."""
    rows, marks, counts, meant = [], [], [], []
    for story in stories:
        means = _means(story)
        for i, cues, mark, once in _cued(story):
            rows.append(cues)
            marks.append(mark)
            counts.append(once)
            meant.append(means[i])
    names = list(rows[0])
    x = np.hstack([np.array([[row[name] for name in names] for row in rows]), np.array(meant)])
    weight = logistic(x, np.array(marks, dtype=float), PENALTY, count=np.array(counts))
    told = len(names) + 1
    return Weighed(dict(zip(["bias", *names], map(float, weight[:told]), strict=True)), weight[told:])


def starts(story: MarkedStory, weight: Weighed) -> set[int]:
    """Where shots begin by these weights."""
    units = _units(story)
    told, opening = Told(units), 0
    meant = _means(story) @ weight.meant
    found = set()
    for i, unit in enumerate(units):
        begins = unit.opens or not i
        if is_open(i, unit):
            begins = strength(told.cues(i, opening), weight.cues) + meant[i] > 0
        if begins:
            opening = i
            found.add(unit.start)
    return found


def unseen(stories: Sequence[MarkedStory], more: Sequence[MarkedStory]) -> float:
    """F1 of stories, those of each writer by the weights of the others and of `more`."""
    found = []
    for fold in range(FOLDS):
        weight = fit([*(story for story in stories if fold_of(story.name) != fold), *more])
        found += [(starts(story, weight), story.starts) for story in stories if fold_of(story.name) == fold]
    return f1(found)


@cache
def _units(story: MarkedStory) -> list[Unit]:
    return units_of(story.text, layout_of(story.text).passages)


@cache
def _means(story: MarkedStory) -> npt.NDArray[np.float32]:
    return meanings_of(story.text, _units(story))


@cache
def _cued(story: MarkedStory) -> list[tuple[int, dict[str, float], bool, float]]:
    """Unit i, the cues of a border before it that the layout leaves open, if it is one, what it counts."""
    units = _units(story)
    told, found, right, fixed = Told(units), [], [0], 0
    for i, unit in enumerate(units):
        mark = unit.start in story.starts and not unit.said
        if is_open(i, unit):
            for j in right:
                if j == right[-1] or j >= max(fixed, i - _BACK):
                    count = story.count * (1.0 if j == right[-1] else _ASTRAY)
                    found.append((i, told.cues(i, j), mark, count))
        if unit.opens or not i:
            fixed = i
        if i and (unit.opens or mark):
            right.append(i)
    return found


def main() -> None:
    """Fit, report, write."""
    stories, more = fitted_stories(), more_stories()
    print(f"by the other writers: F1 {unseen(stories, more):.3f}")
    weight = fit([*stories, *more])
    for name, known in (("fitted", stories), ("more", more)):
        print(f"{name}, by all: F1 {f1([(starts(story, weight), story.starts) for story in known]):.3f}")
    lines = [f"{name} = {value:.2f}" for name, value in sorted(weight.cues.items(), key=lambda e: e[1])]
    head = (
        "# How strongly each cue (studio/text/borders.py) speaks for a new shot, or against it: log odds.\n"
    )
    head += "# Written by `python -m tests.text.fit_borders`: change what a cue means, not what it weighs.\n"
    FILE.write_text(head + "\n[weights]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    np.save(MEANT, weight.meant.astype(np.float16), allow_pickle=False)


if __name__ == "__main__":
    main()
