"""First frames that programs name by address: data: addresses, or the web's, fetched without trust.

A web address may lead nowhere but to the open internet: each name is looked up once, every number it has must
be a public one, and the connection goes to that number; the same again for each address it sends us on to.
"""

import base64
import binascii
import ipaddress
import re
import socket
import time
from collections.abc import Callable, Sequence
from urllib.parse import urljoin, urlsplit

import httpx

from pipelines.request import Notice
from studio.api.wire import Wrong

MAX_BYTES = 10 * 1000 * 1000
"""The service's own limit."""
_SECONDS = 30.0
_SENT_ON = 3
_DATA = re.compile(r"data:image/[a-z0-9.+-]{1,40};base64,", re.IGNORECASE)
_NAME = {"name": "input.img_url"}

# The numbers that a host's name stands for.
Lookup = Callable[[str, int], Sequence[str]]


def look_up(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, none if one of them lies in a private network; OSError if it has none."""
    found = [str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    return found if all(map(_is_public, found)) else []


def _is_public(address: str) -> bool:
    number = ipaddress.ip_address(address.partition("%")[0])
    inside = getattr(number, "ipv4_mapped", None) or getattr(number, "sixtofour", None)
    return all(one.is_global and not one.is_multicast for one in (number, inside) if one is not None)


def read(address: str, *, numbers: Lookup = look_up, schemes: Sequence[str] = ("https",)) -> bytes:
    """The bytes behind an address: data:image/…;base64, or https. Raises `Wrong`. They may be anything."""
    head = _DATA.match(address[:60])
    if head is None:
        return _fetched(address, numbers, schemes)
    try:
        found = base64.b64decode(address[head.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Wrong(Notice("api_picture_data", _NAME)) from error
    if len(found) > MAX_BYTES:
        raise _too_large()
    return found


def _fetched(address: str, numbers: Lookup, schemes: Sequence[str]) -> bytes:
    until = time.monotonic() + _SECONDS
    try:
        for _ in range(_SENT_ON + 1):
            found = _once(address, numbers, schemes, until)
            if isinstance(found, bytes):
                return found
            address = found
    except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise Wrong(Notice("api_picture_unreachable", _NAME), code="InvalidURL") from error
    raise Wrong(Notice("api_picture_unreachable", _NAME), code="InvalidURL")


def _once(address: str, numbers: Lookup, schemes: Sequence[str], until: float) -> bytes | str:
    """What lies at an address, or where it sends us on to."""
    parts = urlsplit(address)
    host = parts.hostname
    if parts.scheme not in schemes or not host or parts.username or len(address) > 4000:
        raise Wrong(Notice("api_picture_address", _NAME), code="InvalidURL")
    host = host.encode("idna").decode() if not host.isascii() else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = numbers(host, port)
    if not found:
        raise Wrong(Notice("api_picture_address", _NAME), code="InvalidURL")
    # To the number that was looked at, never to the name again: by then it may be another one.
    url = httpx.URL(address).copy_with(host=found[0], port=port, fragment=None)
    headers = {"host": parts.netloc, "accept": "image/*", "accept-encoding": "identity"}
    with (
        httpx.Client(trust_env=False, timeout=10, follow_redirects=False) as client,
        client.stream("GET", url, headers=headers, extensions={"sni_hostname": host}) as answer,
    ):
        if answer.is_redirect:
            return urljoin(address, str(answer.headers.get("location", "")))
        answer.raise_for_status()
        return _limited(answer, until)


def _limited(answer: httpx.Response, until: float) -> bytes:
    body = bytearray()
    for chunk in answer.iter_raw():
        body += chunk
        if len(body) > MAX_BYTES:
            raise _too_large()
        if time.monotonic() > until:
            raise Wrong(Notice("api_picture_unreachable", _NAME), code="InvalidURL")
    return bytes(body)


def _too_large() -> Wrong:
    return Wrong(Notice("api_picture_large", _NAME | {"high": MAX_BYTES // 1_000_000}))
