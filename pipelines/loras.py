"""LoRAs on this machine: home/loras/NAME with lora.json, high.safetensors and, for a pair, low.safetensors.

Those of the hub are fetched by `pipelines.fetch`, as all weights are. No torch: the page lists them. A file
is never trusted: safetensors only, and its header is read for what it is and which model it fits.
"""

import hashlib
import json
import math
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from pipelines.models import MODELS, ModelSpec
from pipelines.request import GenerationRequest, LoraUse, ModelError
from pipelines.tiers import pair_files

MAX_BYTES = 4 * 2**30
_MAX_TENSORS = 20_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# What diffusers' converter for Wan knows; keys with another beginning it would leave out in silence.
_BEGINNINGS = ("diffusion_model.", "lora_unet_", "transformer.")
_KINDS = ("F16", "BF16", "F32")
# The first matrix of a projection from the model's width: its shape is (rank, width).
_FIRST = re.compile(
    r"blocks[._](\d+)[._](?:self_attn|cross_attn|attn1|attn2)[._](?:to_)?[qkv]\.(?:lora_A|lora_down)\.(?:default\.)?weight$"
)
# The two matrices of a low-rank change: neither is anything without the other.
_MATRIX = re.compile(r"\.lora_(A|B|down|up)\.(?=(?:default\.)?weight$)")
_PARTNER = {"A": "B", "B": "A", "down": "up", "up": "down"}
# A pickle by its first bytes: on its own, or in the zip that torch.save writes.
_PICKLE = re.compile(rb"PK\x03\x04|\x80[\x01-\x05]")
_FACTS = "lora.json"
_CHUNK = 2**22


@dataclass(frozen=True)
class Header:
    """What a file's header tells: it is for a transformer `hidden` wide with at least `layers` blocks.

    `numbers`: how many it holds, whatever they are kept in.
    """

    hidden: int
    layers: int
    rank: int
    numbers: int


_FIELDS = tuple(field.name for field in fields(Header))


@dataclass(frozen=True)
class Lora:
    """A LoRA that is here. `low` is None where one file serves both experts, or the only one.

    `revision` is 12 hex digits over the files' content, `source` where it came from ("repo@commit"; empty for
    a file), `size` bytes of both files. `half` is "high" or "low" where the only file was made for that one
    of two experts and the other's is missing; empty otherwise.
    """

    name: str
    high: Path
    low: Path | None
    header: Header
    revision: str
    source: str
    size: int
    half: str = ""

    def fits(self, spec: ModelSpec) -> bool:
        """Whether it was made for a model of this shape."""
        return _fits(self.header, spec)


def listed(home: Path) -> list[Lora]:
    """The LoRAs of this machine by name; folders that hold none are left out."""
    root = home / "loras"
    names = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
    return [found for name in names if (found := find(home, name)) is not None]


def find(home: Path, name: str) -> Lora | None:
    """One LoRA; None if there is none of this name, or its files are none.

    What was put into the folder by hand is looked through once, and again when a file is another one.
    """
    if not _NAME.fullmatch(name):
        return None
    folder = home / "loras" / name
    files = _files(folder)
    if not files:
        return None
    try:
        facts = _read_facts(folder)
        marks = [_mark(path) for path in files]
        if facts.get("marks") != marks or not set(_FIELDS) <= set(facts.get("header", ())):
            kept = {"marks": marks, "half": str(facts.get("half", ""))}
            facts = _facts(files, source=str(facts.get("source", ""))) | kept
            _write_facts(folder, facts)
        header = Header(**{field: int(facts["header"][field]) for field in _FIELDS})
        half = str(facts.get("half", ""))
        return Lora(
            name=name,
            high=files[0],
            low=files[1] if len(files) > 1 else None,
            header=header,
            revision=str(facts["revision"])[:12],
            source=str(facts.get("source", ""))[:200],
            size=sum(path.stat().st_size for path in files),
            half=half if half in ("high", "low") and len(files) == 1 else "",
        )
    except (ModelError, OSError, KeyError, TypeError, ValueError):
        return None


