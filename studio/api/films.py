"""Where a task's clip is fetched: an address that opens this one clip for a day, without a key."""

import hashlib
import hmac
import re
import time
from collections.abc import Mapping

from itsdangerous import Signer

from pipelines.request import Notice
from studio.core import Studio
from studio.library import USABLE, Asset
from studio.refusal import Refused
from studio.settings import Settings

KEPT_SECONDS = 24 * 3600
_NAME = re.compile(r"([A-Za-z0-9_-]{1,64})\.mp4")


def address(settings: Settings, base: str, asset: Asset) -> str:
    """The address of a clip below `base` (…/api/v1), as long as it lasts from now."""
    expires = int(time.time()) + KEPT_SECONDS
    return (
        f"{base}/films/{asset.id}.mp4?Expires={expires}&Signature={_signature(settings, asset.id, expires)}"
    )


def opened(studio: Studio, name: str, query: Mapping[str, str]) -> Asset:
    """The clip of an address; Refused as unknown if it is none of ours, too old, or not to be seen (now)."""
    match, expires = _NAME.fullmatch(name), query.get("Expires", "")
    if match and expires.isascii() and expires.isdecimal() and len(expires) < 15:
        right = _signature(studio.settings, match[1], int(expires)).encode()
        if hmac.compare_digest(right, query.get("Signature", "").encode("utf-8", "replace")):
            found = studio.assets.get(match[1]) if int(expires) >= time.time() else None
            if found is not None and found.standing in USABLE and found.trashed is None:
                return found
    raise Refused(Notice("asset_unknown"))


def _signature(settings: Settings, asset_id: str, expires: int) -> str:
    signer = Signer(settings.signing_key(), salt="wan-studio.api-film", digest_method=hashlib.sha256)
    return signer.get_signature(f"{asset_id}:{expires}").decode()
