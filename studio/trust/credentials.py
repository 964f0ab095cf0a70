"""Content credentials (C2PA): a signed note in a file on what made it, when and from what; and reading them.

MP4 and GIF carry them inside; WebM has no place for them, so they lie beside it (`sidecar_of`). A file of
others is untrusted: it is hashed and parsed, nothing that it points to is fetched.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import av
import c2pa

from pipelines.request import Notice
from studio.media.ffmpeg import MediaError, no_room
from studio.trust.aigc import Aigc
from studio.trust.certificate import Certificate, CertificateError, Known, SealError
from studio.trust.formats import MIMES, Format, format_of
from studio.trust.manifests import Credentials as Credentials
from studio.trust.manifests import Export as Export
from studio.trust.manifests import Ingredient as Ingredient
from studio.trust.manifests import IngredientFound as IngredientFound
from studio.trust.manifests import ingredient_of, manifest_of, told
from studio.trust.tail import cut_tail, has_tail, put_tail, tail_fits

SIDECAR = ".c2pa"
"""The ending of a file that holds another file's credentials: film.webm.c2pa."""

# Those that can have a box behind everything else; of a WebM it is the sidecar that has it.
_TAILED: tuple[Format, ...] = ("mp4", "webm")
_MAX_SIDECAR = 16 * 1024 * 1024
_MAX_JSON = 32 * 1024 * 1024
# The library keeps a copy of what it signs; a bigger one goes to the disk.
_IN_MEMORY_MB = 16
_CHUNK = 1 << 20
# How the boxes begin that hold credentials.
_MARKS: dict[Format, bytes] = {
    "mp4": b"uuid\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81",
    "gif": b"C2PA_GIF",
}


# One white dot, and its label.
_DOT = bytes.fromhex("47494638396101000100800000ffffff00000021f90400000000002c00000000010001000002024401003b")
_TRIAL = Aigc(
    ContentProducer="trial", ProduceID="trial", ReservedCode1="", ContentPropagator="", PropagateID=""
)


def sidecar_of(path: Path) -> Path:
    """Where the credentials of a file lie whose format has no place for them."""
    return path.with_name(path.name + SIDECAR)


def sign(source: Path, target: Path, certificate: Certificate, export: Export, aigc: Aigc) -> None:
    """Write the signed file of `source` (MP4, GIF or WebM) to `target`; of WebM also `sidecar_of(target)`.

    Raises SealError "seal_failed" or "seal_timestamp", CertificateError, MediaError "disk_full",
    "file_empty", "file_too_big" or "not_a_video". What it wrote so far is the caller's to remove.
    """
    if certificate.ends <= datetime.now(UTC):
        raise CertificateError("certificate_expired", path="C2PA_CERT", date=f"{certificate.ends:%Y-%m-%d}")
    parents = sum(one.relation == "parentOf" for one in export.parents)
    if parents != (export.kind not in ("clip", "film")):
        raise ValueError("a film in another format has one parent, everything else none")
    kind = format_of(source)
    ingredients = [_readable(one) for one in export.parents]
    with source.open("rb") as reading, _Watched(target) as writing:
        try:
            definition = manifest_of(export, aigc, ingredients, tail=kind in _TAILED)
            builder = c2pa.Builder(definition, _context(certificate.tsa_url))
            with builder:
                for number, one in enumerate(ingredients):
                    _add(builder, number, one)
                if kind == "webm":
                    builder.set_no_embed()
                found = builder.sign(_signer(certificate), MIMES[kind], reading, writing)
            if kind == "mp4":
                put_tail(writing)
            writing.flush()
        except (c2pa.C2paError, OSError) as error:
            raise _why(error, writing.failed, certificate) from error
    if kind == "webm":
        with sidecar_of(target).open("w+b") as beside:
            beside.write(found)
            put_tail(beside)


def trial(certificate: Certificate) -> Notice | None:
    """Why nothing can be signed with this certificate, if so; told by signing a dot, without a time stamp."""
    export = Export("trial", "clip", "trial", "", "", "", datetime.now(UTC), 0)
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "trial.gif"), Path(folder, "signed.gif")
        source.write_bytes(_DOT)
        try:
            sign(source, target, replace(certificate, tsa_url=""), export, _TRIAL)
        except SealError as error:
            return error.notice
    return None


