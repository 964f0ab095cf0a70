"""What the text encoder made of a prompt, kept on disk by content: it reads each prompt once.

A file a text under the home's cache/prompts, without the text; the oldest go when they fill their room.
"""

import hashlib
import json
import logging
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from safetensors import SafetensorError
from safetensors.torch import load, save

log = logging.getLogger(__name__)

ROOM = 256 * 2**20
"""Bytes that kept prompts may take: some hundred of 512 tokens, thousands of usual ones."""

# Of a large file the beginning tells it from others: it holds the weights' names and the first of them.
_READ_OF_A_FILE = 2**20


class Embeds(NamedTuple):
    """A prompt and its negative one as `WanPipeline` takes them: (1, max_sequence_length, C) each.

    `negative` is None where guidance is off.
    """

    prompt: torch.Tensor
    negative: torch.Tensor | None


class Prompts:
    """The kept embeddings of one encoder, `mark` (see `mark_of`), in a folder that other processes share."""

    def __init__(self, folder: Path, mark: str, *, room: int = ROOM) -> None:
        self.folder = folder
        self.mark = mark
        self.room = room

    def get(self, text: str, max_sequence_length: int) -> torch.Tensor | None:
        """What was kept for a text, (1, max_sequence_length, C); None if nothing, or the file is damaged."""
        path = self._path(text, max_sequence_length)
        try:
            raw = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        try:
            digest, body = raw[:32], raw[32:]
            rows = load(body)["embeds"] if hashlib.sha256(body).digest() == digest else None
        except (SafetensorError, KeyError, ValueError):
            rows = None
        if rows is None or rows.dim() != 2 or len(rows) > max_sequence_length:
            log.warning("a kept prompt is damaged and made anew: %s", path.name)
            path.unlink(missing_ok=True)
            return None
        # Behind its last token a prompt is filled up with zeros, as the pipeline does.
        filled = rows.new_zeros(1, max_sequence_length, rows.shape[1])
        filled[0, : len(rows)] = rows
        return filled

    def put(self, text: str, embeds: torch.Tensor) -> None:
        """Keep the embeddings (1, length, C) of a text; a full disk only means that they are not kept."""
        path = self._path(text, embeds.shape[1])
        rows = embeds[0].detach().cpu()
        used = int(rows.ne(0).any(dim=1).nonzero().max()) + 1 if bool(rows.ne(0).any()) else 0
        body = save({"embeds": rows[:used].contiguous()})
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                fresh.write_bytes(hashlib.sha256(body).digest() + body)
                fresh.replace(path)
            finally:
                fresh.unlink(missing_ok=True)
            self._make_room()
        except OSError as error:
            log.warning("a prompt could not be kept: %s", error)

    def _path(self, text: str, max_sequence_length: int) -> Path:
        key = json.dumps([self.mark, max_sequence_length, text])
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()}.embeds"

    def _make_room(self) -> None:
        """Delete those that were not used for the longest time; another process may do the same just now."""
        found = []
        for path in self.folder.iterdir():
            try:
                facts = path.stat()
            except FileNotFoundError:
                continue
            found.append((facts.st_mtime, facts.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.room:
                return
            path.unlink(missing_ok=True)
            total -= size


def mark_of(folder: Path, device: str, dtype: torch.dtype) -> str:
    """What tells one encoder's embeddings from another's: its files, where and in what it computes.

    The same encoder beside several models has one mark, so they share what is kept.
    """
    digest = hashlib.sha256()
    for part in ("text_encoder", "tokenizer"):
        for path in sorted((folder / part).iterdir()):
            if path.suffix in (".json", ".safetensors", ".model", ".txt"):
                digest.update(f"{part}/{path.name} {path.stat().st_size}\n".encode())
                with path.open("rb") as file:
                    digest.update(file.read(_READ_OF_A_FILE))
    # Another card or version rounds otherwise, and a clip shall be the same with and without what is kept.
    place = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    return f"{digest.hexdigest()} {place} {dtype} {torch.__version__} {transformers.__version__}"


def read(
    pipe: Any,
    prompt: str,
    negative: str | None,
    *,
    max_sequence_length: int,
    kept: Prompts | None,
    leaves: Callable[[], None],
) -> Embeds:
    """Both texts as embeddings on the pipeline's device, bit for bit what `WanPipeline` computes itself.

    `negative` is None where guidance is off: it is not read then. `leaves` is called after the text encoder
    worked; it does not where both are kept.
    """
    device = pipe._execution_device
    found: dict[str, torch.Tensor] = {}
    worked = False
    try:
        for text in dict.fromkeys((prompt, negative)):
            if text is None:
                continue
            embeds = None if kept is None else kept.get(text, max_sequence_length)
            if embeds is None:
                worked = True
                with torch.no_grad():
                    embeds, _ = pipe.encode_prompt(
                        text, do_classifier_free_guidance=False, max_sequence_length=max_sequence_length
                    )
                if kept is not None:
                    kept.put(text, embeds)
            found[text] = embeds.to(device)
    finally:
        if worked:
            leaves()
    return Embeds(found[prompt], None if negative is None else found[negative])
