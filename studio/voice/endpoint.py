"""A speech service instead of the offline voices: OpenAI-compatible, or DashScope. Not trusted."""

import base64
import binascii
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

import av
import httpx
import numpy as np

from pipelines.request import Cancelled, Notice
from studio.media.audio import RATE as FILM_RATE
from studio.media.audio import Sound, filtered, framed, read_sound, stereo
from studio.media.ffmpeg import MediaError
from studio.settings import Settings
from studio.voice.kokoro import RATE, Wave

MAX_BYTES = 20_000_000
"""Of an answer; a minute of WAV has 6 MB."""
MAX_SECONDS = 60.0
"""Of sound in the answer for one sentence."""
TOTAL_SECONDS = 60.0
"""That one answer may take."""
REST_SECONDS = 60.0
"""A service that could not be reached is left alone so long: a film shall not wait for it shot by shot."""

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_DEFAULTS = {
    "openai": ("https://api.openai.com/v1", "tts-1", "alloy"),
    "dashscope": ("https://dashscope.aliyuncs.com/api/v1", "qwen3-tts-flash", "Cherry"),
}
# Where DashScope puts the sound; any other address in its answer is refused.
_RESULT_HOSTS = (".aliyuncs.com",)
_QUIET = 1e-4

_resting: dict["Endpoint", float] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Endpoint:
    """A speech service; `base_url` is what stands before /audio/speech (OpenAI) or /services (DashScope)."""

    kind: Literal["openai", "dashscope"]
    base_url: str
    api_key: str = field(default="", repr=False)
    model: str = ""
    voice: str = ""

    @property
    def identity(self) -> tuple[str, ...]:
        """What decides how it sounds; without the key."""
        return (self.kind, self.base_url, self.model, self.voice)

    @property
    def host(self) -> str:
        """The host's name, for people."""
        return urlsplit(self.base_url).hostname or self.base_url[:80]


class EndpointFailed(Exception):
    """The service gave no speech; `notice` says why, without its key or answer."""

    def __init__(self, code: str, endpoint: Endpoint, **values: Any) -> None:
        super().__init__(f"{code} {endpoint.host} {values}")
        self.notice = Notice(code, {"host": endpoint.host, **values})


def configured(settings: Settings) -> Endpoint | None:
    """The service that the settings name; None if they name neither an address nor a key."""
    if not (settings.speech_base_url or settings.speech_api_key):
        return None
    base_url, model, voice = _DEFAULTS[settings.speech_kind]
    return Endpoint(
        kind=settings.speech_kind,
        base_url=(settings.speech_base_url or base_url).rstrip("/"),
        api_key=settings.speech_api_key,
        model=settings.speech_model or model,
        voice=settings.speech_voice or voice,
    )


def say(
    text: str, endpoint: Endpoint, *, speed: float, folder: Path, should_stop: Callable[[], bool]
) -> Wave:
    """One sentence spoken by the service, mono, 24 kHz. `folder` takes the answer while it is read.

    Raises EndpointFailed "voice_endpoint_unreachable" (then at once for a minute), "…_refused" (it said no)
    or "…_failed" (its answer is no speech); Cancelled once `should_stop()`.
    """
    with _lock:
        if time.monotonic() < _resting.get(endpoint, 0.0):
            raise EndpointFailed("voice_endpoint_unreachable", endpoint)
    try:
        data = (
            _openai(text, endpoint, should_stop)
            if endpoint.kind == "openai"
            else _dashscope(text, endpoint, should_stop)
        )
        return _wave(data, speed, folder)
    except (httpx.TimeoutException, httpx.NetworkError, TimeoutError):
        with _lock:
            _resting[endpoint] = time.monotonic() + REST_SECONDS
        # Not chained: httpx's errors hold the request, and that the key.
        raise EndpointFailed("voice_endpoint_unreachable", endpoint) from None
    except (httpx.HTTPError, httpx.InvalidURL, MediaError, av.FFmpegError, ValueError, RecursionError):
        raise EndpointFailed("voice_endpoint_failed", endpoint) from None


