"""Weights of small networks that somebody put into the home: read as numbers, never as a program."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

# The largest of the networks that are known has 17 million weights.
MAX_BYTES = 512 * 2**20


def on_device(wanted: str) -> torch.device:
    """The device of a worker's settings; the best one if they name none ("" or "auto")."""
    if wanted in ("", "auto"):
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)


def free_cache() -> None:
    """Give a card's memory that no tensor holds back to whoever needs it now."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


class WeightsError(ValueError):
    """A file is none of the networks that are known; the message is for the log."""


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """The state dict of a .safetensors file or of one that torch saved (.pth, .pkl), on the CPU.

    What is wrapped as "params_ema", "params" or "state_dict" is unwrapped, "module." is taken off names.
    Torch reads numbers only (`weights_only`). WeightsError for anything else; OSError.
    """
    if path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path.name} is larger than {MAX_BYTES >> 20} MB")
    try:
        found = (
            load_file(path)
            if path.suffix == ".safetensors"
            else torch.load(path, map_location="cpu", weights_only=True)
        )
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError) as error:
        raise WeightsError(f"{path.name} can't be read: {str(error)[:200]}") from error
    for wrapped in ("params_ema", "params", "state_dict"):
        if isinstance(found, Mapping) and isinstance(found.get(wrapped), Mapping):
            found = found[wrapped]
    if not isinstance(found, Mapping) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise WeightsError(f"{path.name} holds no weights")
    return {str(name).removeprefix("module."): value for name, value in found.items()}
