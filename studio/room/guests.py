"""Who sits where: the name a guest gave, kept in a cookie of that room alone, and what a post must carry."""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import replace

from itsdangerous import BadSignature, Signer

from studio.room.types import Seat
from studio.settings import Settings

COOKIE = "wan_guest"
_MAX_COOKIE = 600


def named(settings: Settings, seat: Seat, cookies: Mapping[str, str]) -> Seat:
    """The seat with the guest's id and name, if this browser gave one in this room."""
    cookie = cookies.get(COOKIE, "")
    try:
        told = _signer(settings).unsign(cookie).decode() if len(cookie) < _MAX_COOKIE else ""
        place, guest, name = told.split("~")
        called = urlsafe_b64decode(name).decode()
    except (BadSignature, ValueError):
        return seat
    return replace(seat, guest=guest, name=called) if place == _place(seat) else seat


def cookie_of(settings: Settings, seat: Seat, name: str) -> str:
    """The cookie's value for who gives this name; who had one before stays the same guest."""
    guest = seat.guest or secrets.token_urlsafe(9)
    called = urlsafe_b64encode(name.encode()).decode()
    return _signer(settings).sign(f"{_place(seat)}~{guest}~{called}").decode()


def post_token(settings: Settings, seat: Seat) -> str:
    """What every post from this seat carries in a header: another site's page can't know it."""
    return _signer(settings).get_signature(f"post {_place(seat)} {seat.guest}").decode()


def _place(seat: Seat) -> str:
    return seat.link.id if seat.link else hashlib.sha256(seat.guest.encode()).hexdigest()[:16]


def _signer(settings: Settings) -> Signer:
    return Signer(settings.signing_key(), salt="wan-studio.wan_guest", digest_method=hashlib.sha256)