def _openai(text: str, endpoint: Endpoint, should_stop: Callable[[], bool]) -> bytes:
    body = {"model": endpoint.model, "voice": endpoint.voice, "input": text, "response_format": "wav"}
    return _answer(endpoint, "POST", f"{endpoint.base_url}/audio/speech", should_stop, body=body)


def _dashscope(text: str, endpoint: Endpoint, should_stop: Callable[[], bool]) -> bytes:
    address = f"{endpoint.base_url}/services/aigc/multimodal-generation/generation"
    body = {
        "model": endpoint.model,
        "input": {"text": text, "voice": endpoint.voice, "language_type": "Auto"},
    }
    answer = json.loads(_answer(endpoint, "POST", address, should_stop, body=body))
    try:
        audio = answer["output"]["audio"]
        data, url = audio.get("data"), audio.get("url")
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no audio in the answer") from error
    if isinstance(data, str) and data:
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise ValueError("not base64") from error
    return _answer(endpoint, "GET", _result_address(url, endpoint), should_stop)


def _result_address(url: Any, endpoint: Endpoint) -> str:
    """The address of the sound, over TLS; ValueError if it lies elsewhere than the service keeps sounds."""
    if not isinstance(url, str):
        raise ValueError("no address")
    found, own = urlsplit(url), urlsplit(endpoint.base_url)
    if (found.scheme, found.netloc) == (own.scheme, own.netloc):
        return url
    if not _is_result_host(found):
        raise ValueError("a foreign address")
    return found._replace(scheme="https").geturl()


def _is_result_host(found: SplitResult) -> bool:
    host = found.hostname or ""
    plain = found.scheme in ("http", "https") and found.port in (None, 80, 443) and "@" not in found.netloc
    return plain and host.endswith(_RESULT_HOSTS)


def _answer(
    endpoint: Endpoint, method: str, url: str, should_stop: Callable[[], bool], body: Any = None
) -> bytes:
    """The answer's bytes. The key goes to the service only, and never along a redirect."""
    key = {"Authorization": f"Bearer {endpoint.api_key}"} if body is not None and endpoint.api_key else {}
    until = time.monotonic() + TOTAL_SECONDS
    found = bytearray()
    with httpx.stream(
        method, url, json=body, headers=key, timeout=_TIMEOUT, follow_redirects=False
    ) as response:
        if response.status_code != 200:
            raise EndpointFailed("voice_endpoint_refused", endpoint, status=response.status_code)
        # As they come in: chunks of a size would be waited for, however slowly a service drips.
        for chunk in response.iter_bytes():
            found += chunk
            if should_stop():
                raise Cancelled
            if len(found) > MAX_BYTES:
                raise ValueError("too large")
            if time.monotonic() > until:
                raise TimeoutError
    return bytes(found)


def _wave(data: bytes, speed: float, folder: Path) -> Wave:
    """A sound file's bytes as samples at another speed; MediaError or ValueError if they are no speech."""
    with _in_file(data, folder) as path:
        sound = read_sound(path, seconds=MAX_SECONDS)
    if len(sound) >= MAX_SECONDS * FILM_RATE:
        raise ValueError("too long")
    if speed != 1.0 and len(sound):
        sound = np.concatenate([stereo(frame) for frame in filtered(sound, "atempo", f"{speed:.3f}")])
    wave = _mono(sound)
    if float(np.abs(wave).max(initial=0.0)) < _QUIET or not np.isfinite(wave).all():
        raise ValueError("silence")
    return wave


def _mono(sound: Sound) -> Wave:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    frames = [*resampler.resample(framed(sound)), *resampler.resample(None)] if len(sound) else []
    parts = [np.asarray(frame.to_ndarray(), np.float32).reshape(-1) for frame in frames]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


@contextmanager
def _in_file(data: bytes, folder: Path) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f".{secrets.token_hex(8)}.part"
    try:
        path.write_bytes(data)
        yield path
    finally:
        path.unlink(missing_ok=True)
