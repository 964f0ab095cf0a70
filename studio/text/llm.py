"""A language model behind an OpenAI-compatible address: one question, one checked JSON answer. Untrusted."""

import base64
import json
import re
import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from pipelines.request import Notice
from studio.settings import Settings

MAX_BYTES = 1_000_000
"""Of an answer; a story of 24 shots has about 60 KB."""
REST_SECONDS = 30.0
"""A model that did not answer is left alone so long: nobody shall wait for it at each press."""

_CONNECT_SECONDS = 5.0
_OPENAI, _OPENAI_MODEL, _QWEN_MODEL = "https://api.openai.com/v1", "gpt-4o-mini", "qwen-plus"
_FENCE = "```"
_REFUSALS, _BUSY, _FORM = (401, 402, 403), (429, 503, 529), (400, 404, 415, 422)
# The code of an error with which DashScope, OpenAI or Azure will not look at what was sent.
_OBJECTION = re.compile(
    r"\b(?:data_?inspection_?failed|content_filter|content_policy_violation)\b", re.IGNORECASE
)
_ERROR_BYTES = 8192
_PAUSE_SECONDS = 1.0
# Bidirectional controls turn what people read into something else than what a model is asked for.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")

_resting: dict["LlmClient", float] = {}
_forms: dict["LlmClient", int] = {}
_lock = threading.Lock()
# So many may ask a service at once: each holds a thread, and somebody pays for each.
_SLOTS = 6
_slots: dict["LlmClient", threading.BoundedSemaphore] = {}

Answer = TypeVar("Answer", bound=BaseModel)
Found = TypeVar("Found")


def _plain(text: str) -> str:
    """The text on one line; what no database or tokenizer takes is an error."""
    text = " ".join(_TURNING.sub("", text).split())
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise PydanticCustomError("text_control", "text_control")
    return text


PlainText = Annotated[str, AfterValidator(_plain)]
"""A text of an answer: on one line, without control characters."""


@dataclass(frozen=True)
class LlmClient:
    """A language model. `base_url` is what stands before /chat/completions; `seconds` is for one answer."""

    base_url: str
    api_key: str = field(default="", repr=False)
    model: str = _OPENAI_MODEL
    seconds: float = field(default=55.0, compare=False)

    @property
    def host(self) -> str:
        """The host's name, for people."""
        return urlsplit(self.base_url).hostname or self.base_url[:80]


class LlmProblem(Exception):
    """The model gave no usable answer; `notice` says why, without its key or its answer.

    Codes: "llm_unreachable" (then at once for REST_SECONDS), "llm_refused" (the key), "llm_busy" (also
    where too many ask at once), "llm_objected" (it will not look at what was sent), "llm_bad_answer"
    (anything else).
    """

    def __init__(self, code: str, client: LlmClient, **values: Any) -> None:
        super().__init__(f"{code} {client.host} {values}")
        self.notice = Notice(code, {"host": client.host, **values})


def configured(settings: Settings) -> LlmClient | None:
    """The model that the settings name; None if they name neither an address nor a key."""
    if not (settings.llm_base_url or settings.llm_api_key):
        return None
    base_url = (settings.llm_base_url or _OPENAI).rstrip("/").removesuffix("/chat/completions")
    usual = _QWEN_MODEL if _is_dashscope(base_url) else _OPENAI_MODEL
    return LlmClient(base_url, settings.llm_api_key, settings.llm_model or usual)


def ask(
    client: LlmClient,
    *,
    instructions: str,
    data: dict[str, Any],
    answer: type[Answer],
    pictures: Sequence[bytes] = (),
    patient: bool = False,
) -> Answer:
    """The model's answer as `answer`, which is also the schema it is asked for. Takes up to `client.seconds`.

    `data` goes along as JSON in a message of its own: text of people never stands among the instructions.
    `pictures` are JPEG files for a model that sees. Who is `patient` waits for a turn where others ask too,
    and asks a second time before giving up: thrice the time at most. Raises LlmProblem.
    """

    def question(until: float) -> Answer:
        bodies = _bodies(client, instructions, data, answer, pictures)
        return answer.model_validate(_json(_content(client, _answered(client, bodies, until))))

    return _tried(client, question, patient=patient)


def ask_service(client: LlmClient, path: str, body: dict[str, Any], answer: type[Answer]) -> Answer:
    """What a service beside the model's own answers at `path` ("/moderations"), as `answer`; patiently.

    Raises LlmProblem.
    """

    def question(until: float) -> Answer:
        status, found = _post(client, path, body, until)
        if status != 200:
            raise _problem(client, status, found)
        return answer.model_validate(json.loads(found, parse_constant=_no_constant))

    return _tried(client, question, patient=True)


def _tried(client: LlmClient, question: Callable[[float], Found], *, patient: bool) -> Found:
    """The question's answer, once (or twice) asked; the question is told when it must be done."""
    with _lock:
        if time.monotonic() < _resting.get(client, 0.0):
            raise LlmProblem("llm_unreachable", client)
        slot = _slots.setdefault(client, threading.BoundedSemaphore(_SLOTS))
    if not slot.acquire(timeout=client.seconds if patient else 0):
        raise LlmProblem("llm_busy", client)
    try:
        if patient:
            try:
                return _once(client, question)
            except LlmProblem as problem:
                if problem.notice.code in ("llm_refused", "llm_objected"):
                    raise
            time.sleep(_PAUSE_SECONDS)
        return _once(client, question)
    except LlmProblem as problem:
        if problem.notice.code == "llm_unreachable":
            with _lock:
                _resting[client] = time.monotonic() + REST_SECONDS
        raise
    finally:
        slot.release()


