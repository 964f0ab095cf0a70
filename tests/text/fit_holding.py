"""Weighs the cues of what holds on: `python -m tests.text.fit_holding` writes assets/lexicon/holding.toml.

Logistic regression with a small penalty on the times and the weather of the shots before; what is right
stands in the annotated stories. While fitting, a shot follows the right ones before it. Prints the set F1
that each fold of writers reaches by the weights of the others, and what all reach by those of all.
"""

from collections.abc import Mapping, Sequence
from unittest.mock import patch

from studio.text import when
from studio.text.fields import ShotFields, fields_of_story
from studio.text.holding import Held, strength
from studio.text.terms import FOLDER
from tests.text.corpus import FITTED, FOLDS, FURTHER, Annotated, annotated, fold_of, matches, plain, unread
from tests.text.fit_doers import fit

FILE = FOLDER / "holding.toml"
FIELDS = ("time", "weather")
# What holds on by mistake holds on in all shots behind, too: it must be surer than `fit` makes it.
_STRICTER = {"time": 0.1, "weather": 0.3}


Weights = Mapping[str, Mapping[str, float]]
Rows = dict[str, list[tuple[Mapping[str, float], bool]]]


def means(word: str, gold: Sequence[str]) -> bool:
    """Whether one of these phrases means the same as a word."""
    said = plain(word)
    return any(said in other or other in said for other in map(plain, gold))


def rows_of(story: Annotated) -> Rows:
    """Cues and mark of all that may hold on in a story."""
    rows: Rows = {field: [] for field in FIELDS}
    shot = dict.fromkeys(FIELDS, -1)

    def keep(found: Sequence[Held], field: str) -> list[str]:
        shot[field] += 1
        gold = story.shots[shot[field]][field]
        marks = [means(one.word, gold) for one in found]
        rows[field] += [(one.cues, mark) for one, mark in zip(found, marks, strict=True)]
        return [one.word for one, mark in zip(found, marks, strict=True) if mark]

    read(story, keep)
    return rows


def read(story: Annotated, keep: object) -> tuple[ShotFields, ...]:
    """The fields of a story's shots where `keep` decides what holds on."""
    with patch.object(when, "kept", keep), unread(story.name):
        return fields_of_story(story.text, story.spans, names=story.names)


def weighed(every: Sequence[Rows]) -> Weights:
    """The weights by which the stories of these rows come out best."""
    found = {field: fit([row for rows in every for row in rows[field]]) for field in FIELDS}
    return {field: part | {"bias": part["bias"] - _STRICTER[field]} for field, part in found.items()}


def counts(stories: Sequence[Annotated], weight: Weights) -> dict[str, list[int]]:
    """(right, found, wanted) of each field over all shots."""

    def keep(found: Sequence[Held], field: str) -> list[str]:
        return [one.word for one in found if strength(one.cues, weight[field]) > 0]

    total = {field: [0, 0, 0] for field in FIELDS}
    for story in stories:
        for mine, gold in zip(read(story, keep), story.shots, strict=True):
            for field in FIELDS:
                got = getattr(mine, field)
                for k, n in enumerate((matches(got, gold[field]), len(got), len(gold[field]))):
                    total[field][k] += n
    return total


def report(name: str, total: Mapping[str, Sequence[int]]) -> None:
    """Print F1, precision and recall of each field."""
    for field, (right, found, wanted) in total.items():
        f1, precision, recall = 2 * right / (found + wanted), right / found, right / wanted
        print(f"{name}: {field} F1 {f1:.3f} precision {precision:.3f} recall {recall:.3f}")


def main() -> None:
    """Fit, report, write."""
    stories = [annotated(path) for path in FITTED + FURTHER]
    rows = {story.name: rows_of(story) for story in stories}
    total = {field: [0, 0, 0] for field in FIELDS}
    for fold in range(FOLDS):
        others = [rows[story.name] for story in stories if fold_of(story.name) != fold]
        own = [story for story in stories if fold_of(story.name) == fold]
        for field, numbers in counts(own, weighed(others)).items():
            total[field] = [a + b for a, b in zip(total[field], numbers, strict=True)]
    report("by the other writers", total)
    weight = weighed([rows[story.name] for story in stories])
    report("by all", counts(stories, weight))
    parts = [
        f"[{field}]\n" + "\n".join(f"{n} = {v:.2f}" for n, v in sorted(part.items(), key=lambda e: e[1]))
        for field, part in weight.items()
    ]
    head = "# How strongly each cue (studio/text/holding.py) says "
    head += "that a word of the shot before holds on: log odds.\n"
    head += (
        "# Written by `python -m tests.text.fit_holding`: change what a cue means, not what it weighs.\n\n"
    )
    FILE.write_text(head + "\n\n".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
