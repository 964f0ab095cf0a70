"""The picture check: frames of a finished clip or film, scored by whoever here can judge pictures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipelines.request import Notice
from studio.settings import Settings
from studio.trust.frames import Sample, samples
from studio.trust.terms import Outcome
from studio.trust.texts import CATEGORIES

RANK: dict[Outcome, int] = {"allow": 0, "hold": 1, "block": 2}


@dataclass(frozen=True)
class Limit:
    """From which score (0..1) on a picture is held or blocked; None: never."""

    hold: float | None
    block: float | None = None

    def outcome(self, score: float) -> Outcome:
        """What a score leads to."""
        if self.block is not None and score >= self.block:
            return "block"
        return "hold" if self.hold is not None and score >= self.hold else "allow"


LIMITS: Mapping[str, Limit] = {
    "sexual": Limit(0.5, 0.85),
    "minors": Limit(0.2, 0.6),
    "gore": Limit(0.5, 0.85),
    "violence": Limit(0.6),
    "self_harm": Limit(0.4, 0.85),
    "hate": Limit(0.4, 0.85),
    "political": Limit(0.6),
    "names": Limit(0.7),
}
"""What the policy starts with. Fights belong to myths, and a likeness may be licensed: a person decides."""

# A plug-in may know categories that nobody set a limit for.
_UNKNOWN = Limit(0.5)


@dataclass(frozen=True)
class Score:
    """How sure (0..1) a checker is that a category is seen; at `second`, or None: somewhere."""

    category: str
    score: float
    second: float | None


class Checker(Protocol):
    """Somebody who judges pictures: the plug-in point. `categories` is what it looks for."""

    @property
    def name(self) -> str: ...
    @property
    def categories(self) -> frozenset[str]: ...

    def scores(self, pictures: Sequence[Sample], should_stop: Callable[[], bool]) -> Iterable[Score]:
        """Scores, any number a category; CheckerFailed if it can't, Cancelled once `should_stop()`."""
        ...


class CheckerFailed(Exception):
    """A checker gave no scores; `notice` says why. `excused`: a service was down, so the policy decides."""

    def __init__(self, notice: Notice, *, excused: bool = False) -> None:
        super().__init__(f"{notice.code} {notice.values}")
        self.notice = notice
        self.excused = excused


@dataclass(frozen=True)
class PictureFinding:
    """A score that the policy minds: the worst of its category and source."""

    category: str
    score: float
    second: float | None
    outcome: Outcome
    source: str

    @property
    def notice(self) -> Notice:
        """What it says to people."""
        return Notice(f"picture_{self.category}")


@dataclass(frozen=True)
class PictureVerdict:
    """What is to be done with a clip, and why; the worst findings come first.

    `checked` frames were looked at `by` these checkers; nobody looked for the categories in `unchecked`.
    `scores` holds the highest score of each category, also of harmless ones; `problems` tells which checkers
    failed (what that leads to is in `outcome` already).
    """

    outcome: Outcome
    findings: tuple[PictureFinding, ...]
    checked: int
    by: tuple[str, ...]
    unchecked: tuple[str, ...]
    scores: Mapping[str, float] = field(default_factory=dict)
    problems: tuple[Notice, ...] = ()


def checkers(settings: Settings) -> tuple[Checker, ...]:
    """Those who look at pictures here: the local ones, and the vision model if one is configured."""
    from studio.trust import nudity, vision

    local: dict[str, Checker] = {"opennsfw": nudity.Opennsfw(), "nudenet": nudity.Nudenet()}
    found = [local[name] for name in settings.picture_checkers]
    client = vision.configured(settings)
    return (*found, vision.Vision(client)) if client else tuple(found)


def check_pictures(
    path: Path,
    *,
    checkers: Sequence[Checker],
    limits: Mapping[str, Limit] = LIMITS,
    outcomes: Mapping[str, Outcome] | None = None,
    when_down: Outcome = "hold",
    should_stop: Callable[[], bool] = lambda: False,
) -> PictureVerdict:
    """Whether an MP4 may be shown, judged by one frame a second (3 to 24, first and last among them).

    `outcomes` says for a category what its findings lead to, instead of `limits` ("allow" drops them). A
    service that is down leads to `when_down`; a local checker that fails, or one that will not look, always
    to "hold". Raises MediaError "file_empty", "not_a_video", "picture_too_large"; Cancelled.
    """
    return judge(
        samples(path, should_stop),
        checkers=checkers,
        limits=limits,
        outcomes=outcomes,
        when_down=when_down,
        should_stop=should_stop,
    )


def judge(
    pictures: Sequence[Sample],
    *,
    checkers: Sequence[Checker],
    limits: Mapping[str, Limit] = LIMITS,
    outcomes: Mapping[str, Outcome] | None = None,
    when_down: Outcome = "hold",
    should_stop: Callable[[], bool] = lambda: False,
) -> PictureVerdict:
    """As `check_pictures`, of pictures that were taken out already; Cancelled."""
    worst: dict[tuple[str, str], Score] = {}
    least: list[Outcome] = ["allow"]
    by: list[str] = []
    problems: list[Notice] = []
    seen: set[str] = set()
    for checker in checkers:
        try:
            for score in checker.scores(pictures, should_stop):
                known = worst.get((score.category, checker.name))
                if known is None or score.score > known.score:
                    worst[score.category, checker.name] = score
        except CheckerFailed as failed:
            problems.append(failed.notice)
            least.append(when_down if failed.excused else "hold")
        else:
            by.append(checker.name)
            seen |= checker.categories
    findings = _findings(worst, limits, outcomes or {})
    return PictureVerdict(
        outcome=max([*least, *(one.outcome for one in findings)], key=RANK.__getitem__),
        findings=findings,
        checked=len(pictures),
        by=tuple(by),
        unchecked=tuple(name for name in CATEGORIES if name not in seen),
        scores={
            name: max(score.score for (about, _), score in worst.items() if about == name)
            for name in sorted({about for about, _ in worst})
        },
        problems=tuple(problems),
    )


def release() -> None:
    """Give the models' memory back; the next check loads them again."""
    from studio.trust import nudity

    nudity.release()


def _findings(
    worst: Mapping[tuple[str, str], Score], limits: Mapping[str, Limit], outcomes: Mapping[str, Outcome]
) -> tuple[PictureFinding, ...]:
    found = []
    for (category, source), score in worst.items():
        outcome = limits.get(category, _UNKNOWN).outcome(score.score)
        if outcome != "allow":
            outcome = outcomes.get(category, outcome)
        if outcome != "allow":
            found.append(PictureFinding(category, score.score, score.second, outcome, source))
    return tuple(sorted(found, key=lambda one: (-RANK[one.outcome], -one.score)))
