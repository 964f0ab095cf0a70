"""A moderation service for texts, on top of the studio's own check. It gets the text alone. Untrusted."""

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from studio.settings import Settings
from studio.text.llm import LlmClient, LlmProblem, ask, ask_service
from studio.trust.pictures import RANK, Limit
from studio.trust.terms import Outcome
from studio.trust.texts import Finding
from studio.trust.vision import Scores, Sureness

TEXT_LIMITS: Mapping[str, Limit] = {
    "sexual": Limit(0.5, 0.9),
    "minors": Limit(0.2, 0.6),
    "gore": Limit(0.6),
    "violence": Limit(0.8),
    "self_harm": Limit(0.5),
    "hate": Limit(0.5, 0.95),
    "political": Limit(0.6),
    "names": Limit(0.7),
    "other": Limit(0.5),
}
"""From which score on a text is held or blocked. Stories are full of battles: a service alone blocks none."""
LONGEST = 1000
"""Characters of a piece that is judged by itself: a page dilutes one bad sentence."""

_SECONDS = 20.0
_AT_ONCE = 4
_BATCH = {"openai": 32, "dashscope": 12}
_DEFAULTS = {
    "openai": ("https://api.openai.com/v1", "omni-moderation-latest"),
    "dashscope": ("https://dashscope.aliyuncs.com/compatible-mode/v1", "qwen-plus"),
}
_INSTRUCTIONS = Path(__file__).resolve().parents[2] / "assets" / "instructions" / "moderation.en.txt"
_SENTENCE = re.compile(r"(?<=[。！？!?；;\n])|(?<=\.\s)")
# OpenAI's words for our categories, and those of services that answer as it does.
_OURS = {
    "sexual": "sexual",
    "sexual/minors": "minors",
    "violence": "violence",
    "violence/graphic": "gore",
    "illicit/violent": "violence",
    "self-harm": "self_harm",
    "self-harm/intent": "self_harm",
    "self-harm/instructions": "self_harm",
    "selfharm": "self_harm",
    "hate": "hate",
    "hate/threatening": "hate",
    "harassment": "hate",
    "harassment/threatening": "hate",
    "hate_and_discrimination": "hate",
    "violence_and_threats": "violence",
}
_OBJECTED = "objected"
_REMEMBERED = 4096

_known: OrderedDict[tuple[LlmClient, bytes], dict[str, float]] = OrderedDict()
_lock = threading.Lock()


class _Result(BaseModel):
    """One text's answer of a service like OpenAI's: its own categories, flagged or not, with scores."""

    flagged: bool = False
    categories: dict[str, bool | None] = {}
    category_scores: Annotated[dict[str, Sureness | None], Field(min_length=1, max_length=100)]


class _Results(BaseModel):
    results: Annotated[list[_Result], Field(max_length=100)]


class _Judged(BaseModel):
    """A chat model's answer."""

    texts: Annotated[list[Scores], Field(max_length=100)]


@dataclass(frozen=True)
class Service:
    """A moderation service and how it is spoken to."""

    kind: str
    client: LlmClient


def configured(settings: Settings) -> Service | None:
    """The service that the settings name; None if they name neither an address nor a key."""
    if not (settings.moderation_base_url or settings.moderation_api_key):
        return None
    address, model = _DEFAULTS[settings.moderation_kind]
    base_url = (settings.moderation_base_url or address).rstrip("/")
    base_url = base_url.removesuffix("/moderations").removesuffix("/chat/completions")
    client = LlmClient(
        base_url, settings.moderation_api_key, settings.moderation_model or model, seconds=_SECONDS
    )
    return Service(settings.moderation_kind, client)


def moderate(
    texts: Mapping[str, str],
    settings: Settings,
    *,
    when_down: Outcome = "hold",
    limits: Mapping[str, Limit] = TEXT_LIMITS,
    outcomes: Mapping[str, Outcome] | None = None,
) -> tuple[Finding, ...]:
    """What the configured service finds in texts (place to text); nothing if none is configured.

    Negative prompts are not sent: they name what shall not be seen. `outcomes` says for a category what its
    findings lead to, instead of `limits` ("allow" drops them). A text that the service will not look at is
    held. Where it gives no usable answer, one finding of the category "unchecked" has the outcome
    `when_down`, also if that is "allow", so that it can be written down.
    """
    service = configured(settings)
    if service is None:
        return ()
    pieces = [
        _Piece(place, start, end, text[start:end])
        for place, text in texts.items()
        if not place.startswith("negative_prompt")
        for start, end in _pieces(text)
    ]
    size = _BATCH[service.kind]
    batches = [pieces[at : at + size] for at in range(0, len(pieces), size)]
    if not batches:
        return ()
    with ThreadPoolExecutor(min(_AT_ONCE, len(batches)), "moderation") as pool:
        answers = list(pool.map(partial(_answer, service), batches))
    found: list[Finding] = []
    for batch, answer in zip(batches, answers, strict=True):
        if isinstance(answer, LlmProblem):
            found.append(_unchecked(batch[0].place, answer, when_down))
            continue
        for piece, scores in zip(batch, answer, strict=True):
            found += _findings(piece, scores, limits, outcomes or {})
    return tuple(sorted(_once(found), key=lambda one: -RANK[one.outcome]))


