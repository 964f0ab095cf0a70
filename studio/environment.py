"""What the variables of the environment may hold: each reader returns the value or says what is allowed."""

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pipelines.cloud_facts import REGIONS
from pipelines.models import MODELS
from pipelines.request import Notice
from studio.words import say, says_made_by_ai

LABEL = "AI生成 · AI-generated"
"""The visible label where nobody sets another one."""

C2PA_ALGS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")
"""How an export can be signed; empty takes what suits the key."""


_YES = ("1", "true", "yes", "on")
_NO = ("", "0", "false", "no", "off")
# What else may look at pictures, where somebody has installed it.
_MORE_CHECKERS = ("nudenet",)
# A dearer hour is a slip of the keys.
_HIGHEST_PRICE = 100_000
_MOST_CLOUD_JOBS = 32
# A week.
_MOST_MINUTES = 7 * 24 * 60
_DATABASES = ("sqlite:", "postgres:", "postgresql:", "postgresql+psycopg:")


class SettingsError(ValueError):
    """A variable holds something unusable; `notice` names it and says what is allowed."""

    def __init__(self, code: str, **values: Any) -> None:
        self.notice = Notice(code, values)
        super().__init__(say(self.notice, "en"))


def switch(env: Mapping[str, str], name: str, *, default: bool = False) -> bool:
    value = env.get(name)
    if value is None or (value == "" and default):
        return default
    if value.lower() in _YES:
        return True
    if value.lower() in _NO:
        return False
    raise SettingsError("setting_switch", name=name, value=value[:40])


def port(env: Mapping[str, str], name: str) -> int:
    value = env.get(name) or "7860"
    if not (value.isascii() and value.isdigit()) or int(value) > 65535:
        raise SettingsError("setting_number", name=name, value=value[:40], low=0, high=65535)
    return int(value)


def minutes(env: Mapping[str, str], name: str, *, default: int) -> int:
    value = env.get(name) or str(default)
    if not (value.isascii() and value.isdigit()) or int(value) > _MOST_MINUTES:
        raise SettingsError("setting_number", name=name, value=value[:40], low=0, high=_MOST_MINUTES)
    return int(value)


def model(value: str) -> str:
    if value not in MODELS:
        raise SettingsError("setting_choice", name="MODEL", value=value[:40], allowed=", ".join(MODELS))
    return value


def device(value: str) -> str:
    kind, _, number = value.partition(":")
    if value and (kind not in ("cpu", "cuda", "mps") or (":" in value and not number.isdigit())):
        raise SettingsError(
            "setting_choice", name="DEVICE", value=value[:40], allowed="cpu, cuda, cuda:1, mps"
        )
    return value


def database(value: str) -> str:
    if value and not value.startswith(_DATABASES):
        # The address itself may hold a password, so it isn't repeated.
        raise SettingsError("setting_database", name="DATABASE_URL", allowed="sqlite:///…, postgresql://…")
    return value


def kind(name: str, value: str) -> Literal["openai", "dashscope"]:
    if value in ("", "openai"):
        return "openai"
    if value == "dashscope":
        return "dashscope"
    raise SettingsError("setting_choice", name=name, value=value[:40], allowed="openai, dashscope")


def checkers(value: str) -> tuple[str, ...]:
    """The local picture checkers, in order; the one that ships always looks: it is never off by accident."""
    named = [name for name in value.replace(",", " ").split() if name != "opennsfw"]
    for name in named:
        if name not in _MORE_CHECKERS:
            allowed = ", ".join(("opennsfw", *_MORE_CHECKERS))
            raise SettingsError("setting_choice", name="PICTURE_CHECKERS", value=name[:40], allowed=allowed)
    return ("opennsfw", *dict.fromkeys(named))


def web_address(name: str, value: str) -> str:
    """An http(s) address, without the slash at its end. It isn't repeated: people put keys into addresses."""
    try:
        parts = urlsplit(value)
        fine = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.username or parts.query)
        )
    except ValueError:
        fine = False
    if value and not (fine and value.isprintable() and value.isascii()):
        raise SettingsError("setting_web_address", name=name)
    return value.rstrip("/")