def add(
    home: Path,
    name: str,
    high: Path,
    low: Path | None = None,
    *,
    source: str = "",
    half: str = "",
    models: Mapping[str, ModelSpec] = MODELS,
    keep: Callable[[Path, Path], object] = shutil.copyfile,
) -> Lora:
    """Copy a LoRA's files to this home (`keep`: or move them); whole, or not at all.

    `half`: which expert ("high", "low") a single file says it is for; forgotten where a model has but one.
    Raises ModelError: lora_name, lora_there, lora_file (no safetensors, broken, too large), lora_pickle,
    lora_keys (no LoRA of a Wan), lora_half (a matrix without its partner), lora_pair (two files for different
    models), lora_fits_none.
    """
    target = _free_place(home, name)
    files = [high] if low is None else [high, low]
    headers = [read_header(path) for path in files]
    _suits_one(headers, name, models)
    one_of_two = any(spec.two_experts and _fits(headers[0], spec) for spec in models.values())
    known = {"source": source, "half": half if low is None and one_of_two else ""}
    partial = target.with_name(f".{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        for path, kind in zip(files, ("high", "low"), strict=False):
            keep(path, partial / f"{kind}.safetensors")
        return _named(home, name, partial, known)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def delete(home: Path, name: str) -> None:
    """Delete a LoRA's folder; nothing happens if there is none."""
    if not _NAME.fullmatch(name):
        raise ModelError("lora_name", name=name[:64])
    folder = home / "loras" / name
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def read_header(path: Path) -> Header:
    """What a file is by its header alone; ModelError: lora_file, lora_pickle, lora_keys, lora_half."""
    try:
        size = path.stat().st_size
        if not 0 < size <= MAX_BYTES:
            raise ModelError("lora_file", file=path.name[:80], high=MAX_BYTES // 2**30)
        with safe_open(path, framework="numpy") as file:
            shapes, kinds = {}, set()
            for key in file.keys():  # noqa: SIM118 - it is no mapping
                part = file.get_slice(key)
                shapes[key] = tuple(part.get_shape())
                kinds.add(part.get_dtype())
    except (SafetensorError, OSError, ValueError) as error:
        if _is_pickle(path):
            raise ModelError("lora_pickle", file=path.name[:80]) from error
        raise ModelError("lora_file", file=path.name[:80], high=MAX_BYTES // 2**30) from error
    known = [key for key in shapes if key.startswith(_BEGINNINGS)]
    found = [(match, shapes[key]) for key in known if (match := _FIRST.search(key))]
    widths = {shape[1] for _, shape in found if len(shape) == 2}
    if len(shapes) > _MAX_TENSORS or not kinds <= {*_KINDS} or len(known) != len(shapes) or len(widths) != 1:
        raise ModelError("lora_keys", file=path.name[:80])
    if (alone := _alone(shapes)) is not None:
        raise ModelError("lora_half", file=path.name[:80], tensor=alone[:120])
    layers = 1 + max(int(match[1]) for match, _ in found)
    numbers = sum(math.prod(shape) for shape in shapes.values())
    return Header(widths.pop(), layers, rank=max(shape[0] for _, shape in found), numbers=numbers)


def fitting(header: Header, models: Mapping[str, ModelSpec] = MODELS) -> tuple[str, ...]:
    """The titles of the models that a LoRA fits."""
    return tuple(spec.title for spec in models.values() if _fits(header, spec))


# -- what a request uses -----------------------------------------------------------------------------------


def read_uses(text: Any) -> tuple[LoraUse, ...]:
    """LoRAs as a form writes them: "film-grain:0.8, slow-pan:1/0.5" (strength, or high/low; 1 if left out).

    Raises ModelError("lora_text") for anything else.
    """
    uses = []
    for part in re.split(r"[,，、;；]", str(text)):
        name, _, strengths = part.replace("：", ":").strip().partition(":")
        if not part.strip():
            continue
        high, _, low = strengths.partition("/")
        try:
            first = float(high) if high.strip() else 1.0
            second = float(low) if low.strip() else first
            uses.append(LoraUse(name=name.strip(), high=first, low=second))
        except ValueError as error:
            raise ModelError("lora_text", field="loras", value=part.strip()[:80]) from error
    return tuple(uses)


def write_uses(uses: Sequence[LoraUse]) -> str:
    """The text that `read_uses` reads the same from."""
    parts = []
    for use in uses:
        low = "" if use.low is None or use.low == use.high else f"/{use.low:g}"
        parts.append(use.name if not low and use.high == 1 else f"{use.name}:{use.high:g}{low}")
    return ", ".join(parts)


def resolved(home: Path, uses: Sequence[LoraUse], spec: ModelSpec) -> tuple[LoraUse, ...]:
    """The same with the revisions that are here now, one strength where the model has one expert.

    Raises ModelError: lora_unknown, lora_misfit.
    """
    found = []
    for use in uses:
        lora = find(home, use.name)
        if lora is None:
            here = ", ".join(one.name for one in listed(home) if one.fits(spec))
            code = "lora_unknown" if here else "lora_none_here"
            raise ModelError(code, field="loras", name=use.name, allowed=here, model=spec.title)
        if not lora.fits(spec):
            raise misfit(lora.name, spec, fitting(lora.header))
        low = use.low if spec.two_experts else None
        found.append(use.model_copy(update={"revision": lora.revision, "low": low}))
    return tuple(found)


def with_pair(home: Path, request: GenerationRequest) -> GenerationRequest:
    """A request of the tier "fast" with what tells the files of its distilled pair; any other as it is."""
    pair = request.spec.distilled if request.tier == "fast" else None
    found = None if pair is None else find(home, pair.name)
    return request.model_copy(update={"pair": "" if found is None else found.revision})


def misfit(name: str, spec: ModelSpec, fits: Sequence[str]) -> ModelError:
    """That a LoRA is another model's, by name where it is known."""
    code = "lora_misfit" if fits else "lora_misfit_all"
    return ModelError(code, field="loras", name=name, model=spec.title, allowed=", ".join(fits))


def files_of(home: Path, request: GenerationRequest) -> dict[str, tuple[Path, Path | None]]:
    """The files of every LoRA that a request runs with, the distilled pair of "fast" too, for its `Inputs`.

    Raises ModelError: lora_gone, lora_changed (another file under the same name: another picture), tier_gone.
    """
    found: dict[str, tuple[Path, Path | None]] = {}
    for use in request.loras:
        lora = find(home, use.name)
        if lora is None:
            raise ModelError("lora_gone", name=use.name)
        if use.revision and lora.revision != use.revision:
            raise ModelError("lora_changed", name=use.name)
        found[use.name] = (lora.high, lora.low)
    if request.tier == "fast" and request.spec.distilled is not None:
        pair, name = pair_files(request.spec, home), request.spec.distilled.name
        if pair is None:
            raise ModelError("tier_gone", lora=name, model=request.spec.title)
        here = find(home, name) if request.pair else None
        if request.pair and (here is None or here.revision != request.pair):
            raise ModelError("lora_changed", name=name)
        found[name] = pair
    return found


# -- the folder --------------------------------------------------------------------------------------------


def _fits(header: Header, spec: ModelSpec) -> bool:
    shape = spec.shape
    return shape is not None and shape.hidden == header.hidden and header.layers <= shape.layers


def _alone(keys: Iterable[str]) -> str | None:
    """The first matrix whose partner is missing."""
    there = set(keys)
    for key in sorted(there):
        match = _MATRIX.search(key)
        if match and f"{key[: match.start(1)]}{_PARTNER[match[1]]}{key[match.end(1) :]}" not in there:
            return key
    return None


def _is_pickle(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            first = file.read(9)
    except OSError:
        return False
    # A broken safetensors file may begin with the same bytes, its header's length, but then comes JSON.
    return _PICKLE.match(first) is not None and first[8:] != b"{"


def _suits_one(headers: Sequence[Header], name: str, models: Mapping[str, ModelSpec]) -> None:
    if len({header.hidden for header in headers}) > 1:
        raise ModelError("lora_pair", name=name)
    if not any(fitting(header, models) for header in headers):
        raise ModelError("lora_fits_none", name=name, width=headers[0].hidden)


def _free_place(home: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise ModelError("lora_name", name=name[:64])
    target = home / "loras" / name
    if target.exists():
        raise ModelError("lora_there", name=name)
    return target


def _named(home: Path, name: str, partial: Path, known: Mapping[str, str]) -> Lora:
    """Give a complete folder its name, and look at it once more under it."""
    _write_facts(partial, known)
    partial.rename(home / "loras" / name)
    found = find(home, name)
    if found is None:
        raise ModelError("lora_file", file=name, high=MAX_BYTES // 2**30)
    return found


def _files(folder: Path) -> list[Path]:
    files = [folder / f"{kind}.safetensors" for kind in ("high", "low")]
    return [path for path in files if path.is_file()] if files[0].is_file() else []


def _mark(path: Path) -> list[int]:
    """What tells cheaply that a file is another one."""
    facts = path.stat()
    return [facts.st_size, facts.st_mtime_ns]


def _facts(files: Sequence[Path], *, source: str) -> dict[str, Any]:
    digest = hashlib.sha256()
    for path in files:
        own = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                own.update(chunk)
        digest.update(f"{own.hexdigest()}\n".encode())
    return {"source": source, "revision": digest.hexdigest()[:12], "header": vars(read_header(files[0]))}


def _read_facts(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    fresh = folder / f".{_FACTS}.new"
    fresh.write_text(json.dumps(facts), encoding="utf-8")
    fresh.replace(folder / _FACTS)