@dataclass(frozen=True)
class _Piece:
    """Characters start to end of the text at a place."""

    place: str
    start: int
    end: int
    text: str


def _pieces(text: str) -> list[tuple[int, int]]:
    """Where the pieces of a text begin and end: whole sentences of together at most LONGEST characters."""
    ends = [match.start() for match in _SENTENCE.finditer(text)] + [len(text)]
    found: list[tuple[int, int]] = []
    start = last = 0
    for end in ends:
        if end - start > LONGEST and last > start:
            found.append((start, last))
            start = last
        while end - start > LONGEST:
            found.append((start, start + LONGEST))
            start += LONGEST
        last = end
    found.append((start, len(text)))
    return [trimmed for span in found if (trimmed := _trimmed(text, *span))[0] < trimmed[1]]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def _answer(service: Service, batch: Sequence[_Piece]) -> list[dict[str, float]] | LlmProblem:
    """Each piece's scores by category; the problem if the service has none for them."""
    keys = [
        (service.client, hashlib.sha256(piece.text.encode("utf-8", "replace")).digest()) for piece in batch
    ]
    with _lock:
        scores = {key: _known[key] for key in keys if key in _known}
    fresh = {key: piece.text for key, piece in zip(keys, batch, strict=True) if key not in scores}
    if fresh:
        try:
            answers = _judged(_ASK[service.kind], service.client, list(fresh.values()))
        except LlmProblem as problem:
            return problem
        scores |= dict(zip(fresh, answers, strict=True))
        with _lock:
            _known.update({key: scores[key] for key in fresh})
            while len(_known) > _REMEMBERED:
                _known.popitem(last=False)
    return [scores[key] for key in keys]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


Ask = Callable[[LlmClient, list[str]], list[dict[str, float]]]


def _judged(asked: Ask, client: LlmClient, texts: list[str]) -> list[dict[str, float]]:
    """Scores of the texts; the one that a service will not look at is found by halving."""
    try:
        found = asked(client, texts)
    except LlmProblem as problem:
        if problem.notice.code != "llm_objected":
            raise
        if len(texts) == 1:
            return [{_OBJECTED: 1.0}]
        half = len(texts) // 2
        return _judged(asked, client, texts[:half]) + _judged(asked, client, texts[half:])
    if len(found) != len(texts):
        raise LlmProblem("llm_bad_answer", client)
    return found


def _openai(client: LlmClient, texts: list[str]) -> list[dict[str, float]]:
    body = {"model": client.model, "input": texts}
    return [_mapped(one) for one in ask_service(client, "/moderations", body, _Results).results]


def _mapped(result: _Result) -> dict[str, float]:
    """A service's own categories as ours, the highest score each; what it flagged is at least held."""
    found: dict[str, float] = {}
    for name in {*result.category_scores, *result.categories}:
        flagged, score = bool(result.categories.get(name)), result.category_scores.get(name) or 0.0
        ours = _OURS.get(name, "other" if flagged else "")
        if ours:
            least = (TEXT_LIMITS[ours].hold or 1.0) if flagged else 0.0
            found[ours] = max(found.get(ours, 0.0), score, least)
    if result.flagged and not any(result.categories.values()):
        found["other"] = 1.0
    return found


def _dashscope(client: LlmClient, texts: list[str]) -> list[dict[str, float]]:
    instructions = _INSTRUCTIONS.read_text(encoding="utf-8")
    data = {"texts": texts}
    answer = ask(client, instructions=instructions, data=data, answer=_Judged, patient=True)
    return [scores.model_dump() for scores in answer.texts]


_ASK: dict[str, Ask] = {"openai": _openai, "dashscope": _dashscope}


def _findings(
    piece: _Piece,
    scores: Mapping[str, float],
    limits: Mapping[str, Limit],
    outcomes: Mapping[str, Outcome],
) -> list[Finding]:
    if _OBJECTED in scores:
        return [_finding(piece, "other", "hold", "service_objected")]
    found = []
    for category, score in scores.items():
        outcome = limits.get(category, Limit(0.5)).outcome(score)
        if outcome != "allow":
            outcome = outcomes.get(category, outcome)
        if outcome != "allow":
            found.append(_finding(piece, category, outcome, f"service_{category}"))
    return found


def _finding(piece: _Piece, category: str, outcome: Outcome, reason: str) -> Finding:
    return Finding(piece.place, category, outcome, piece.text, piece.start, piece.end, reason, "service")


def _unchecked(place: str, problem: LlmProblem, when_down: Outcome) -> Finding:
    reason = "service_refused" if problem.notice.code == "llm_refused" else "service_down"
    return Finding(place, "unchecked", when_down, "", 0, 0, reason, "service")


def _once(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, but a service that is down told once."""
    down = [one for one in findings if one.category == "unchecked"]
    return [one for one in findings if one.category != "unchecked"] + down[:1]
