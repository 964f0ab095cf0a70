"""How long a text takes to say, told without saying it."""

import re

from studio.voice.voices import VOICES, VoiceLanguage

_HAN = re.compile(r"[\u3400-\u9fff]")
_WORD = re.compile(r"[A-Za-z]+")


def seconds_for(
    text: str, *, voice: str = "", language: VoiceLanguage | None = None, speed: float = 1.0
) -> float:
    """An estimate of the seconds of narration, pauses included; 0.0 where there is nothing to say.

    An unknown voice counts as an average one of the language.
    """
    han = len(_HAN.findall(text))
    letters = sum(map(len, _WORD.findall(text)))
    return (han * 0.24 + letters * 0.075) / speed * (VOICES[voice].pace if voice in VOICES else 1.0)
