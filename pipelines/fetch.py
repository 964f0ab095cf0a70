"""Downloads from the hub: each file goes on at the byte where it stopped, and is compared before it counts.

huggingface_hub asks, signs and follows; the bytes are written here, because its own download begins a file
anew after a kill, and a shard is gigabytes. Its faster transfer (Xet) can't go on within a file either.
"""

import contextlib
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from huggingface_hub import HfApi, get_hf_file_metadata, get_session, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RevisionNotFoundError,
)
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

from pipelines import intact
from pipelines.intact import OnBytes
from pipelines.repos import HubFile, Manifest, Weights, is_commit, is_safe, read_manifest, write_manifest
from pipelines.request import Cancelled, ModelError

AT_ONCE = 4
RETRIES = 6
_HUB = "https://huggingface.co"
_PATIENCE = httpx.Timeout(20, connect=15)
_LONGEST_WAIT = 30.0
# What stays free on the disk beside the download.
_SPARE = 2_000_000_000
_GB = 1e9
_AGAIN = (408, 425, 429, 500, 502, 503, 504)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hub:
    """Where to ask: an address (empty: the hub's own) and a token (empty: none)."""

    endpoint: str = ""
    token: str = field(default="", repr=False)
    first_pause: float = 1.0

    @property
    def host(self) -> str:
        """The host's name, for sentences."""
        return urlsplit(self.endpoint or _HUB).hostname or "?"

    @property
    def base(self) -> str | None:
        """The address as huggingface_hub takes it."""
        return self.endpoint.rstrip("/") or None

    @property
    def proof(self) -> str | bool:
        """The token as huggingface_hub takes it; never one that lies in somebody's home folder."""
        return self.token or False


def ask(weights: Weights, hub: Hub, revision: str | None) -> Manifest:
    """What the download of a commit consists of (None: of the newest); ModelError as `failure` words it."""
    try:
        facts = HfApi(endpoint=hub.base, token=hub.proof).model_info(
            weights.repo, revision=revision, files_metadata=True, timeout=20
        )
        if not is_commit(facts.sha) or (revision is not None and facts.sha != revision):
            raise ModelError("download_gone", model=weights.title, repo=weights.repo, host=hub.host)
        listed = facts.siblings or []
        hostile = next((one.rfilename for one in listed if not is_safe(one.rfilename)), None)
        if hostile is not None:
            shown = str(hostile)[:60]
            raise ModelError("download_names", model=weights.title, repo=weights.repo, file=shown)
        files = tuple(
            _told(weights, hub, str(facts.sha), one) for one in listed if weights.needs(one.rfilename)
        )
    except (HfHubHTTPError, httpx.HTTPError, OfflineModeIsEnabled, OSError) as error:
        raise failure(error, weights, hub) from error
    names = {file.source or file.name for file in files}
    lacks = next((name for name in weights.files if "*" not in name and name not in names), None)
    if lacks is not None:
        raise ModelError("download_lacks", model=weights.title, repo=weights.repo, file=lacks)
    return Manifest(weights.repo, str(facts.sha), files)


def fetch(
    weights: Weights,
    hub: Hub,
    manifest: Manifest,
    folder: Path,
    *,
    on_bytes: OnBytes,
    should_stop: Callable[[], bool],
) -> None:
    """Bring a folder to what its manifest says; files that are there under their name count as compared.

    Raises ModelError as `failure` words it, download_damaged, download_no_room; Cancelled once
    `should_stop()`.
    """
    meter = Meter(manifest.size, on_bytes)
    wanted = []
    for file in sorted(manifest.files, key=lambda file: file.size):
        path = _inside(folder, file.name)
        if path.is_file() and path.stat().st_size == file.size:
            meter.add(file.size)
        else:
            wanted.append(file)
    part_sizes = sum(_size(_part(folder / file.name)) for file in wanted)
    room_for(weights, sum(file.size for file in wanted) - part_sizes, folder)
    broken = threading.Event()

    def stop() -> bool:
        return broken.is_set() or should_stop()

    def one(file: HubFile) -> None:
        try:
            _File(weights, hub, manifest.revision, file, folder, meter, stop).fetch()
        except BaseException:
            broken.set()
            raise

    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="fetch") as pool:
        ends = [pool.submit(one, file) for file in wanted]
        try:
            wait(ends)
        except BaseException:
            # Ctrl+C: nobody waits for gigabytes then.
            broken.set()
            raise
    errors = [error for end in ends if (error := end.exception()) is not None]
    if errors:
        # What stopped the others comes first; they were only told to stop.
        raise next((error for error in errors if not isinstance(error, Cancelled)), errors[0])