def _once(client: LlmClient, question: Callable[[float], Found]) -> Found:
    # Not chained: httpx's errors hold the request, and that the key.
    try:
        return question(time.monotonic() + client.seconds)
    except (httpx.TimeoutException, httpx.NetworkError, TimeoutError):
        raise LlmProblem("llm_unreachable", client) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError, RecursionError):
        raise LlmProblem("llm_bad_answer", client) from None


def _answered(client: LlmClient, forms: Sequence[dict[str, Any]], until: float) -> bytes:
    """The answer's bytes, asked for in the strictest form that this service takes."""
    with _lock:
        first = _forms.get(client, 0)
    for number in range(first, len(forms)):
        status, found = _post(client, "/chat/completions", forms[number], until)
        if status == 200:
            with _lock:
                _forms[client] = number
            return found
        problem = _problem(client, status, found)
        if problem.notice.code != "llm_bad_answer":
            raise problem
        if status not in _FORM:
            break
    raise LlmProblem("llm_bad_answer", client)


def _problem(client: LlmClient, status: int, found: bytes) -> LlmProblem:
    """What an answer with another status than 200 means."""
    if status in _REFUSALS:
        return LlmProblem("llm_refused", client, status=status)
    if status in _BUSY:
        return LlmProblem("llm_busy", client)
    if status == 400 and _OBJECTION.search(found.decode("utf-8", "replace")):
        return LlmProblem("llm_objected", client)
    return LlmProblem("llm_bad_answer", client)


def _bodies(
    client: LlmClient,
    instructions: str,
    data: dict[str, Any],
    answer: type[BaseModel],
    pictures: Sequence[bytes],
) -> list[dict[str, Any]]:
    """The question in three forms: with the schema, as any JSON, without what is not known everywhere."""
    schema = answer.model_json_schema()
    told = f"{instructions}\n\nJSON schema:\n{json.dumps(schema, ensure_ascii=False)}"
    given: Any = json.dumps(data, ensure_ascii=False)
    if pictures:
        given = [{"type": "text", "text": given}, *(_picture(jpeg) for jpeg in pictures)]
    plain: dict[str, Any] = {
        "model": client.model,
        "messages": [{"role": "system", "content": told}, {"role": "user", "content": given}],
    }
    if _is_dashscope(client.base_url):
        plain["enable_thinking"] = False  # else its thinking models refuse an answer in one piece
    named = {"name": "answer", "schema": schema}
    return [
        plain | {"temperature": 0.2, "response_format": {"type": "json_schema", "json_schema": named}},
        plain | {"temperature": 0.2, "response_format": {"type": "json_object"}},
        plain,
    ]


def _picture(jpeg: bytes) -> dict[str, Any]:
    address = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"
    return {"type": "image_url", "image_url": {"url": address}}


def _post(client: LlmClient, path: str, body: dict[str, Any], until: float) -> tuple[int, bytes]:
    """Status and answer (of errors, their first bytes). The key goes to the service only: no redirects."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    headers = {"Accept-Encoding": "identity"}
    if client.api_key:
        headers["Authorization"] = f"Bearer {client.api_key}"
    timeout = httpx.Timeout(left, connect=min(left, _CONNECT_SECONDS))
    found = bytearray()
    with httpx.stream(
        "POST",
        f"{client.base_url}{path}",
        json=body,
        headers=headers,
        timeout=timeout,
        follow_redirects=False,
    ) as response:
        fine = response.status_code == 200
        # As they come in: chunks of a size would be waited for, however slowly a service drips.
        for chunk in response.iter_bytes():
            found += chunk
            if not fine and len(found) >= _ERROR_BYTES:
                break
            if len(found) > MAX_BYTES:
                raise ValueError("too large")
            if time.monotonic() > until:
                raise TimeoutError
    return response.status_code, bytes(found)


def _content(client: LlmClient, answer: bytes) -> str:
    """What the model said; LlmProblem if it objected, ValueError if it said nothing or was cut off."""
    try:
        choice = json.loads(answer)["choices"][0]
        message, end = choice["message"], choice.get("finish_reason")
        content, refusal = message["content"], message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError("no answer") from error
    if refusal or end == "content_filter":
        raise LlmProblem("llm_objected", client)
    if not isinstance(content, str) or end == "length":
        raise ValueError("no whole answer")
    return content


def _json(content: str) -> Any:
    """The one JSON object of an answer, also out of a fence or from behind the model's thoughts."""
    content = content.strip()
    if content.startswith("<think>"):
        content = content.rpartition("</think>")[2].strip()
    if not content.startswith("{") and _FENCE in content:
        content = content.split(_FENCE, 2)[1].removeprefix("json").strip()
    return json.loads(content, parse_constant=_no_constant)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _is_dashscope(base_url: str) -> bool:
    return (urlsplit(base_url).hostname or "").endswith(".aliyuncs.com")
