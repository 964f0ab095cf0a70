"""Where sentences end, in Chinese, English and both at once. Offsets are those of the text that was given."""

import re
from collections.abc import Iterator
from functools import cache

from studio.text.cues import cues_en, cues_zh
from studio.text.language import EMOJI, HAN

Span = tuple[int, int]

_PAIRS = {"“": "”", "「": "」", "『": "』", "（": "）", "(": ")", "«": "»", "【": "】", "[": "]", "《": "》"}
_OPENERS = re.compile("[" + re.escape("".join(_PAIRS)) + '"‘]')
_SPEECH_OPENERS = '“「『"‘«'
# A quotation longer than this is told, not said: its sentences count on their own.
_LONGEST_QUOTE = 240
# The looks behind keep the search linear: a run of such signs is tried from its beginning only.
_LINK = re.compile(
    r"(?:https?://|www\.)[\x21-\x7e]+|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
    r"|(?<![\w-])[\w-]{1,63}\.(?:com|org|net|cn|io|edu|gov|mp4|jpg|png|pdf)\b",
    re.IGNORECASE,
)
_CLOSERS = "”’」』\"'）)】]»》*_`"
_END = re.compile(f"[。！？!?….｡．]+[{re.escape(_CLOSERS)}]*")
# Where people write no full stop, an emoji or a run of spaces between Chinese words stands for one.
_SOFT_END = re.compile(f"(?<![{EMOJI}])[{EMOJI}]++(?=\\s*[{HAN}A-Z“「])|(?<=[{HAN}])[ \u3000]+(?=[{HAN}“「])")
_TRAILING_EMOJI = re.compile(f"\\s*[{EMOJI}]+")
_CLAUSE_END = re.compile(r"[，,；;：:]+|——+|—|\s[–-]\s")
_LAST_WORD = re.compile(r"[A-Za-z](?:[A-Za-z]|\.(?=[A-Za-z]))*$")


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """(start, end) of each sentence in text[start:end], end exclusive, without the space around it.

    A closing quote stays with its sentence, and so does "she said" behind it. A sentence never ends inside
    a quotation, brackets, a link, a figure or an abbreviation; a last one needs no full stop.
    """
    end = len(text) if end is None else end
    found: list[Span] = []
    begin = start
    for cut in _ends(text, start, end):
        _add(found, text, begin, cut)
        begin = cut
    _add(found, text, begin, end)
    return found


def clauses(text: str, start: int, end: int) -> list[Span]:
    """(start, end) of the parts between commas, semicolons, colons and dashes, outside quotations."""
    sheltered = _Shelter(text, start, end)
    found: list[Span] = []
    begin = start
    for match in _CLAUSE_END.finditer(text, start, end):
        figure = match.group() in ",:" and text[match.start() - 1 : match.start()].isdigit()
        figure = figure and text[match.end() : match.end() + 1].isdigit()
        if not figure and not sheltered.holds(match.start()):
            _add(found, text, begin, match.end())
            begin = match.end()
    _add(found, text, begin, end)
    return found


def speech_spans(text: str, start: int, end: int) -> list[Span]:
    """(start, end) of each quotation in text[start:end], its quotation marks included."""
    return [span for span in _sheltered(text, start, end) if text[span[0]] in _SPEECH_OPENERS]


class _Shelter:
    """Answers whether a place lies in a quotation, brackets or a link; places are asked in rising order."""

    def __init__(self, text: str, start: int, end: int) -> None:
        spans = [s for s in _sheltered(text, start, end) if s[1] - s[0] <= _LONGEST_QUOTE]
        spans += [match.span() for match in _LINK.finditer(text, start, end)]
        self._spans = sorted(spans)
        self._next = 0
        self._reach = -1

    def holds(self, place: int) -> bool:
        while self._next < len(self._spans) and self._spans[self._next][0] <= place:
            self._reach = max(self._reach, self._spans[self._next][1])
            self._next += 1
        return place < self._reach


