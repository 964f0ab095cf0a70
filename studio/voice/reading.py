"""A text as a voice says it: divided into what is said in one breath, and turned into phonemes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from studio.text.language import HAN, language_of
from studio.text.sentences import sentences
from studio.voice import english, figures, mandarin
from studio.voice.problems import VoiceError
from studio.voice.voices import Voice, VoiceLanguage, voice_for

MAX_TEXT = 4000
"""The most characters that are narrated in one go."""
LONGEST = 260
"""Phonemes that are said in one breath: 14 seconds; more lose their melody and take more memory (600 MB)."""

LINE_PAUSE = 0.45
BREATH_PAUSE = 0.25
# So many words or characters of the other language are a sentence, fewer a name.
_FOREIGN = {"en": 4, "zh": 6}

_HAN = re.compile(f"[{HAN}]")
_HAN_RUN = re.compile(f"([{HAN}〇]+)")
_WITH_FIGURES = re.compile(rf"[\d.,%]*(?:\d\s?)?[{HAN}][{HAN}\d.,%:]*")
_LETTERS = re.compile(r"[A-Za-z\u00c0-\u024f\d]")
_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_LINK = re.compile(r"https?://|(?<=\w)/(?=[\w?#])", re.IGNORECASE)
_SIGNS = str.maketrans(
    {
        "。": ".",
        "、": ",",
        "《": "“",
        "》": "”",
        "「": "“",
        "」": "”",
        "『": "“",
        "』": "”",
        "【": "“",
        "】": "”",
    }
)
_MARKS = ';:,.!?—…"“”()'
_REPEATED = re.compile(r"[;:,.!?—…](?: *[;:,.!?—…])+")
_CUTS = (
    re.compile(r"[。．.!?！？；;…]+[”’」』\"')）]*\s*"),
    re.compile(r"[，,、：:—]+\s*"),
    re.compile(r"\s+"),
)


@dataclass(frozen=True)
class Breath:
    """What is said in one go, and by which offline voice.

    `pause` is the silence behind it in seconds, before the next one.
    """

    text: str
    phonemes: str
    voice: str
    pause: float


def breaths(text: str, voice: Voice) -> list[Breath]:
    """The text in breaths: a sentence each, long ones cut at a comma; the texts joined are the whole text.

    What can't be said (emoji, signs) goes with the breath before it. Empty if nothing can be said.
    Raises VoiceError "voice_text_long".
    """
    if len(text) > MAX_TEXT:
        raise VoiceError("voice_text_long", count=len(text), high=MAX_TEXT)
    found: list[Breath] = []
    silent = ""
    for piece, pause in pieces(text):
        reader = reader_of(piece, voice)
        parts = _fitting(piece, reader)
        for number, (part, said) in enumerate(parts):
            if said:
                rest = pause if number == len(parts) - 1 else BREATH_PAUSE
                found.append(Breath(_joined(silent, part), said, reader.name, rest))
                silent = ""
            elif found:
                found[-1] = replace(found[-1], text=_joined(found[-1].text, part))
            else:
                silent = _joined(silent, part)
    return found


def reader_of(sentence: str, voice: Voice) -> Voice:
    """The voice that says a sentence: the given one, or one of the other language for a whole sentence in it.

    Words and names of the other language within a sentence stay with the voice; of whole sentences it would
    make something that nobody understands.
    """
    own = language_of(sentence)
    if own == "mixed" or own == voice.language:
        return voice
    many = len(_WORD.findall(sentence)) if own == "en" else len(_HAN.findall(sentence))
    return voice_for(own, voice.gender) if many >= _FOREIGN[own] else voice


def phonemes(text: str, voice: Voice) -> str:
    """One sentence in the voices' phonemes; Latin words and Chinese characters each by their own reader.

    Figures are said in the sentence's language. Empty if there is nothing to say.
    """
    text = _LINK.sub(" ", figures.plain(text))
    chinese = _language(text, voice) == "zh"
    text = figures.chinese(text) if chinese else _WITH_FIGURES.sub(_chinese_figures, figures.english(text))
    said = " ".join(filter(None, (_run(run, voice) for run in _HAN_RUN.split(text))))
    said = re.sub(r" +([;:,.!?…)”])", r"\1", re.sub(r"\s+", " ", said))
    said = re.sub(r"([(“]) +", r"\1", said).replace("()", "").replace("“”", "").strip()
    said = _REPEATED.sub(lambda m: _strongest(m.group()), said)
    if not said.strip(_MARKS + " "):
        return ""
    return said if said.rstrip('"”) ')[-1:] in ".!?…" else said.rstrip(";:,— ") + "."


def _run(run: str, voice: Voice) -> str:
    if _HAN_RUN.match(run):
        return mandarin.phonemes(run.replace("〇", "零"))
    run = run.translate(_SIGNS)
    if _LETTERS.search(run):
        return english.phonemes(run, voice.accent)
    return "".join(sign if sign in _MARKS else " " for sign in run)


def _strongest(marks: str) -> str:
    """One mark instead of several: what asks or cries out counts before what only pauses."""
    return next(mark for mark in "?!…—.;:," if mark in marks)


def _language(text: str, voice: Voice) -> VoiceLanguage:
    found = language_of(text)
    if found == "mixed":
        found = voice.language
    # Figures alone are read in the voice's own language.
    return voice.language if found == "en" and not _WORD.search(text) else found


def _chinese_figures(match: re.Match[str]) -> str:
    return figures.chinese(match.group())


def pieces(text: str) -> Iterator[tuple[str, float]]:
    """Each sentence with the pause behind it in seconds; a line break ends a sentence too."""
    for line in re.split(r"[\r\n\v\f\x85\u2028\u2029]+", text):
        spans = sentences(line)
        for number, (start, end) in enumerate(spans):
            piece = line[start:end]
            last = number == len(spans) - 1
            yield piece, LINE_PAUSE if last else _pause(piece)


def _pause(sentence: str) -> float:
    return 0.4 if sentence.rstrip("”’」』\"')）")[-1:] in tuple("?？!！…") else 0.35


def _fitting(text: str, voice: Voice) -> list[tuple[str, str]]:
    """The text with its phonemes, in as many parts as are needed for none to be too long."""
    said = phonemes(text, voice)
    if len(said) <= LONGEST or len(text) < 2:
        return [(text, said)]
    cut = _middle(text)
    return _fitting(text[:cut].strip(), voice) + _fitting(text[cut:].strip(), voice)


def _middle(text: str) -> int:
    """Where a long sentence is best cut: near its middle, behind the strongest mark there is."""
    half = len(text) // 2
    for pattern in _CUTS:
        places = [match.end() for match in pattern.finditer(text) if 0.2 < match.end() / len(text) < 0.8]
        if places:
            return min(places, key=lambda place: abs(place - half))
    return half


def _joined(before: str, after: str) -> str:
    """Two texts as one; between Latin words stands a space."""
    return f"{before} {after}" if before[-1:].isascii() and before and after[:1].isascii() else before + after
