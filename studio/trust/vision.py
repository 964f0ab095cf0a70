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
from studio.trust.frames import Sample, spread
from studio.trust.pictures import CheckerFailed, Score
from studio.trust.texts import CATEGORIES

MOST = 6
"""Pictures that are sent of one clip."""

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
    """The configured vision model as a picture checker; it says what it sees, not when."""

    client: LlmClient
    name: str = "vision"
    categories: frozenset[str] = frozenset(CATEGORIES)

    def scores(self, pictures: Sequence[Sample], should_stop: Callable[[], bool]) -> Iterator[Score]:
        """One score a category. CheckerFailed: excused where it is down, not where it will not look."""
        if should_stop():
            raise Cancelled
        sent = [picture.jpeg() for picture in spread(pictures, MOST)]
        instructions = _INSTRUCTIONS.read_text(encoding="utf-8")
        try:
            found = ask(
                self.client,
                instructions=instructions,
                data={"pictures": len(sent)},
                answer=Scores,
                pictures=sent,
                patient=True,
            )
        except LlmProblem as problem:
            raise _failed(problem) from None
        for category, score in found.model_dump().items():
            yield Score(category, score, None)


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
