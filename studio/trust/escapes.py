"""What computers write for characters, and people for words: escapes (n%75de, &#110;, \\u006e) and emoji."""

import html
import re
import urllib.parse
from functools import cache

from studio.trust.normal import Mapped, is_han
from studio.trust.terms import table

_ESCAPE = re.compile(
    r"(?:%[0-9a-fA-F]{2})+|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});|"
    r"\\(?:u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]{1,6}\}|x[0-9a-fA-F]{2})|[uU]\+[0-9a-fA-F]{4,5}\s?"
)
# As often as people wrap one escape into another (&amp;#110;).
_DEPTH = 3


def unescaped(text: str) -> Mapped:
    """The text with its escapes written as the characters they stand for; lower case and all else stay."""
    plain = Mapped(text, tuple(range(len(text))), tuple(range(1, len(text) + 1)))
    for _ in range(_DEPTH):
        if not any(sign in plain.text for sign in ("%", "&", "\\", "U+", "u+")):
            break
        changes = [
            (match.start(), match.end(), meant)
            for match in _ESCAPE.finditer(plain.text)
            if (meant := _meant(match.group())) and meant != match.group()
        ]
        if not changes:
            break
        plain = plain.replaced(changes)
    return plain


def _meant(escape: str) -> str | None:
    try:
        if escape[0] == "%":
            return urllib.parse.unquote(escape, errors="strict")
        if escape[0] == "&":
            return html.unescape(escape)
        return chr(int(re.sub(r"[^0-9a-fA-F]", "", escape[2:]), 16))
    except (ValueError, OverflowError):
        return None


def told(text: Mapped) -> Mapped | None:
    """The text with its emoji said in words, in its own language; None if there are none to be said."""
    signs, either = _signs()
    found = list(either.finditer(text.text))
    if not found:
        return None
    own = "zh" if any(map(is_han, text.text)) else "en"
    changes = []
    for match in found:
        word = signs[match.group()][own]
        changes.append((match.start(), match.end(), word if own == "zh" else f" {word} "))
    return text.replaced(changes)


@cache
def _signs() -> tuple[dict[str, dict[str, str]], re.Pattern[str]]:
    signs: dict[str, dict[str, str]] = {
        sign: {"zh": zh, "en": en} for zh, en, listed in table("signs") for sign in listed.split()
    }
    return signs, re.compile("|".join(map(re.escape, sorted(signs, key=len, reverse=True))))
