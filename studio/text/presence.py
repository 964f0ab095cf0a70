"""How a text speaks of somebody or something: counted, owned, pointed at, saying something."""

import math
import re
from functools import lru_cache

from studio.text.beings import gender_of, plural
from studio.text.language import HAN, has_han
from studio.text.terms import words
from studio.text.told import unquoted

_NEAR = 40
# Named more often than this is no surer: a text may say the same again and again.
_MANY = 12
_BEFORE_ZH = {
    "counted": re.compile(rf"[一两三四五六七八九十几][{HAN}]{{1,2}}[^，。的]{{0,4}}(?:的[^，。]{{0,3}})?$"),
    "owned": re.compile(r"[他她它我]的?$"),
    "of": re.compile(r"的$"),
    "ba": re.compile(r"[把将给对向朝跟和与]$"),
    "by": re.compile(r"被[^，。]{0,3}$"),
}
_BEHIND_ZH = {"has_of": re.compile(r"[上里中下]?的"), "passive": re.compile(r".{0,3}被")}
_SAID = (
    "said|says|asked|asks|whispered|replied|answered|told|tells|cried|begged|called|murmured|muttered|shouted"
    "|thought|thinks"
)
_THE = r"(?:(?:the|an?|his|her|its|their|my) )?(?:[\w-]+ )?$"
_BEFORE_EN = {
    "a": re.compile(r"\b(?:an?|one|two|three|some|several) (?:[\w-]+ ){0,3}?$"),
    "the": re.compile(r"\bthe (?:[\w-]+ )?$"),
    "owned": re.compile(r"(?:\b(?:his|her|its|their|my|our)|['’]s) (?:[\w-]+ )?$"),
    "led": re.compile(rf"\b(?:of|in|on|with|to|at|from|by|for|into|like|than|under) {_THE}"),
    "beside": re.compile(rf"\b(?:and|with) {_THE}"),
    "says": re.compile(rf"\b(?:{_SAID}) (?:(?:the|an?|his|her|my|old) )?(?:\w+ )?$"),
}
_BEHIND_EN = {"owns": re.compile(r"['’]s\b"), "says": re.compile(rf" (?:{_SAID})\b")}


def presence(word: str, text: str, story: str) -> dict[str, float]:
    """Cues for how `text`, a part of `story`, speaks of `word` (0 or 1 each), and how often that does."""
    chinese = has_han(word)
    before, behind = (_BEFORE_ZH, _BEHIND_ZH) if chinese else (_BEFORE_EN, _BEHIND_EN)
    found: dict[str, float] = {}
    low = text if chinese else text.lower()
    for match in _where(word).finditer(low):
        left, right = low[max(0, match.start() - _NEAR) : match.start()], low[match.end() : match.end() + 10]
        found.update((cue, 1.0) for cue, pattern in before.items() if pattern.search(left))
        found.update((cue, 1.0) for cue, pattern in behind.items() if pattern.match(right))
        if chinese and _says().match(right):
            found["says"] = 1.0
    times = _times(word, story)
    found["often"] = math.log(min(_MANY, max(1, times)))
    found["once"] = float(times <= 1)
    found["several"] = float(plural(word))
    found["gendered"] = float(gender_of(word) in ("male", "female"))
    if chinese:
        found["one_character"], found["two_characters"] = float(len(word) == 1), float(len(word) == 2)
    found["long"] = float(len(word) > 4 if chinese else " " in word)
    return found


@lru_cache(maxsize=4096)
def _where(word: str) -> re.Pattern[str]:
    bare = re.escape(word if has_han(word) else word.lower())
    return re.compile(bare if has_han(word) else rf"(?<!\w){bare}(?!\w)")


@lru_cache(maxsize=1)
def _says() -> re.Pattern[str]:
    listed = sorted(words("grammar", "says", "zh"), key=len, reverse=True)
    return re.compile(rf".{{0,4}}?(?:{'|'.join(listed)})")


@lru_cache(maxsize=4096)
def _times(word: str, story: str) -> int:
    return len(_where(word).findall(_told(story)))


@lru_cache(maxsize=8)
def _told(story: str) -> str:
    return unquoted(story).lower()