def _sheltered(text: str, start: int, end: int) -> list[Span]:
    """Outermost pairs of quotes and brackets. A mark that is never closed shelters nothing."""
    found: list[Span] = []
    place = start
    hopeless: set[str] = set()
    while match := _OPENERS.search(text, place, end):
        opener = match.group()
        close = -1 if opener in hopeless else _closing(text, match.start(), end)
        if close < 0:
            # Looking for it again behind every such mark would take quadratic time.
            hopeless.add(opener)
            place = match.end()
            continue
        found.append((match.start(), close + 1))
        place = close + 1
    return found


def _closing(text: str, opening: int, end: int) -> int:
    opener = text[opening]
    if opener != "‘":
        return text.find(_PAIRS.get(opener, opener), opening + 1, end)
    place = text.find("’", opening + 1, end)
    # The same sign is an apostrophe within a word.
    while place >= 0 and place + 1 < end and text[place + 1].isalpha() and text[place + 1].isascii():
        place = text.find("’", place + 1, end)
    return place


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    sheltered = _Shelter(text, start, end)
    soft = re.compile(f"{_END.pattern}|{_SOFT_END.pattern}") if _unpointed(text, start, end) else _END
    place = start
    while match := soft.search(text, place, end):
        place = match.end()
        if sheltered.holds(match.end() - 1) and not _closes(sheltered, text, match):
            # Step out of the run one sign at a time: only its last sign is known to be sheltered.
            continue
        if _END.match(match.group()) and not _is_end(text, match, end):
            continue
        trailing = _TRAILING_EMOJI.match(text, place, end)
        place = trailing.end() if trailing else place
        yield place


def _closes(sheltered: "_Shelter", text: str, match: re.Match[str]) -> bool:
    """Whether the match ends with the very mark that ends the shelter: 。” or !"."""
    return match.group()[-1] in _CLOSERS and not sheltered.holds(match.end())


def _unpointed(text: str, start: int, end: int) -> bool:
    return not re.search(r"[。！？]", text[start:end])


def _is_end(text: str, match: re.Match[str], end: int) -> bool:
    after = text[match.end() : min(end, match.end() + 60)]
    following = after.lstrip()
    if not following:
        return True
    run = match.group()
    quoted = run[-1] in '”」』"’»'
    if quoted and attributed(following):
        return False
    if "。" in run or "｡" in run or "．" in run:
        return True
    if following[0] in "，,、；;：:" or following[0].islower():
        return False
    if run.startswith(".") and not run.startswith(".."):
        return _dot_ends(text, match, after, following)
    return True


def _dot_ends(text: str, match: re.Match[str], after: str, following: str) -> bool:
    if after[0].isascii() and not after[0].isspace() and len(match.group()) == 1:
        return False
    word = _LAST_WORD.search(text[max(0, match.start() - 20) : match.start()])
    if word is None:
        return True
    last = word.group().lower()
    initial = len(last) == 1 and word.group().isupper() and last != "i"
    if last in cues_en()["ending_abbreviations"]:
        return following[0].isupper() or not following[0].isascii()
    if last == "no":
        return not following[0].isdigit()
    return not initial and last not in cues_en()["abbreviations"]


@cache
def _attribution() -> re.Pattern[str]:
    zh, en = cues_zh().either("speech"), cues_en().either("speech")
    who = (
        r"(?!(?:and|but|so|then|when|as|while)\b)(?:(?:the|her|his|my|an?) )?"
        r"[A-Za-z'’-]+(?: [A-Z][A-Za-z'’-]+| [a-z]+)?(?: [a-z]+ly)?"
    )
    return re.compile(
        rf"[，,]?[{HAN}]{{0,10}}?(?:{zh})[{HAN}]{{0,3}}(?:[：:，,。！!；;]|$)"
        rf"|{who} (?:{en})\b|(?:{en}) ",
        re.IGNORECASE,
    )


def attributed(following: str) -> bool:
    """Whether what follows a quotation says who spoke: 她说 …, "Anna said …"."""
    return bool(_attribution().match(following)) or following[0].islower()


def _add(found: list[Span], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start >= end:
        return
    if found and not re.search(r"\w", text[start:end]):
        # Signs without a word belong to the sentence before.
        found[-1] = (found[-1][0], end)
        return
    found.append((start, end))
