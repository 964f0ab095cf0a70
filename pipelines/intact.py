"""Whether weights are whole: at a glance (layout, classes, shards, sizes), or byte for byte as on the hub."""

import hashlib
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.models import MODELS, ModelSpec
from pipelines.repos import REPOSITORY, HubFile, Manifest, Weights, is_safe, read_json, read_manifest
from pipelines.request import Cancelled, Notice

OnBytes = Callable[[int, int], None]
"""Told how many bytes of how many are done."""

_PIPELINES = ("WanPipeline", "WanImageToVideoPipeline")
_CLASSES = {
    "transformer": "WanTransformer3DModel",
    "transformer_2": "WanTransformer3DModel",
    "vae": "AutoencoderKLWan",
    "text_encoder": "UMT5EncoderModel",
}
_EXPERT = ("num_layers", "width", "ffn_dim", "in_channels", "out_channels")
_NUMBERS = {"transformer": _EXPERT, "transformer_2": _EXPERT, "vae": ("z_dim",), "text_encoder": ("d_model",)}
_UMT5_WIDTH = 4096
_CHUNK = 1 << 20
# The longest header of a safetensors file that its library reads.
_MAX_HEADER = 100_000_000


@dataclass(frozen=True)
class Checked:
    """One file after `verify`: what is wrong with it, or None. `compared`: byte for byte, not in form."""

    name: str
    notice: Notice | None
    compared: bool


def faults(weights: Weights, folder: Path) -> list[Notice]:
    """What is wrong with a folder at a glance, nothing read but headers; empty if it can be loaded from.

    weights_file_missing, weights_file_short, weights_file_unreadable, weights_class, weights_no_expert.
    """
    manifest = read_manifest(folder)
    if manifest is not None:
        found = [
            notice for notice in (_size_of(folder, file) for file in manifest.files) if notice is not None
        ]
        if found:
            return found
    if weights.kind == "model":
        return _model_faults(weights, folder)
    names = [weights.local(name) for name in weights.files]
    return [notice for name in names if (notice := _tensors(folder, name)) is not None]


def misfit(spec: ModelSpec, folder: Path) -> Notice | None:
    """What shows that a folder holds another model than `spec`; None if nothing that it tells of itself does.

    weights_other names the model it is of, weights_expert_more and weights_misfit what is another way.
    """
    told = _told(folder)
    wrong = [fact for fact, value in _made(spec).items() if fact in told and told[fact] != value]
    more = not spec.two_experts and ("transformer_2", "num_layers") in told
    if not wrong and not more:
        return None
    for other in MODELS.values():
        made = _made(other)
        if other.name != spec.name and made and all(told.get(fact) == made[fact] for fact in made):
            return Notice("weights_other", {"model": spec.title, "other": other.title})
    if more:
        return Notice("weights_expert_more", {"model": spec.title})
    part, name = wrong[0]
    values = {"file": f"{part}/config.json", "name": name, "value": told[wrong[0]]}
    return Notice("weights_misfit", values | {"model": spec.title, "allowed": _made(spec)[wrong[0]]})


def _made(spec: ModelSpec) -> dict[tuple[str, str], int]:
    """The numbers that tell a model from others, by part and name: layers, widths, channels."""
    if spec.shape is None:
        return {}
    if spec.embedded:
        return _told(REPOSITORY / spec.repo)
    # A first frame comes beside the noise.
    latent = spec.shape.channels
    takes = 2 * latent + 4 if spec.first_frame == "needed" else latent
    shape = {"num_layers": spec.shape.layers, "width": spec.shape.hidden, "ffn_dim": spec.shape.ffn}
    expert = shape | {"in_channels": takes, "out_channels": latent}
    parts = {"transformer": expert, "vae": {"z_dim": latent}, "text_encoder": {"d_model": _UMT5_WIDTH}}
    parts |= {"transformer_2": expert} if spec.two_experts else {}
    return {(part, name): value for part, facts in parts.items() for name, value in facts.items()}


def _told(folder: Path) -> dict[tuple[str, str], int]:
    """The same numbers as a folder's own files tell them; what they leave out is left out."""
    found: dict[tuple[str, str], int] = {}
    for part, names in _NUMBERS.items():
        facts = read_json(folder / part / "config.json")
        facts = facts if isinstance(facts, dict) else {}
        heads, each = facts.get("num_attention_heads"), facts.get("attention_head_dim")
        if isinstance(heads, int) and isinstance(each, int):
            facts = facts | {"width": heads * each}
        found |= {(part, name): facts[name] for name in names if isinstance(facts.get(name), int)}
    return found


def verify(
    weights: Weights,
    folder: Path,
    *,
    on_bytes: OnBytes | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Checked]:
    """Read every file and compare it with what the hub said of it when it was fetched.

    Files of another origin are only looked at as in `faults`. Raises Cancelled once `should_stop()`.
    """
    manifest = read_manifest(folder) or _cached_manifest(folder)
    if manifest is None:
        wrong = faults(weights, folder)
        bad = {str(notice.values.get("file", "")): notice for notice in wrong}
        names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        known = [name for name in names if weights.needs(name) and name not in bad]
        return [Checked(name, notice, False) for name, notice in bad.items()] + [
            Checked(name, None, False) for name in known
        ]
    found, done = [], 0
    for file in manifest.files:
        before = done

        def told(read: int, before: int = before) -> None:
            if on_bytes is not None:
                on_bytes(before + read, manifest.size)

        found.append(Checked(file.name, compare(folder, file, told, should_stop), True))
        done += file.size
    return found