def safe_address(name: str, value: str) -> str:
    """An address that may see what people make: over TLS, or on this machine."""
    address = web_address(name, value)
    parts = urlsplit(address)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise SettingsError("setting_tls", name=name)
    return address


def dashscope(env: Mapping[str, str]) -> dict[str, Any]:
    """The cloud for video: its key or a file with one, its region or address, how many clips at once."""
    region = env.get("DASHSCOPE_REGION", "").lower()
    if region not in ("", *REGIONS):
        allowed = ", ".join(REGIONS)
        raise SettingsError("setting_choice", name="DASHSCOPE_REGION", value=region[:40], allowed=allowed)
    number = env.get("CLOUD_JOBS") or "3"
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= _MOST_CLOUD_JOBS):
        high = _MOST_CLOUD_JOBS
        raise SettingsError("setting_number", name="CLOUD_JOBS", value=number[:40], low=1, high=high)
    path = env.get("DASHSCOPE_TOKEN_FILE", "")
    # As the service's own libraries write it, too.
    address = safe_address("DASHSCOPE_BASE_URL", env.get("DASHSCOPE_BASE_URL", "")).removesuffix("/api/v1")
    return {
        "dashscope_api_key": key("DASHSCOPE_API_KEY", env.get("DASHSCOPE_API_KEY", "")),
        "dashscope_token_file": str(Path(path).expanduser().absolute()) if path else "",
        "dashscope_region": region,
        "dashscope_base_url": address,
        "cloud_jobs": int(number),
    }


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def key(name: str, value: str) -> str:
    """A key as it fits into a request's header."""
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise SettingsError("setting_key", name=name)
    return value


def label(value: str | None) -> str:
    text = LABEL if value is None else value
    if len(text) > 60 or not text.isprintable() or not says_made_by_ai(text):
        raise SettingsError("setting_label", name="LABEL_TEXT", high=60)
    return text


def producer(value: str) -> str:
    """A code of the provider as the metadata label takes it: visible ASCII, nothing that needs quoting."""
    if len(value) > 64 or not re.fullmatch(r"[!#-&(-\[\]-~]+", value):
        raise SettingsError("setting_producer", name="AIGC_PRODUCER", high=64)
    return value


def credentials(env: Mapping[str, str]) -> dict[str, Any]:
    """What signs the exports. Whether the files can be used is found out where they are read."""
    paths = {name: env.get(name, "") for name in ("C2PA_CERT", "C2PA_KEY")}
    alone = [name for name, path in paths.items() if not path]
    if len(alone) == 1:
        raise SettingsError("setting_pair", name=alone[0], other=next(n for n in paths if n != alone[0]))
    alg = env.get("C2PA_ALG", "").lower()
    if alg not in ("", *C2PA_ALGS):
        raise SettingsError("setting_choice", name="C2PA_ALG", value=alg[:40], allowed=", ".join(C2PA_ALGS))
    found = {name.lower(): str(Path(path).expanduser().absolute()) for name, path in paths.items() if path}
    return {
        **found,
        "c2pa_alg": alg,
        "c2pa_tsa_url": web_address("C2PA_TSA_URL", env.get("C2PA_TSA_URL", "")),
    }


def price(value: str) -> float | None:
    if not value:
        return None
    try:
        price = float(value)
    except ValueError:
        price = -1.0
    if not 0 <= price <= _HIGHEST_PRICE:
        raise SettingsError(
            "setting_price", name="PRICE_PER_GPU_HOUR", value=value[:40], low=0, high=_HIGHEST_PRICE
        )
    return price


def currency(value: str) -> str:
    if not (value.isalpha() and value.isascii() and len(value) == 3):
        raise SettingsError("setting_currency", name="CURRENCY", value=value[:40])
    return value.upper()
