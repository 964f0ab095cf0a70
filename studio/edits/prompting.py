"""A prompt changed by one wish, in the prompt's own language and so that it stays a sentence."""

import re
from collections.abc import Callable

from studio.edits import chinese, english
from studio.edits.phrases import Phrase, phrase_for, spoken
from studio.edits.types import Wish
from studio.styles import written_in
from studio.text.fields import fields_of
from studio.text.framing import camera_in
from studio.text.terms import find
from studio.text.traditional import Own, simplified
from studio.words import Language

_SCENE = ("time", "season", "weather", "light", "camera", "mood")
# What of a prompt gives way to a new phrase of the same kind.
_GIVE_WAY: dict[str, tuple[str, ...]] = {"time": ("day", "signs"), "season": ("season",)}


def changed(wish: Wish, prompt: str, said: str = "") -> str | None:
    """The prompt after a wish; None if nothing in it has to change (or nobody knows what).

    A prompt in traditional characters stays in its own; `said` is the wish as it was typed.
    """
    own = Own((prompt, said))
    if simplified(prompt) == prompt:
        return _changed(wish, prompt)
    after = _changed(wish, simplified(prompt))
    return None if after is None else own(after)


def _changed(wish: Wish, prompt: str) -> str | None:
    language = written_in(prompt)
    if wish.intent in _SCENE:
        return _scene(wish, prompt, language)
    write = english if language == "en" else chinese
    does: dict[str, Callable[[Wish, str], str | None]] = {
        "colour": write.coloured,
        "attribute": write.described,
        "count": write.counted,
        "add": write.added,
        "remove": write.removed,
        "replace": write.replaced,
        "action": write.acting,
        "place": write.placed,
    }
    if wish.intent not in does:
        return None
    after = does[wish.intent](wish, prompt.strip())
    return None if after is None or after == prompt.strip() else after


def with_words(prompt: str, phrase: str) -> str:
    """The prompt with a phrase behind it, before its full stop."""
    return _appended(prompt, phrase, written_in(prompt))


def _scene(wish: Wish, prompt: str, language: Language) -> str | None:
    if wish.intent == "weather" and _ends(wish):
        return _without(prompt, "weather", language, only=phrase_for("weather", wish.text))
    found = phrase_for(wish.intent, wish.value) or phrase_for(wish.intent, wish.text)
    if found is None:
        phrase = spoken(wish.value or wish.text, language)
    else:
        phrase = found.text(language, wish.amount.sign, _told(wish))
    bare = _without(prompt, wish.intent, language) or prompt
    after = _appended(bare, phrase, language)
    return None if after == prompt else after


def _told(wish: Wish) -> float:
    """How strongly: "heavier" and 再大点 ask for more than a bare noun does."""
    stronger = re.search(r"\b(?:more|heav|strong|thick|harder|bigger|dense)|大|多|浓|强", wish.text)
    return 2.0 if stronger else wish.amount.strength


def _ends(wish: Wish) -> bool:
    return bool(
        re.search(
            r"\b(?:no|without|stop|remove|get rid|don't|not|never)\b|不要|没有|别|去掉|不下|停", wish.text
        )
    ) and not re.search(r"\b(?:so|too|that) |那么|太", wish.text)


def _without(prompt: str, kind: str, language: Language, *, only: Phrase | None = None) -> str | None:
    """The prompt without what it says of a kind; None if it says nothing of it."""
    if kind == "camera":
        said = camera_in((prompt,), "")
    elif kind in _GIVE_WAY:
        said = [found.word for found in find(prompt, "times", *_GIVE_WAY[kind])]
    elif kind == "weather":
        said = list(fields_of(prompt).weather)
    else:
        return None
    write = english if language == "en" else chinese
    after = prompt
    for word in said:
        if only is None or only.said.search(word):
            after = write.without_phrase(after, word, kind)
    return None if after == prompt else after


def _appended(prompt: str, phrase: str, language: Language) -> str:
    comma = ", " if language == "en" else "，"
    body = prompt.rstrip().rstrip(" ,，、;；")
    stop = body[-1] if body and body[-1] in ".。!！" else ""
    body = body[: len(body) - len(stop)]
    if phrase.lower() in body.lower():
        return prompt
    return f"{body}{comma}{phrase}{stop}" if body else phrase
