"""The seal: the one way a finished file becomes publishable. It signs last, then reads everything back.

Whoever publishes asks for a `Sealed`, and only `seal` makes one: a file without label, credentials or with a
changed byte has none.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import InitVar, asdict, dataclass
from pathlib import Path

from studio.media.ffmpeg import MediaError
from studio.media.whole import publish, unfinished
from studio.trust.aigc import Aigc, aigc_of, carried
from studio.trust.certificate import Certificate, Known
from studio.trust.certificate import SealError as SealError
from studio.trust.credentials import read, sidecar_of, sign
from studio.trust.formats import Format, format_of
from studio.trust.manifests import Credentials, Export, State

_ONLY_HERE = object()
# What each format can carry; the WebM's credentials lie beside it.
_CARRIES: dict[Format, frozenset[str]] = {
    "mp4": frozenset(("key", "comment", "credentials")),
    "webm": frozenset(("key", "comment", "sidecar")),
    "gif": frozenset(("comment", "credentials")),
}


@dataclass(frozen=True)
class Sealed:
    """A file that may be published. Made by `seal` alone.

    `carries` tells where its label and credentials are: "key" and "comment" hold the AIGC JSON, "credentials"
    are inside the file, "sidecar" lies beside it (`path` with .c2pa). `sha256` and `bytes` are of the file.
    """

    path: Path
    export_id: str
    codeword: int
    aigc: Aigc
    sha256: str
    bytes: int
    manifest_state: State
    carries: frozenset[str]
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _ONLY_HERE:
            raise TypeError("only studio.trust.seal.seal makes a Sealed")


def seal(
    path: Path,
    *,
    export: Export,
    certificate: Certificate,
    known: Known,
    producer: str,
    key: bytes,
    target: Path | None = None,
) -> Sealed:
    """Sign the finished file at `path`, check all that it carries, and give it its name: `target`, or `path`.

    `key` and `producer` are those its AIGC label was made with (`aigc_of`); `known` are the studio's own
    certificates (`known_certificates`). The file must already carry the label wherever its format can.
    `target` is whole and sealed or not there, and so is a WebM's sidecar: without a `target` an unsealed
    `path` is removed on any error, with one it stays as it is.

    Raises SealError (its `notice` says why), MediaError "disk_full", "file_empty", "file_too_big" or
    "not_a_video"; ValueError if what the export says does not fit.
    """
    aigc = aigc_of(export.id, producer=producer, key=key)
    final = path if target is None else target
    with ExitStack() as stack:
        at_risk = stack.enter_context(_gone_unless_sealed(path, target))
        kind = format_of(path)
        _check_label(path, kind, aigc)
        part = stack.enter_context(unfinished(final))
        beside = sidecar_of(part)
        stack.callback(beside.unlink, missing_ok=True)
        sign(path, part, certificate, export, aigc)
        state = _checked(part, kind, aigc, known)
        if kind == "webm":
            publish(beside, sidecar_of(final))
        size, digest = publish(part, final)
        at_risk.clear()
    return Sealed(
        path=final,
        export_id=export.id,
        codeword=export.codeword,
        aigc=aigc,
        sha256=digest,
        bytes=size,
        manifest_state=state,
        carries=_CARRIES[kind],
        made_by=_ONLY_HERE,
    )


@contextmanager
def _gone_unless_sealed(path: Path, target: Path | None) -> Iterator[list[Path]]:
    """The files that must not stay if the seal does not come about: somebody would publish them."""
    at_risk = [path] if target is None else []
    beside = sidecar_of(target or path)
    at_risk += [] if beside.exists() else [beside]
    try:
        yield at_risk
    finally:
        for path in at_risk:
            path.unlink(missing_ok=True)


def _check_label(path: Path, kind: Format, aigc: Aigc) -> None:
    """Whether the file carries this export's label in each place that its format has."""
    found = carried(path)
    for place, label in (("key", found.key), ("comment", found.comment)):
        if place in _CARRIES[kind] and label != aigc:
            raise SealError("seal_label", place=place)


def _checked(part: Path, kind: Format, aigc: Aigc, known: Known) -> State:
    """Read the signed file back as anybody would; SealError if one thing is not as it was meant."""
    try:
        _check_label(part, kind, aigc)
        found = read(part, known=known)
    except MediaError as error:
        raise SealError("seal_failed") from error
    if found.state not in ("valid", "valid_untrusted") or not found.ours:
        raise SealError("seal_unsure", state=found.state)
    if found.export_id != aigc.ProduceID or found.aigc != asdict(aigc):
        raise SealError("seal_unsure", state="other")
    _check_parts(found)
    return found.state


def _check_parts(found: Credentials) -> None:
    """What was made here must not have been changed since: signing would vouch for the change."""
    for one in found.ingredients:
        # What a person brought comes along only if it is sound, so this is a part of ours.
        if one.state == "tampered":
            raise SealError("seal_part_changed", name=one.title)
