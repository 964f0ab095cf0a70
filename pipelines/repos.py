"""Weights as the hub has them: which files of which repository at which commit, and where they lie here.

No torch and no network: the page and the command line read this.
"""

import json
import os
import re
from dataclasses import asdict, dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Literal

from pipelines.models import MODELS, Distilled, ModelSpec

REPOSITORY = Path(__file__).resolve().parent.parent
MANIFEST = "hub.json"
ADDED = Path("loras") / "added.json"
LORA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# The commits that people pin these repositories to, and the 10^9 bytes of what is needed of them.
_KNOWN = {
    "Wan-AI/Wan2.2-T2V-A14B-Diffusers": ("5be7df9619b54f4e2667b2755bc6a756675b5cd7", 126.2),
    "Wan-AI/Wan2.2-I2V-A14B-Diffusers": ("596658fd9ca6b7b71d5057529bbf319ecbc61d74", 126.2),
    "Wan-AI/Wan2.2-TI2V-5B-Diffusers": ("b8fff7315c768468a5333511427288870b2e9635", 34.2),
    "Wan-AI/Wan2.1-T2V-1.3B-Diffusers": ("0fad780a534b6463e45facd96134c9f345acfa5b", 28.9),
    "lightx2v/Wan2.2-Lightning": ("18bccf8884ec0a078eed79785eb4ef13ea16ce1e", 2.5),
}
_PARTS = (
    "scheduler",
    "text_encoder",
    "tokenizer",
    "transformer",
    "transformer_2",
    "vae",
    "image_encoder",
    "image_processor",
)
# Of each part only what diffusers reads: no second copy in another format or precision.
_MODEL_FILES = (
    "model_index.json",
    *(f"{part}/*.{kind}" for part in _PARTS for kind in ("json", "safetensors")),
    "tokenizer/*.model",
    "tokenizer/*.txt",
)
_OTHER_PRECISION = re.compile(r"\.(fp16|bf16|fp8|non_ema)\b")
_MAX_NAME = 250
_COMMIT, _SHA256 = re.compile(r"[0-9a-f]{40}"), re.compile(r"[0-9a-f]{64}")

Kind = Literal["model", "lora", "finish"]


@dataclass(frozen=True)
class Weights:
    """Something whose files come from one hub repository and lie in one folder.

    `folder` is relative to the studio's home; `revision` is the hub's commit, None where none is known yet;
    `size_gb` is what is downloaded, in 10^9 bytes (0: unknown). `files` are the names that are needed, with
    `*` within one level; `places` are the names they get here where those are others. `shipped` is the folder
    of weights that lie in the repository itself.
    """

    name: str
    title: str
    kind: Kind
    repo: str
    revision: str | None
    licence: str
    size_gb: float
    folder: str
    files: tuple[str, ...]
    shipped: Path | None = None
    places: tuple[tuple[str, str], ...] = ()

    def local(self, name: str) -> str:
        """What a file of the repository is called here."""
        return dict(self.places).get(name, name)

    def needs(self, name: str) -> bool:
        """Whether a file of the repository is one of these."""
        if self.kind == "model" and _OTHER_PRECISION.search(name):
            return False
        return any(fnmatchcase(name, one) and name.count("/") == one.count("/") for one in self.files)

    def place(self, home: Path) -> Path:
        """The folder in this home, whether it is there or not."""
        return home / self.folder


@dataclass(frozen=True)
class HubFile:
    """One file as the hub tells it: bytes, and the sha256 (large files) or git's own hash of its content.

    `source` is its name in the repository where it is called otherwise here.
    """

    name: str
    size: int
    sha256: str = ""
    blob: str = ""
    source: str = ""


