"""The annotated stories as the fits and the measures read them, and when two phrases mean the same."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

from studio.text import likely
from studio.text.characters import find_characters
from studio.text.language import has_han

STORIES = Path(__file__).parent / "stories"
FITTED = sorted(path for part in ("dev", "check") for path in (STORIES / part).glob("*.toml"))
"""The stories that weights are fitted to."""
FURTHER = sorted((STORIES / "further").glob("*.toml"))
"""Stories by other writers, from which almost all is learnt, too."""
_GROUPS = 5
FOLDS = 6
APART: dict[int, Mapping[likely.Question, likely.Learned]] = {}
"""By fold what meanings say without the stories of its writers, while weights are fitted (fit_likely)."""


@dataclass(frozen=True)
class Annotated:
    """A story: its text, its shots' texts and where they are, its names, and the right fields of each."""

    name: str
    language: str
    text: str
    bodies: list[str]
    spans: list[tuple[int, int]]
    names: list[str]
    shots: list[dict[str, list[str]]]


def annotated(path: Path) -> Annotated:
    """Read a story with || before the first character of each shot."""
    story = tomllib.loads(path.read_text(encoding="utf-8"))
    before, *bodies = story["text"].split("||")
    text = before + "".join(bodies)
    starts = [len(before) + sum(map(len, bodies[:k])) for k in range(len(bodies) + 1)]
    names = [name for one in find_characters(text, bodies) for name in (one.name, *one.aliases)]
    spans = list(pairwise(starts))
    return Annotated(path.stem, story["language"], text, bodies, spans, names, story["shots"])


def plain(phrase: str) -> str:
    """Letter case, articles, spaces and 了着过的 don't count."""
    low = re.sub(r"^(?:the|a|an|his|her|their|its|my)\s+", "", phrase.lower().strip())
    return re.sub(r"[\s的了着过]+", "", low) if has_han(low) else re.sub(r"[-\s]+", " ", low)


def matches(found: Sequence[str], wanted: Sequence[str]) -> int:
    """How many phrases of two sets mean the same: equal ones, then those of which one holds the other."""
    left, matched = list(wanted), 0
    rest = list(found)
    for same in (lambda a, b: a == b, lambda a, b: a in b or b in a):
        for phrase in list(rest):
            other = next((gold for gold in left if same(plain(phrase), plain(gold))), None)
            if other is not None:
                left.remove(other)
                rest.remove(phrase)
                matched += 1
    return matched


def score(counts: Sequence[tuple[int, int, int]]) -> str:
    """F1, precision and recall of counts (right, found, wanted)."""
    hits, found, wanted = (sum(part) for part in zip(*counts, strict=True))
    return f"F1 {2 * hits / (found + wanted):.3f} P {hits / max(1, found):.3f} R {hits / max(1, wanted):.3f}"


def fold_of(name: str) -> int:
    """The stories of a writer (the letter before the number, else one of five groups) are of one fold."""
    if re.match(r"[a-z]\d\d-", name):
        return ord(name[0]) % FOLDS
    return sum(name.encode()) % _GROUPS


@contextmanager
def unread(name: str) -> Iterator[None]:
    """Within it meanings say of a story what they say without its writer, if that is known."""
    found = APART.get(fold_of(name))
    if found is None:
        yield
    else:
        with patch.object(likely, "learned", lambda: found):
            yield
