"""Who somebody is and what they may do: signed cookies and four small rules. No browser, no page here."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from itsdangerous import BadSignature, Signer

from studio.settings import Settings

OWNER_COOKIE = "wan_owner"
_BYTES, _NUMBER = 16, 22
"""How long an owner's number is: random, and written out."""
ADMIN_COOKIE = "wan_admin"
PASS_COOKIE = "wan_pass"
LANGUAGE_COOKIE = "wan_lang"
YEARS_5 = 5 * 365 * 24 * 3600


@dataclass(frozen=True)
class Visitor:
    """Who asks. `owner` is a random id that lives in a cookie; empty for somebody without one."""

    owner: str
    admin: bool


def visitor_of(cookies: Mapping[str, str], settings: Settings) -> Visitor:
    """Who sends these cookies. Forged ones count as none; with nothing shared, everyone is the admin."""
    owner = _opened(cookies.get(OWNER_COOKIE, ""), OWNER_COOKIE, settings)
    secret = _opened(cookies.get(ADMIN_COOKIE, ""), ADMIN_COOKIE, settings)
    entered = bool(settings.admin_token) and _same(secret, _digest(settings.admin_token))
    return Visitor(owner=owner, admin=settings.private or entered)


def may_change(visitor: Visitor, owner: str) -> bool:
    """Whether the visitor may cancel, retry or delete what belongs to `owner`."""
    return visitor.admin or (visitor.owner != "" and visitor.owner == owner)


def may_see(visitor: Visitor, standing: str, owner: str) -> bool:
    """Whether the visitor may look at `owner`'s clip of this standing (`library.Standing`)."""
    if standing == "draft":
        return may_change(visitor, owner)
    return visitor.admin or standing == "public"


def sees_all(visitor: Visitor, settings: Settings) -> bool:
    """Whether lists show everybody's work; in an open demo only an admin's do."""
    return visitor.admin or not settings.open_demo


def may_enter(cookies: Mapping[str, str], settings: Settings) -> bool:
    """Whether the door is open: no password is set, or it was entered (and not changed since)."""
    if not settings.access_password:
        return True
    entered = _opened(cookies.get(PASS_COOKIE, ""), PASS_COOKIE, settings)
    return _same(entered, _digest(settings.access_password))


def new_owner(settings: Settings) -> str:
    """The cookie of somebody who comes for the first time."""
    return _signed(secrets.token_urlsafe(_BYTES), OWNER_COOKIE, settings)


def short(owner: str) -> str:
    """An owner as people tell them apart: a name as it is, of a cookie's number the beginning."""
    return owner[:6] if len(owner) == _NUMBER and ":" not in owner else owner


def pass_cookie(password: str, settings: Settings) -> str | None:
    """The cookie that opens the door, if this is the password. Takes the same time for every wrong one."""
    return _proof(password, settings.access_password, PASS_COOKIE, settings)


def admin_cookie(token: str, settings: Settings) -> str | None:
    """The cookie that makes an admin, if this is the admin token."""
    return _proof(token, settings.admin_token, ADMIN_COOKIE, settings)


def _proof(given: str, wanted: str, name: str, settings: Settings) -> str | None:
    # The cookie holds a digest of what was entered: a changed password or token takes it back from everyone.
    right = _same(_digest(given), _digest(wanted)) and wanted != ""
    return _signed(_digest(wanted), name, settings) if right else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()[:32]


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


@lru_cache(maxsize=32)
def _signer(name: str, settings: Settings) -> Signer:
    return Signer(settings.signing_key(), salt=f"wan-studio.{name}", digest_method=hashlib.sha256)


def _signed(value: str, name: str, settings: Settings) -> str:
    return _signer(name, settings).sign(value).decode()


def _opened(cookie: str, name: str, settings: Settings) -> str:
    """The value of a signed cookie, empty if it isn't one of ours."""
    try:
        return _signer(name, settings).unsign(cookie).decode() if len(cookie) < 500 else ""
    except (BadSignature, UnicodeError):
        return ""
