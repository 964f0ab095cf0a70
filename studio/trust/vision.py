"""A vision model that looks at a few frames: what no package here can judge, such as violence. Untrusted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from pipelines.request import Cancelled, Notice
from studio.settings import Settings
from studio.text.llm import LlmClient, LlmProblem, ask
from studio.trust.frames import Sample
from studio.trust.pictures import CheckerFailed, Score
from studio.trust.texts import CATEGORIES

AT_ONCE = 6
"""Pictures that are sent with one question: a clip is one or two, the longest film four."""

_INSTRUCTIONS = Path(__file__).resolve().parents[2] / "assets" / "instructions" / "vision.en.txt"
_OPENAI, _OPENAI_MODEL, _QWEN_MODEL = "https://api.openai.com/v1", "gpt-4o-mini", "qwen3-vl-plus"

Sureness = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]


class Scores(BaseModel):
    """What a model is asked for: how sure it is (0..1) that something is there. Only numbers are read."""

    model_config = ConfigDict(extra="ignore")

    violence: Sureness
    gore: Sureness
    sexual: Sureness
    minors: Sureness
    self_harm: Sureness
    hate: Sureness
    political: Sureness
    names: Sureness


@dataclass(frozen=True)
class Vision:
    """The configured vision model as a picture checker; asked about a few pictures at a time."""

    client: LlmClient
    name: str = "vision"
    categories: frozenset[str] = frozenset(CATEGORIES)

    def scores(self, pictures: Sequence[Sample], should_stop: Callable[[], bool]) -> Iterator[Score]:
        """A score a category for each few pictures, told at the first of them.

        CheckerFailed: excused where the model is down, not where it will not look; Cancelled.
        """
        for at in range(0, len(pictures), AT_ONCE):
            if should_stop():
                raise Cancelled
            some = pictures[at : at + AT_ONCE]
            for category, score in self._asked(some).model_dump().items():
                yield Score(category, score, some[0].second)

    def _asked(self, pictures: Sequence[Sample]) -> Scores:
        try:
            return ask(
                self.client,
                instructions=_INSTRUCTIONS.read_text(encoding="utf-8"),
                data={"pictures": len(pictures)},
                answer=Scores,
                pictures=[picture.jpeg() for picture in pictures],
                patient=True,
            )
        except LlmProblem as problem:
            raise _failed(problem) from None


def configured(settings: Settings) -> LlmClient | None:
    """The model that the settings name; None if they name neither an address nor a key."""
    if not (settings.vision_base_url or settings.vision_api_key):
        return None
    base_url = (settings.vision_base_url or _OPENAI).rstrip("/").removesuffix("/chat/completions")
    qwen = (urlsplit(base_url).hostname or "").endswith(".aliyuncs.com")
    usual = _QWEN_MODEL if qwen else _OPENAI_MODEL
    return LlmClient(base_url, settings.vision_api_key, settings.vision_model or usual, seconds=40.0)


def _failed(problem: LlmProblem) -> CheckerFailed:
    values = problem.notice.values
    if problem.notice.code == "llm_objected":
        return CheckerFailed(Notice("vision_objected", values))
    code = "vision_refused" if problem.notice.code == "llm_refused" else "vision_down"
    return CheckerFailed(Notice(code, values), excused=True)