@dataclass(frozen=True)
class Manifest:
    """What a download consists of, written down beside the files."""

    repo: str
    revision: str
    files: tuple[HubFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def of_model(spec: ModelSpec) -> Weights:
    """The weights of a model."""
    pinned, size_gb = _KNOWN.get(spec.repo, (None, spec.memory_gb))
    return Weights(
        name=spec.name,
        title=spec.title,
        kind="model",
        repo=spec.repo,
        revision=spec.revision or pinned,
        licence=spec.licence,
        size_gb=size_gb,
        folder=f"models/{spec.name}",
        files=_MODEL_FILES,
        shipped=REPOSITORY / spec.repo if spec.embedded else None,
    )


def of_pair(distilled: Distilled) -> Weights:
    """The LoRA pair that makes a model right in four steps, as a LoRA of this studio."""
    pinned, size_gb = _KNOWN.get(distilled.repo, (None, 0.0))
    pair = lora(distilled.name, distilled.repo, distilled.high, distilled.low, distilled.revision or pinned)
    return replace(pair, licence="Apache-2.0", size_gb=size_gb)


def lora(name: str, repo: str, high: str, low: str | None, revision: str | None = None) -> Weights:
    """A LoRA out of one or two files of a repository; they lie here as every LoRA does."""
    files = (high,) if low is None else (high, low)
    places = tuple(zip(files, ("high.safetensors", "low.safetensors"), strict=False))
    return Weights(
        name=name,
        title=name,
        kind="lora",
        repo=repo,
        revision=revision,
        licence="",
        size_gb=0.0,
        folder=f"loras/{name}",
        files=files,
        places=places,
    )


def everything(home: Path) -> tuple[Weights, ...]:
    """All weights that the studio knows of: its models, their pairs, LoRAs that somebody added from the hub.

    What runs in a cloud has none.
    """
    local = [spec for spec in MODELS.values() if spec.cloud is None]
    pairs = [of_pair(spec.distilled) for spec in local if spec.distilled is not None]
    return (*map(of_model, local), *pairs, *_added(home, {pair.name for pair in pairs}))


def named(name: str, home: Path) -> Weights | None:
    """The weights of a name."""
    return next((one for one in everything(home) if one.name == name), None)


def remember(home: Path, weights: Weights) -> None:
    """Know a LoRA of the hub from now on."""
    path = home / ADDED
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [one for one in _added(home, set()) if one.name != weights.name]
    write_whole(path, [{"name": one.name, "repo": one.repo, "files": one.files} for one in [*kept, weights]])


def forget_added(home: Path, name: str) -> None:
    """Know it no longer; nothing happens to what was not added."""
    kept = _added(home, set())
    if any(one.name == name for one in kept):
        documents = [{"name": one.name, "repo": one.repo, "files": one.files} for one in kept]
        write_whole(home / ADDED, [one for one in documents if one["name"] != name])


def _added(home: Path, known: set[str]) -> list[Weights]:
    listed = read_json(home / ADDED)
    found = []
    for one in listed if isinstance(listed, list) else ():
        try:
            name, repo, files = str(one["name"]), str(one["repo"]), tuple(map(str, one["files"]))
        except (TypeError, KeyError):
            continue
        if LORA_NAME.fullmatch(name) and name not in known and files and all(map(is_safe, files)):
            found.append(lora(name, repo, files[0], files[1] if len(files) > 1 else None))
    return found


def is_safe(name: object) -> bool:
    """Whether a file's name stays inside a folder on every system: no hub chooses where we write."""
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME or not name.isprintable():
        return False
    parts = name.split("/")
    windows = PureWindowsPath(name)
    anchored = PurePosixPath(name).is_absolute() or windows.drive or windows.root
    strange = "\\" in name or any(part in ("", ".", "..") or ":" in part for part in parts)
    return not anchored and not strange


def is_commit(revision: object) -> bool:
    """Whether this is a full commit of the hub."""
    return isinstance(revision, str) and _COMMIT.fullmatch(revision) is not None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write down what a folder's download consists of, whole or not at all."""
    write_whole(folder / MANIFEST, asdict(manifest))


def read_manifest(folder: Path) -> Manifest | None:
    """What was written down; None if nothing was, or it can't be relied on."""
    found = read_json(folder / MANIFEST)
    try:
        files = tuple(HubFile(**one) for one in found["files"])
        manifest = Manifest(str(found["repo"]), found["revision"], files)
    except (TypeError, KeyError):
        return None
    return manifest if is_commit(manifest.revision) and files and all(map(_is_sound, files)) else None


def _is_sound(file: HubFile) -> bool:
    whole = isinstance(file.size, int) and file.size >= 0
    hashed = _SHA256.fullmatch(str(file.sha256)) or _COMMIT.fullmatch(str(file.blob))
    return whole and is_safe(file.name) and (not file.source or is_safe(file.source)) and bool(hashed)


def write_whole(path: Path, document: Any) -> None:
    """Write a small JSON file so that a reader sees the old one or the new one, never half of it."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)


def read_json(path: Path) -> Any:
    """What a JSON file holds; None if it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
