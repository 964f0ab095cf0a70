"""Where a video comes from: what it says itself, what its pictures hold, and which of our exports it is.

The file is anybody's. What it says is told apart from what is proven: a signature and a fingerprint are, a
number in the metadata can be copied, and a look may be shared by many.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from studio.db import reading
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.settings import Settings
from studio.trust import exports, likeness, mark
from studio.trust.aigc import Aigc, is_ours, read_aigc
from studio.trust.carriers import key_from
from studio.trust.certificate import known_certificates
from studio.trust.credentials import Credentials, read
from studio.trust.exports import Registered
from studio.trust.formats import MAX_FILE_BYTES
from studio.trust.likeness import Near
from studio.trust.sampling import sample_file
from studio.trust.visible import Seen, find_label, usual_styles

Answer = Literal["certain", "candidates", "none"]
Witness = Literal["file", "credentials", "fingerprint", "metadata", "look"]
"""What speaks for an export: the very file, a signature, the invisible mark, its number, its look."""

# Rows of several hosts may come a little out of order.
_OVERLAP = timedelta(minutes=15)
_AT_ONCE = 500
_STYLES = 12


@dataclass(frozen=True)
class MetadataFound:
    """The metadata label: "ours" by its code, "copied" from another file of ours, of "others", "broken"."""

    state: Literal["ours", "copied", "others", "broken", "absent"]
    aigc: Aigc | None = None


@dataclass(frozen=True)
class FingerprintFound:
    """The invisible mark: "known" with the fit of its codeword 0..1; "unknown", "absent".

    Unknown: it seems to be one of this studio, and names no file that is known here.
    """

    state: Literal["known", "unknown", "absent"]
    fit: float = 0.0


@dataclass(frozen=True)
class Named:
    """An export that the video is, or may be. Its `hashes` are left out.

    `kept`: whether the clip or film is still in the library. `distance` is that of the looks, 0 the same.
    """

    export: Registered
    by: tuple[Witness, ...]
    kept: bool
    distance: float | None = None


@dataclass(frozen=True)
class Traced:
    """What is found out about a video. `named` has one for "certain", a few for "candidates", the best first.

    `label` is the visible one, None if none was found.
    """

    answer: Answer
    named: tuple[Named, ...]
    label: Seen | None
    metadata: MetadataFound
    credentials: Credentials
    fingerprint: FingerprintFound
    sha256: str


@dataclass(frozen=True)
class _Clues:
    """What each witness says, as far as it says anything."""

    file: Registered | None
    signed: Registered | None
    read: Sequence[Registered]
    numbered: Registered | None
    look: likeness.Answer
    # Something in it speaks of another maker: valid credentials or a number of others, or a mark nobody has.
    others: bool


class Tracer:
    """Traces videos; holds codewords and looks of the whole register in memory. For several threads."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._register = _Register(settings)

    def trace(self, path: Path) -> Traced:
        """What there is to be told about any file; MediaError "file_empty", "file_too_big" or "not_a_video".

        Takes seconds at most, in which nothing of the file is fetched from elsewhere.
        """
        size = path.stat().st_size
        if size == 0:
            raise MediaError("file_empty")
        if size > MAX_FILE_BYTES:
            raise MediaError("file_too_big", high=MAX_FILE_BYTES // 1_000_000)
        key = self._settings.sealing_key()
        pictures = sample_file(path)
        bits = mark.read_samples(pictures, key_from(key))
        hashes = likeness.hashes_of_samples(pictures)
        credentials = read(path, known=known_certificates(self._settings))
        aigc = _aigc(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        with reading(self._engine) as connection:
            found, look, styles = self._register.asked(connection, bits, hashes)
            clues = _Clues(
                file=exports.by_sha256(connection, digest),
                signed=_signed(connection, credentials),
                read=exports.by_codeword(connection, found.codeword) if found else (),
                numbered=_numbered(connection, aigc, key),
                look=look,
                others=_speaks_of_others(credentials, aigc, key) or (bits.marked and found is None),
            )
            answer, named = _concluded(connection, clues)
        label = find_label(path, styles)
        fingerprint = FingerprintFound("unknown" if bits.marked else "absent")
        if found is not None and clues.read:
            fingerprint = FingerprintFound("known", found.score)
        return Traced(
            answer, named, label, _metadata(aigc, key, answer, named), credentials, fingerprint, digest
        )


class _Register:
    """The register in memory, read on from where it was left. About 2 kB an export."""

    def __init__(self, settings: Settings) -> None:
        self._text = settings.label_text
        self._lock = threading.Lock()
        self._seen: set[str] = set()
        self._codewords: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._index = likeness.Index()
        self._styles: Counter[LabelStyle] = Counter()
        self._last: datetime | None = None

    def asked(
        self, connection: Connection, bits: mark.SoftBits, hashes: likeness.Hashes
    ) -> tuple[mark.Match | None, likeness.Answer, list[LabelStyle]]:
        """Whose codeword it is, which clips and films look like it, and which labels were ever drawn."""
        with self._lock:
            self._read_on(connection)
            found = mark.match(bits, self._codewords)
            usual = usual_styles((self._text,))
            drawn = [style for style, _ in self._styles.most_common(_STYLES)]
            return found, self._index.answer(hashes), list(dict.fromkeys((*drawn, *usual)))

    def _read_on(self, connection: Connection) -> None:
        start = None if self._last is None else self._last - _OVERLAP
        after, new = "", []
        while rows := exports.since(connection, start, after, limit=_AT_ONCE):
            start, after = rows[-1].created, rows[-1].id
            for row in rows:
                if row.id not in self._seen:
                    self._seen.add(row.id)
                    new.append(row.codeword)
                    self._add(row)
            self._last = start if self._last is None else max(self._last, start)
            if len(rows) < _AT_ONCE:
                break
        if new:
            self._codewords = np.unique(np.append(self._codewords, np.array(new, np.uint64)))

    def _add(self, row: Registered) -> None:
        # Other formats of a film look as it does: it is named once.
        if row.kind in ("clip", "film"):
            try:
                self._index.add(row.asset_id, likeness.from_bytes(row.hashes))
                self._styles[LabelStyle(**row.label)] += 1  # type: ignore[arg-type]  # as it was kept
            except (ValueError, TypeError, MediaError):
                # Of a newer studio: its fingerprint still names it.
                pass


def _aigc(path: Path) -> Aigc | Literal["broken"] | None:
    try:
        return read_aigc(path)
    except MediaError:
        # A video all the same, of a format that has no place for it.
        return None


def _signed(connection: Connection, credentials: Credentials) -> Registered | None:
    """The export that the credentials name, if this studio signed just this file."""
    proven = credentials.ours and credentials.unchanged
    return exports.by_id(connection, credentials.export_id) if proven else None


def _speaks_of_others(credentials: Credentials, aigc: Aigc | Literal["broken"] | None, key: bytes) -> bool:
    signed = credentials.unchanged and not credentials.ours
    return signed or (isinstance(aigc, Aigc) and not is_ours(aigc, key))


def _numbered(connection: Connection, aigc: Aigc | Literal["broken"] | None, key: bytes) -> Registered | None:
    if aigc is None or aigc == "broken" or not is_ours(aigc, key):
        return None
    return exports.by_id(connection, aigc.ProduceID)


def _concluded(connection: Connection, clues: _Clues) -> tuple[Answer, tuple[Named, ...]]:
    """Which export it is. One alone is named only if what speaks for it can't be of another file."""
    near = {one.asset: one for one in clues.look.near}
    sure = _sure(connection, clues)
    if sure is not None:
        return "certain", _named(connection, [sure], clues, near)
    rows = [row for one in clues.look.near if (row := exports.whole_of(connection, one.asset)) is not None]
    if clues.numbered is not None and clues.numbered.asset_id not in near:
        # Its pictures are not those of that file as far as can be seen, or all else is gone from it.
        rows.append(clues.numbered)
    return ("candidates" if rows else "none"), _named(connection, rows, clues, near)


def _sure(connection: Connection, clues: _Clues) -> Registered | None:
    """The one export that it is for certain."""
    if clues.file or clues.signed:
        return clues.file or clues.signed
    numbered = clues.numbered
    if clues.read:
        # A film and its other formats share a codeword; the number tells which of them it is.
        same = [row for row in clues.read if numbered is not None and row.id == numbered.id]
        return (same or list(clues.read))[0]
    near = [one.asset for one in clues.look.near]
    if numbered is not None and numbered.asset_id in near:
        return numbered
    # Two studios draw the same picture from the same words and seed: looks alone must not be contradicted.
    if clues.look.kind == "certain" and numbered is None and not clues.others:
        return exports.whole_of(connection, near[0])
    return None


def _named(
    connection: Connection, rows: Sequence[Registered], clues: _Clues, near: dict[str, Near]
) -> tuple[Named, ...]:
    kept = exports.kept(connection, [row.asset_id for row in rows])
    told: list[tuple[Witness, set[str]]] = [
        ("file", {clues.file.asset_id} if clues.file else set()),
        ("credentials", {clues.signed.asset_id} if clues.signed else set()),
        ("fingerprint", {row.asset_id for row in clues.read}),
        ("metadata", {clues.numbered.asset_id} if clues.numbered else set()),
        ("look", set(near)),
    ]
    return tuple(
        Named(
            export=replace(row, hashes=b""),
            by=tuple(witness for witness, assets in told if row.asset_id in assets),
            kept=row.asset_id in kept,
            distance=near[row.asset_id].distance if row.asset_id in near else None,
        )
        for row in rows
    )


def _metadata(
    aigc: Aigc | Literal["broken"] | None, key: bytes, answer: Answer, named: Sequence[Named]
) -> MetadataFound:
    if aigc is None:
        return MetadataFound("absent")
    if aigc == "broken":
        return MetadataFound("broken")
    if not is_ours(aigc, key):
        return MetadataFound("others", aigc)
    copied = answer == "certain" and "metadata" not in named[0].by
    return MetadataFound("copied" if copied else "ours", aigc)