def compare(
    folder: Path,
    file: HubFile,
    on_read: Callable[[int], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Notice | None:
    """What is wrong with one file compared byte for byte; None if it is the hub's."""
    wrong = _size_of(folder, file)
    if wrong is not None:
        return wrong
    digest, read = hasher(file), 0
    try:
        for chunk in chunks(folder / file.name, should_stop):
            digest.update(chunk)
            read += len(chunk)
            on_read(read)
    except OSError as error:
        return Notice("weights_file_unreadable", {"file": file.name, "reason": error.strerror or "?"})
    return None if is_right(file, digest) else Notice("weights_file_other", {"file": file.name})


def hasher(file: HubFile) -> Any:
    """The hash that the hub gave this file, begun."""
    if file.sha256:
        return hashlib.sha256()
    return hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)


def is_right(file: HubFile, digest: Any) -> bool:
    """Whether a finished hash is the hub's."""
    return bool(digest.hexdigest() == (file.sha256 or file.blob))


def chunks(path: Path, should_stop: Callable[[], bool] = lambda: False) -> Iterator[bytes]:
    """The bytes of a file, a mebibyte at a time; Cancelled once `should_stop()`."""
    with path.open("rb") as opened:
        while chunk := opened.read(_CHUNK):
            if should_stop():
                raise Cancelled
            yield chunk


def _size_of(folder: Path, file: HubFile) -> Notice | None:
    try:
        size = (folder / file.name).stat().st_size
    except OSError:
        return Notice("weights_file_missing", {"file": file.name})
    return None if size == file.size else Notice("weights_file_short", {"file": file.name})


def _model_faults(weights: Weights, folder: Path) -> list[Notice]:
    index = read_json(folder / "model_index.json")
    if not isinstance(index, dict):
        code = "unreadable" if (folder / "model_index.json").is_file() else "missing"
        return [Notice(f"weights_file_{code}", {"file": "model_index.json", "reason": "JSON"})]
    if index.get("_class_name") not in _PIPELINES:
        return [_class("model_index.json", index.get("_class_name"), " / ".join(_PIPELINES))]
    spec = MODELS.get(weights.name)
    if spec is not None and spec.two_experts and _class_of(index, "transformer_2") is None:
        return [Notice("weights_no_expert", {"model": weights.title})]
    found = []
    for part, wanted in _CLASSES.items():
        named = _class_of(index, part)
        if named is None and part == "transformer_2":
            continue
        found += [_class(part, named, wanted)] if named != wanted else _part_faults(weights, folder, part)
    for name in ("scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json"):
        if not (folder / name).is_file():
            found.append(Notice("weights_file_missing", {"file": name}))
    return found


def _class_of(index: dict[str, Any], part: str) -> str | None:
    found = index.get(part)
    return found[1] if isinstance(found, list) and len(found) == 2 and isinstance(found[1], str) else None


def _class(part: str, found: object, wanted: str) -> Notice:
    if found is None:
        return Notice("weights_no_part", {"file": part, "allowed": wanted})
    return Notice("weights_class", {"file": part, "value": str(found)[:60], "allowed": wanted})


def _part_faults(weights: Weights, folder: Path, part: str) -> list[Notice]:
    """What is wrong with a network: its facts, and every shard that its index names."""
    if read_json(folder / part / "config.json") is None:
        return [Notice("weights_file_missing", {"file": f"{part}/config.json"})]
    indexes = sorted((folder / part).glob("*.safetensors.index.json"))
    if not indexes:
        names = (f"{part}/{path.name}" for path in sorted((folder / part).glob("*.safetensors")))
        single = next((name for name in names if weights.needs(name)), None)
        if single is None:
            return [Notice("weights_file_missing", {"file": f"{part}/*.safetensors"})]
        wrong = _tensors(folder, single)
        return [] if wrong is None else [wrong]
    index = read_json(indexes[0])
    try:
        shards = sorted({str(name) for name in index["weight_map"].values()})
    except (TypeError, KeyError, AttributeError):
        return [Notice("weights_file_unreadable", {"file": f"{part}/{indexes[0].name}", "reason": "JSON"})]
    if not all(map(is_safe, shards)):
        return [
            Notice("weights_file_unreadable", {"file": f"{part}/{indexes[0].name}", "reason": "weight_map"})
        ]
    return [notice for name in shards if (notice := _tensors(folder, f"{part}/{name}")) is not None]


def _tensors(folder: Path, name: str) -> Notice | None:
    """What is wrong with a safetensors file by its header: it names where its last byte is."""
    path = folder / name
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else _MAX_HEADER + 1
            if length > min(_MAX_HEADER, size):
                return Notice("weights_file_short", {"file": name})
            header = json.loads(file.read(length))
        ends = [tensor["data_offsets"][1] for key, tensor in header.items() if key != "__metadata__"]
        whole = bool(ends) and size == 8 + length + max(ends)
    except FileNotFoundError:
        return Notice("weights_file_missing", {"file": name})
    except OSError as error:
        return Notice("weights_file_unreadable", {"file": name, "reason": error.strerror or "?"})
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return Notice("weights_file_unreadable", {"file": name, "reason": "safetensors"})
    return None if whole else Notice("weights_file_short", {"file": name})


def _cached_manifest(folder: Path) -> Manifest | None:
    """What the cache of huggingface_hub tells of its files: a large one is kept under its sha256."""
    if folder.parent.name != "snapshots":
        return None
    files = []
    for path in sorted(path for path in folder.rglob("*") if path.is_symlink() and path.exists()):
        blob, size = path.resolve().name, path.stat().st_size
        name = path.relative_to(folder).as_posix()
        files.append(HubFile(name, size, *((blob, "") if len(blob) == 64 else ("", blob))))
    return Manifest(folder.parent.parent.name, folder.name, tuple(files)) if files else None
