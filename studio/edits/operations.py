"""What is done to the finished file for a wish: which operation, how far."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.models import MODELS, ModelSpec
from studio.edits.amounts import number
from studio.edits.types import Wish
from studio.media.retouch import Operation

# How far a measure goes for "a bit", plainly, and "much".
_STEPS = {0.5: 0.2, 1.0: 0.4, 2.0: 0.7}
_SPEEDS = {0.5: 0.8, 1.0: 0.5, 2.0: 0.33}
CROPS = {0.5: 0.1, 1.0: 0.2, 2.0: 0.35}
_ENDS_FIRST = r"first|start|beginning|opening|intro|initial|head|前|开头|开始|片头|头|开场"


@dataclass(frozen=True)
class Clip:
    """What is known of the clip that a wish is about: what it was asked with, its length in seconds.

    `said` is the wish as it was typed: it may be in traditional characters.
    """

    prompt: str
    form: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 5.0
    said: str = ""

    @property
    def spec(self) -> ModelSpec | None:
        """The model that drew it, if there is still one of that name."""
        return MODELS.get(str(self.form.get("model", "")))


def _measure(wish: Wish, clip: Clip) -> Operation:
    amount = wish.amount
    if amount.factor is not None:
        far = max(-1.0, min(1.0, amount.factor - 1)) or 0.2 * (amount.sign or 1)
    else:
        far = (amount.sign or 1) * _STEPS.get(amount.strength, 0.4)
    return Operation(name=wish.intent, amount=round(far, 3))  # type: ignore[arg-type]  # its name is the intent's


def _speed(wish: Wish, clip: Clip) -> Operation:
    amount = wish.amount
    if found := re.search(r"(\d+(?:\.\d+)?) ?(?:x|倍速)", wish.text):
        factor = float(found[1])
    elif re.search(r"half|一半|减半|放慢一倍|慢一倍", wish.text):
        factor = 0.5
    elif re.search(r"time[- ]?lapse|延时", wish.text):
        factor = 4.0
    elif re.search(r"slow[- ]?mo|慢动作|慢镜头", wish.text):
        factor = 0.5
    elif amount.factor is not None and amount.factor > 0:
        factor = amount.factor
    else:
        factor = _SPEEDS.get(amount.strength, 0.5)
        factor = 1 / factor if amount.sign > 0 else factor
    if amount.sign < 0 and factor > 1 and not re.search(r"x|倍速", wish.text):
        factor = 1 / factor
    return Operation(name="speed", amount=round(max(0.25, min(4.0, factor)), 3))


def _plain(name: str) -> Callable[[Wish, Clip], Operation]:
    return lambda wish, clip: Operation(name=name)  # type: ignore[arg-type]  # one of OperationName


def _loop(wish: Wish, clip: Clip) -> Operation:
    found = re.search(
        r"(\d+|one|two|three|four|five|six|[一两二三四五六七八九十])\s*(?:times|遍|次)", wish.text
    )
    times = number(found[1]) if found else 2.0 if re.search(r"twice", wish.text) else None
    if re.search(r"boomerang|ping|back|来回|往复", wish.text):
        return Operation(name="loop", amount=max(1, min(10, times or 1)), how="back")
    return Operation(name="loop", amount=max(2, min(10, times or 3)))


def _trim(wish: Wish, clip: Clip) -> Operation:
    text = wish.text
    told = [
        number(one)
        for one in re.findall(
            r"(\d+(?:\.\d+)?|\b(?:one|two|three|four|five|six|half|few|couple)\b|[一二两三四五六七八九十半几]+)"
            r"(?= ?-?(?:of an? |an? )?(?:seconds?|secs?|s\b)|个?秒)",
            text,
        )
    ]
    half = re.search(r"half(?! an? sec)|一半|半[段部]", text)
    seconds = next((one for one in told if one), None) or (
        clip.seconds / 2 if half else min(1.0, clip.seconds / 4)
    )
    first = bool(re.search(_ENDS_FIRST, text)) and not re.search(
        r"\blast\b|最后|结尾|后半|后面|片尾|\bend\b", text
    )
    keep = re.search(r"keep|only|retain|just|use|保留|只|要(?!.*不要)|截取", text) and not re.search(
        r"不要", text
    )
    starts = re.search(r"(?:start|begin)\w* (?:it )?(?:at|from|after)|从.*开始", text)
    seconds = round(max(0.05, min(seconds, max(0.1, clip.seconds - 0.3))), 2)
    if starts:
        return Operation(name="trim", amount=seconds, how="start")
    if keep:
        return Operation(name="trim", amount=seconds, how="keep_start" if first else "keep_end")
    return Operation(name="trim", amount=seconds, how="start" if first else "end")


def _fade(wish: Wish, clip: Clip) -> Operation:
    text = wish.text
    into = re.search(r"fade[- ]?in|from (?:black|white)|start|淡入|渐显|渐入|从.?[黑白]|开头", text)
    out = re.search(r"fade[- ]?out|to (?:black|white)|\bend|淡出|渐隐|渐黑|结尾|最后", text)
    white = "_white" if re.search(r"white|白", text) else ""
    how = "in" if into and not out else "out"
    return Operation(name="fade", amount=round(max(0.1, min(1.0, clip.seconds / 4)), 2), how=how + white)


def _crop(wish: Wish, clip: Clip) -> Operation:
    sides = (("left", r"left|左"), ("right", r"right|右"), ("top", r"top|上"), ("bottom", r"bottom|下"))
    how = next((name for name, said in sides if re.search(said, wish.text)), "edges")
    found = re.search(r"(\d+(?:\.\d+)?) ?(?:%|percent)", wish.text)
    parts = (("third|三分之一", 1 / 3), ("quarter|四分之一", 0.25), ("half|一半", 0.5))
    share = (
        float(found[1]) / 100 if found else next((v for said, v in parts if re.search(said, wish.text)), None)
    )
    return Operation(
        name="crop",
        amount=round(max(0.02, min(0.6, share or CROPS.get(wish.amount.strength, 0.2))), 3),
        how=how,
    )


def _mirror(wish: Wish, clip: Clip) -> Operation:
    down = re.search(r"upside|vertical|上下|垂直|颠倒(?!左)|倒过来|头朝下", wish.text) and not re.search(
        "左右", wish.text
    )
    return Operation(name="mirror", how="down" if down else "across")


def _rotate(wish: Wish, clip: Clip) -> Operation:
    text = wish.text
    if re.search(r"180|half turn|一百八十", text):
        return Operation(name="rotate", amount=180)
    left = re.search(r"counter|anti-?clock|left|逆|270|左", text)
    return Operation(name="rotate", amount=270 if left else 90)


OPERATIONS: dict[str, Callable[[Wish, Clip], Operation]] = {
    **dict.fromkeys(("brightness", "contrast", "saturation", "warmth", "sharpness"), _measure),
    "speed": _speed,
    "reverse": _plain("reverse"),
    "stabilise": _plain("stabilise"),
    "loop": _loop,
    "trim": _trim,
    "fade": _fade,
    "crop": _crop,
    "mirror": _mirror,
    "rotate": _rotate,
}
