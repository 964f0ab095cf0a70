"""Traditional Chinese read through its simplified form, the only one that rules and the sketch model know."""

import re
from functools import cache, lru_cache
from typing import Any

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
# What the converter leaves as it is. 著 is the 着 of 看着, but for 著名, 名著 and their like.
_MORE = str.maketrans("揹妳牠祂锺麽衹", "背你它他钟么只")
_ASPECT = re.compile("(?<![名显原土巨编专论译合拙昭卓])著(?![名作称述录]|书立|有)")
_WHAT = re.compile("甚(?=么)")


@lru_cache(maxsize=512)
def simplified(text: str) -> str:
    """The text in simplified characters, one for one: what stands at a place stays there.

    A text that is simplified already comes back as it is; so does one that can't be read.
    """
    if not _HAN.search(text):
        return text
    try:
        plain = str(_converter().convert(text))
    except (UnicodeError, ValueError):
        return text
    if len(plain) != len(text):
        plain = "".join(map(_alone, text))
    plain = _WHAT.sub("什", plain.translate(_MORE))
    return _ASPECT.sub("着", plain)


@cache
def _alone(char: str) -> str:
    plain = str(_converter().convert(char))
    return plain if len(plain) == 1 else char


@cache
def _converter() -> Any:
    from opencc import OpenCC  # reads its tables when it is imported

    # The Taiwanese forms are many more than the standard ones, and hold those.
    return OpenCC("tw2s")
