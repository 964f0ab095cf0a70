"""Assets without a worker: rows with real recipes, small files or none."""

from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from pipelines.request import GenerationRequest
from studio.db import utc_now
from studio.library import Asset, Library

_NUMBERS = count(1)


def clip(prompt: str, style: str = "none", *, owner: str = "ann", age: float = 0.0, **changes: Any) -> Asset:
    """An asset that was made `age` seconds ago; nothing of it lies anywhere."""
    number = next(_NUMBERS)
    request = GenerationRequest(
        prompt=prompt,
        model="sketch",
        seed=number,
        num_frames=17,
        width=320,
        height=192,
        num_inference_steps=2,
    )
    values = {
        "id": f"clip-{number:06}-{owner[:8]}",
        "job_id": f"job-{number:07}-{owner[:8]}",
        "owner": owner,
        "path": f"media/2026/11/clip-{number:06}.mp4",
        "thumbnail": f"media/2026/11/clip-{number:06}.webp",
        "request": request,
        "form": {"prompt": prompt, "style": style, "seed": number},
        "model": "sketch",
        "model_revision": "1",
        "width": 320,
        "height": 192,
        "seconds": 2.0,
        "fps": 8,
        "frames": 17,
        "bytes": 1000,
        "sha256": f"{number:064x}",
        "render_seconds": 1.0,
        "created": utc_now() - timedelta(seconds=age),
    }
    return Asset(**values | changes)


def keep(library: Library, home: Path, asset: Asset) -> Asset:
    """Keep an asset with two small files."""
    for place in (asset.path, asset.thumbnail):
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_bytes(b"content")
    library.add(asset)
    return asset