def read(path: Path, sidecar: Path | None = None, *, known: Known | None = None) -> Credentials:
    """What the credentials of a file say; any file may be given, no error is raised but OSError.

    `sidecar` holds them for a WebM (without it, `sidecar_of(path)` if that is there). `known` are the
    studio's own certificates: without them nothing is "ours".
    """
    try:
        kind = format_of(path)
    except MediaError as error:
        return Credentials("unreadable", notice=error.notice)
    manifest = None
    if kind == "webm" or sidecar is not None:
        beside = sidecar or sidecar_of(path)
        if not beside.exists():
            return Credentials("absent")
        with beside.open("rb") as file:
            manifest = file.read(_MAX_SIDECAR + 1)
        if not 0 < len(manifest) <= _MAX_SIDECAR:
            return Credentials("tampered", notice=Notice("credentials_broken"))
    known = known or Known()
    try:
        with (
            path.open("rb") as file,
            c2pa.Reader(
                MIMES[kind], file, manifest and cut_tail(manifest), _context("", known.anchors)
            ) as reader,
        ):
            text = reader.json()
        found = json.loads(text) if len(text) <= _MAX_JSON else None
    except c2pa.C2paError.ManifestNotFound:
        # Other tools that write a file anew drop the tail, too: with it, something was taken out of ours.
        return Credentials("tampered" if has_tail(path) else "absent")
    except (c2pa.C2paError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return _broken(path, kind, beside=manifest is not None)
    credentials = told(found, known)
    if credentials.tail and not tail_fits(BytesIO(manifest) if manifest else path):
        return replace(credentials, state="tampered")
    return credentials


def _broken(path: Path, kind: Format, *, beside: bool) -> Credentials:
    """Of a file whose credentials can't be read: changed if there are any, else no video or none at all."""
    if beside or _holds(path, _MARKS[kind]):
        return Credentials("tampered", notice=Notice("credentials_broken"))
    try:
        with av.open(f"file:{path.absolute()}", format=kind, metadata_errors="replace"):
            return Credentials("absent")
    except (av.FFmpegError, ValueError):
        return Credentials("unreadable", notice=Notice("not_a_video"))


def _holds(path: Path, mark: bytes) -> bool:
    with path.open("rb") as file:
        rest = b""
        while chunk := file.read(_CHUNK):
            if mark in rest + chunk:
                return True
            rest = chunk[-len(mark) :]
    return False


def _readable(one: Ingredient) -> Ingredient:
    """What a person uploaded brings its file along only if that is sound: nobody here vouches for it."""
    if one.origin == "person" and one.path is not None:
        sound = read(one.path).state in ("valid", "valid_untrusted", "expired")
        return one if sound else replace(one, path=None)
    return one


def _add(builder: Any, number: int, one: Ingredient) -> None:
    """Put an ingredient's file to the manifest; the others are in its definition."""
    if one.path is None:
        return
    with one.path.open("rb") as file:
        builder.add_ingredient(ingredient_of(number, one), MIMES[format_of(one.path)], file)


def _signer(certificate: Certificate) -> Any:
    return c2pa.Signer.from_info(
        c2pa.C2paSignerInfo(
            alg=certificate.alg.encode(),
            sign_cert=certificate.chain_pem.encode(),
            private_key=certificate.key_pem.encode(),
            ta_url=certificate.tsa_url.encode() or None,
        )
    )


def _context(tsa_url: str, anchors: str = "") -> Any:
    """Rules for one reading or signing: whom to believe, and that nothing but a time stamp is asked for."""
    hosts = [urlsplit(tsa_url).hostname] if tsa_url else []
    rules: dict[str, Any] = {
        "version": 1,
        "core": {
            "allowed_network_hosts": hosts,
            "allow_redirects": False,
            "backing_store_memory_threshold_in_mb": _IN_MEMORY_MB,
        },
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "builder": {"thumbnail": {"enabled": False}},
    }
    if anchors:
        rules["trust"] = {"user_anchors": anchors}
    return c2pa.Context(c2pa.Settings.from_dict(rules))


def _why(error: Exception, failed: OSError | None, certificate: Certificate) -> Exception:
    """What a person is told about a signature that did not come about."""
    trouble = failed or (error if isinstance(error, OSError) else None)
    if trouble is not None and no_room(trouble):
        return MediaError("disk_full")
    said = str(error).lower()
    if certificate.tsa_url and ("http" in said or "time" in said):
        return SealError("seal_timestamp", host=urlsplit(certificate.tsa_url).hostname or "")
    if any(word in said for word in ("credential", "certificate", "cose")):
        return CertificateError("certificate_unfit", path="C2PA_CERT")
    return SealError("seal_failed")


class _Watched:
    """A file being written that remembers why it could not be: the signing library forgets."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self.failed: OSError | None = None

    def __enter__(self) -> "_Watched":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def write(self, data: bytes) -> int:
        try:
            return self._file.write(data)
        except OSError as error:
            self.failed = error
            raise

    def flush(self) -> None:
        try:
            self._file.flush()
        except OSError as error:
            self.failed = error
            raise