def room_for(weights: Weights, size: int, folder: Path) -> None:
    """ModelError("download_no_room") if the disk has no room for so many bytes."""
    free = shutil.disk_usage(folder).free
    if size > 0 and size + _SPARE > free:
        needs, has = round((size + _SPARE) / _GB, 1), round(free / _GB, 1)
        raise ModelError(
            "download_no_room", model=weights.title, needs_gb=needs, has_gb=has, path=str(folder.parent)
        )


def failure(error: BaseException, weights: Weights, hub: Hub) -> ModelError:
    """Why it could not be fetched, for a person.

    download_offline, download_forbidden, download_gone, download_unknown, download_busy,
    download_unreachable, download_failed.
    """
    known: dict[str, Any] = {"model": weights.title, "repo": weights.repo, "host": hub.host}
    status = error.response.status_code if isinstance(error, HfHubHTTPError) else 0
    if isinstance(error, OfflineModeIsEnabled):
        return ModelError("download_offline", **known)
    if isinstance(error, GatedRepoError) or status in (401, 403):
        return ModelError("download_forbidden", **known)
    if isinstance(error, RevisionNotFoundError | EntryNotFoundError):
        return ModelError("download_gone", **known)
    if status == 404:
        return ModelError("download_unknown", **known)
    if status in _AGAIN:
        return ModelError("download_busy", status=status, **known)
    if isinstance(error, httpx.TransportError):
        return ModelError("download_unreachable", **known)
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return ModelError("download_failed", reason=reason, **known)


