"""The library: clips and films that are kept, as files below the studio's home and one row each."""

from studio.library.store import EXPORTS, PUBLISHING, Library
from studio.library.tables import asset_table, film_clip_table
from studio.library.types import USABLE, Asset, Standing, new_id, places

__all__ = [
    "EXPORTS",
    "PUBLISHING",
    "USABLE",
    "Asset",
    "Library",
    "Standing",
    "asset_table",
    "film_clip_table",
    "new_id",
    "places",
]
