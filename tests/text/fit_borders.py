"""Weighs the cues of borders: `python -m tests.text.fit_borders` writes assets/lexicon/borders.toml.

Logistic regression with a small penalty, by Newton's method. Prints the F1 on exact starts that each half of
the stories reaches with the weights of the other half, and that all reach with those of all.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.text.borders import FILE, Thread, strength
from studio.text.layout import layout_of
from studio.text.units import Unit, units_of

STORIES = Path(__file__).parent / "stories"
PENALTY = 0.5
# How much the further stories count beside those of the corpus.
_MORE_COUNT = 0.5
_STEPS = 15


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


def dev_stories() -> list[MarkedStory]:
    """The stories of the corpus that splitting is measured on."""
    paths = sorted((STORIES / "dev").glob("*.toml"))
    return [marked(path.stem, tomllib.loads(path.read_text("utf-8"))["text"]) for path in paths]


def more_stories() -> list[MarkedStory]:
    """Further stories with marks only, all of them prose."""
    paths = sorted((STORIES / "marked").glob("*.txt"))
    return [marked(path.stem, path.read_text("utf-8"), _MORE_COUNT) for path in paths]


def f1(found: Sequence[tuple[set[int], frozenset[int]]]) -> float:
    """Micro F1 of pairs of found and known starts."""
    right = sum(len(mine & known) for mine, known in found)
    return 2 * right / sum(len(mine) + len(known) for mine, known in found)


def fit(stories: Sequence[MarkedStory]) -> dict[str, float]:
    """The weights with which the borders of these stories come out best."""
    rows, marks, counts = [], [], []
    for story in stories:
        for unit, cues in _cued(story):
            if not unit.opens and not unit.said:
                rows.append(cues)
                marks.append(unit.start in story.starts)
                counts.append(story.count)
    names = list(rows[0])
    x = np.array([[1.0, *(row[name] for name in names)] for row in rows])
    y, count = np.array(marks, dtype=float), np.array(counts)
    penalty = np.diag([0.01] + [PENALTY] * len(names))
    weight = np.zeros(x.shape[1])
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-x @ weight))
        curve = (x * (count * p * (1 - p))[:, None]).T @ x + penalty
        weight -= np.linalg.solve(curve, x.T @ (count * (p - y)) + penalty @ weight)
    return dict(zip(["bias", *names], map(float, weight), strict=True))


def starts(story: MarkedStory, weight: Mapping[str, float]) -> set[int]:
    """Where shots begin by these weights."""
    thread, found = Thread(), set()
    units = _units(story)
    for unit, following in zip(units, [*units[1:], None], strict=True):
        sure = 1.0 if unit.opens or not found else -1.0
        if sure < 0 and not unit.said:
            sure = strength(thread.cues(unit, following), weight)
        thread.follow(unit.signs, sure > 0)
        if sure > 0:
            found.add(unit.start)
    return found


def _units(story: MarkedStory) -> list[Unit]:
    return units_of(story.text, layout_of(story.text).passages)


def _cued(story: MarkedStory) -> list[tuple[Unit, dict[str, float]]]:
    """Units behind the first with the cues of the border before them, after the right ones before."""
    thread, found = Thread(), []
    units = _units(story)
    for i, (unit, following) in enumerate(zip(units, [*units[1:], None], strict=True)):
        if i:
            found.append((unit, thread.cues(unit, following)))
        thread.follow(unit.signs, i == 0 or unit.opens or unit.start in story.starts)
    return found


def main() -> None:
    """Fit, report, write."""
    dev, more = dev_stories(), more_stories()
    for name, known, unknown in (
        ("dev, by the other half", dev[::2] + more, dev[1::2]),
        ("dev, by the first half", dev[1::2] + more, dev[::2]),
        ("more, by dev", dev, more),
        ("dev, by all", dev + more, dev),
        ("more, by all", dev + more, more),
    ):
        weight = fit(known)
        print(f"{name}: F1 {f1([(starts(story, weight), story.starts) for story in unknown]):.3f}")
    lines = [f"{name} = {value:.2f}" for name, value in sorted(fit(dev + more).items(), key=lambda e: e[1])]
    head = (
        "# How strongly each cue (studio/text/borders.py) speaks for a new shot, or against it: log odds.\n"
    )
    head += "# Written by `python -m tests.text.fit_borders`: change what a cue means, not what it weighs.\n"
    FILE.write_text(head + "\n[weights]\n" + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