class Meter:
    """Counts bytes of several threads, and tells at most five times a second."""

    def __init__(self, total: int, on_bytes: OnBytes) -> None:
        self.done, self.total = 0, total
        self._on_bytes = on_bytes
        self._told = float("-inf")
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count so many more bytes (fewer, if negative)."""
        with self._lock:
            self.done += count
            now = time.monotonic()
            if now - self._told >= 0.2 or self.done == self.total:
                self._told = now
                self._on_bytes(self.done, self.total)


class _Again(Exception):
    """The server or the line failed in a way that may pass; after `seconds`, if it said so."""

    def __init__(self, error: BaseException, seconds: float | None = None) -> None:
        super().__init__(str(error))
        self.error, self.seconds = error, seconds


class _FromTheStart(Exception):
    """The server does not go on where the file stopped."""


class _File:
    """One file on its way: NAME.part until it is whole and compared."""

    def __init__(
        self,
        weights: Weights,
        hub: Hub,
        revision: str,
        file: HubFile,
        folder: Path,
        meter: Meter,
        should_stop: Callable[[], bool],
    ) -> None:
        self.weights, self.hub, self.file, self.meter = weights, hub, file, meter
        self.should_stop = should_stop
        self.path = _inside(folder, file.name)
        self.part = _part(self.path)
        name = file.source or file.name
        self.url = hf_hub_url(weights.repo, name, revision=revision, endpoint=hub.base)
        self.headers = build_hf_headers(token=hub.proof) | {"Accept-Encoding": "identity"}

    def fetch(self) -> None:
        """Have the file under its name."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):
            if intact.is_right(self.file, self._whole()):
                self.part.replace(self.path)
                return
            log.warning("%s came damaged; once more", self.file.name)
            self.meter.add(-self.file.size)
            self.part.unlink()
        raise ModelError(
            "download_damaged", model=self.weights.title, file=self.file.name, host=self.hub.host
        )

    def _whole(self) -> Any:
        """The hash of the part, once it has all its bytes."""
        digest, done = self._begun()
        failures, pause = 0, self.hub.first_pause
        with self.part.open("ab", buffering=0) as out:
            while done < self.file.size:
                before = done
                try:
                    for chunk in self._bytes(done):
                        if done + len(chunk) > self.file.size:
                            raise _FromTheStart
                        out.write(chunk)
                        digest.update(chunk)
                        done += len(chunk)
                        self.meter.add(len(chunk))
                    if done == before:
                        raise _Again(httpx.RemoteProtocolError("an empty answer"))
                    if done < self.file.size:
                        raise _Again(httpx.RemoteProtocolError("a short answer"))
                except _FromTheStart:
                    self.meter.add(-done)
                    out.truncate(0)
                    digest, done = intact.hasher(self.file), 0
                    failures += 1
                    if failures > RETRIES:
                        raise self._failed(httpx.RemoteProtocolError("not the promised bytes")) from None
                except _Again as again:
                    failures = 1 if done > before else failures + 1
                    if failures > RETRIES:
                        raise self._failed(again.error) from again.error
                    pause = self.hub.first_pause if done > before else min(_LONGEST_WAIT, pause * 2)
                    self._rest(pause if again.seconds is None else min(again.seconds, 4 * _LONGEST_WAIT))
        return digest

    def _begun(self) -> tuple[Any, int]:
        """The hash and count of what an earlier try left."""
        digest, done = intact.hasher(self.file), 0
        if self.part.is_symlink() or _size(self.part) > self.file.size:
            self.part.unlink()
        if self.part.is_file():
            for chunk in intact.chunks(self.part, self.should_stop):
                digest.update(chunk)
                done += len(chunk)
        self.meter.add(done)
        return digest, done

    def _bytes(self, start: int) -> Iterator[bytes]:
        """The file's bytes from `start` on, as they come."""
        headers = self.headers | ({"Range": f"bytes={start}-"} if start else {})
        try:
            with get_session().stream("GET", self.url, headers=headers, timeout=_PATIENCE) as answer:
                if answer.status_code in _AGAIN:
                    raise _Again(_error_of(answer), _seconds(answer.headers.get("Retry-After")))
                begins = (
                    answer.headers.get("Content-Range", "").replace("=", " ").startswith(f"bytes {start}-")
                )
                if start and (answer.status_code in (200, 416) or not (answer.is_error or begins)):
                    raise _FromTheStart
                hf_raise_for_status(answer)
                for chunk in answer.iter_bytes():
                    if self.should_stop():
                        raise Cancelled
                    yield chunk
        except httpx.TransportError as error:
            raise _Again(error) from error
        except (HfHubHTTPError, httpx.HTTPError, OfflineModeIsEnabled) as error:
            raise self._failed(error) from error

    def _rest(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.should_stop():
                raise Cancelled
            time.sleep(min(0.1, seconds))

    def _failed(self, error: BaseException) -> ModelError:
        return failure(error, self.weights, self.hub)


def _told(weights: Weights, hub: Hub, revision: str, one: Any) -> HubFile:
    """One file of a listing; where a mirror tells too little, the file itself is asked for its facts."""
    sha256 = one.lfs.sha256 if one.lfs is not None else ""
    size = one.lfs.size if one.lfs is not None else one.size
    name = weights.local(one.rfilename)
    source = "" if name == one.rfilename else one.rfilename
    if size is not None and (sha256 or one.blob_id):
        return HubFile(name, size, sha256, "" if sha256 else one.blob_id, source)
    url = hf_hub_url(weights.repo, one.rfilename, revision=revision, endpoint=hub.base)
    facts = get_hf_file_metadata(url, token=hub.proof, endpoint=hub.base, timeout=20)
    etag = facts.etag or ""
    if facts.size is None or len(etag) not in (40, 64):
        raise ModelError("download_lacks", model=weights.title, repo=weights.repo, file=one.rfilename)
    return HubFile(name, facts.size, *((etag, "") if len(etag) == 64 else ("", etag)), source)


def _inside(folder: Path, name: str) -> Path:
    """The path of a file in the folder; never through a link that leads out of it."""
    path = folder / name
    if not is_safe(name) or not path.parent.resolve().is_relative_to(folder.resolve()) or path.is_symlink():
        raise ModelError("download_names", model=folder.name, repo=folder.name, file=name[:60])
    return path


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdecimal() else None


def _error_of(answer: httpx.Response) -> BaseException:
    try:
        answer.read()
        hf_raise_for_status(answer)
    except (HfHubHTTPError, httpx.HTTPError) as error:
        return error
    return httpx.RemoteProtocolError(str(answer.status_code))


def known(folder: Path, weights: Weights, revision: str | None) -> Manifest | None:
    """What an earlier try wrote down, if it is about this repository and commit."""
    found = read_manifest(folder)
    fits = found is not None and found.repo == weights.repo and revision in (None, found.revision)
    return found if fits else None


def begin(weights: Weights, hub: Hub, folder: Path, revision: str | None) -> Manifest:
    """The manifest of a download in this folder, asked for and written down if it is not there yet."""
    manifest = known(folder, weights, revision)
    if manifest is None:
        manifest = ask(weights, hub, revision)
        write_manifest(folder, manifest)
    return manifest
