"""Which intent a piece of a wish has: the rules, in the order in which they are asked.

What is unmistakable comes first (music, undo, a stretch of time that is cut), then what is done with things,
then the scene, and measures of the whole picture last: "brighter" is one only if no thing is named.
"""

import re
from collections.abc import Callable, Sequence

from studio.edits.amounts import amount_of
from studio.edits.clauses import Clause
from studio.edits.scene import camera, light, mood, place, scene, style
from studio.edits.things import about_things, replaced
from studio.edits.types import Amount, Wish

_ADDS = re.compile(r"^(?:再|多)?(?:加|添|来|放|画|补|摆)|^(?:add|put|include|insert|with|place|give)\b")
_STRETCH = r"half|beginning|start|intro|ending|\bend\b|second|middle|开头|结尾|半|片|头尾|掐|段|开场|结束"
MEASURES = ("contrast", "warmth", "saturation", "brightness", "sharpness")

_PLAIN = Amount()

Rule = Callable[[Clause], Sequence[Wish]]


def wishes_of(clause: Clause) -> tuple[Wish, ...]:
    """What a piece of a wish asks for; nothing if no rule is sure."""
    if not re.search(r"\w", clause.text) or clause.has("chat"):
        return ()
    for rule in _RULES:
        if found := rule(clause):
            return tuple(found)
    return ()


def _one(clause: Clause, intent: str, *, value: str = "", amount: Amount = _PLAIN) -> tuple[Wish, ...]:
    return (Wish(intent, clause.text, value=value, amount=amount),)


def _moves(clause: Clause) -> bool:
    """Whether a thing of the picture does something."""
    return bool(clause.things) and clause.has("motion") and not clause.has("camera")


# -- unmistakable ------------------------------------------------------------------------------------------


def _instructions(clause: Clause) -> Sequence[Wish]:
    if not clause.has("guidance"):
        return ()
    words = {mark.word for mark in clause.marks("guidance")}
    if clause.things and words <= {"大胆", "自由", "忠实", "free", "freer", "loosely", "strict", "interpret"}:
        return ()
    freer = clause.says(
        r"creativ|free|loos|libert|imagin|experiment|deviat|wild|自由|发挥|创意|创造|想象|天马|脑洞|大胆"
    )
    less = clause.says(
        r"\bless (?:strict|literal|faithful)|not so (?:strict|literal)|别太(?:严格|死板)|不用太"
    )
    back = clause.says(
        r"less (?:creativ|free|imagin|experiment)|too (?:creativ|free|imagin|wild)|别.{0,3}(?:自由|发挥|创意)"
    )
    sign = -1 if (freer and not back) or less else 1
    return _one(clause, "guidance", amount=Amount(sign, amount_of(clause).strength))


def _sound(clause: Clause) -> Sequence[Wish]:
    if not clause.has("sound") or clause.says(r"sounds? (?:good|great|fine|like)|musician|歌手|唱歌|声势"):
        return ()
    if clause.word("sound") in ("beat", "score", "hear", "listen", "silent", "silence") and clause.things:
        return ()
    return _one(clause, "sound")


def _words(clause: Clause) -> Sequence[Wish]:
    if not clause.has("text"):
        return ()
    if clause.has("motion") and clause.somebody and clause.says(r"\bwrit"):
        return ()
    return _one(clause, "text")


def _undo(clause: Clause) -> Sequence[Wish]:
    return _one(clause, "undo") if clause.has("undo") else ()


def _again(clause: Clause) -> Sequence[Wish]:
    if not clause.has("again"):
        return ()
    if clause.has("style", "camera", "colour", "weather", "season") or (
        clause.things and clause.has("motion")
    ):
        return ()
    return _one(clause, "again")


def _fade(clause: Clause) -> Sequence[Wish]:
    if not clause.has("fade") or (
        clause.has("saturation") and not clause.says(r"fade[ -]?(?:in|out|to|from)")
    ):
        return ()
    return _one(clause, "fade")


def _reverse(clause: Clause) -> Sequence[Wish]:
    if not clause.has("reverse") or (_moves(clause) and clause.says(r"backward|back to front")):
        return ()
    if clause.says(r"reverse (?:angle|shot|view)|reverse the (?:change|edit|last)"):
        return ()
    return _one(clause, "reverse")


def _loop(clause: Clause) -> Sequence[Wish]:
    if not clause.has("loop") or (_moves(clause) and clause.says(r"back and forth|来回|反复|往复")):
        return ()
    return _one(clause, "loop")


def _trim(clause: Clause) -> Sequence[Wish]:
    if not clause.has("trim_what"):
        return ()
    timed = clause.has("seconds") or clause.says(_STRETCH)
    if clause.has("trim_verb") and timed and not clause.has("speed_more", "speed_less", "brightness_less"):
        if clause.things and not clause.has("seconds") and not clause.says("half|半段"):
            return ()
        return _one(clause, "trim")
    return ()


def _crop(clause: Clause) -> Sequence[Wish]:
    if not clause.has("crop") or clause.has("trim_what", "seconds"):
        return ()
    if clause.has("format") and clause.says(r"square|16|9|4[:/]3|方|竖|横|ratio|比例"):
        return _one(clause, "format")
    return _one(clause, "crop")


def _mirror(clause: Clause) -> Sequence[Wish]:
    if not clause.has("mirror") or clause.says(r"in (?:a|the|his|her) mirror|a mirror\b|mirror on|镜子|倒影"):
        return ()
    if _moves(clause) and not clause.says(r"picture|video|clip|image|画面|horizontally|镜像|翻转"):
        return ()
    return _one(clause, "mirror")


def _rotate(clause: Clause) -> Sequence[Wish]:
    if not clause.has("rotate") or clause.has("camera") or clause.has("trim_what"):
        return ()
    if clause.things and not clause.says(r"degree|°|度|clockwise|时针|sideways"):
        return ()
    if clause.things and clause.says(r"walk|move|go|走|移"):
        return ()
    return _one(clause, "rotate")


def _stabilise(clause: Clause) -> Sequence[Wish]:
    if not clause.has("stabilise") or clause.has("length"):
        return ()
    steady = clause.says(
        r"stabili|shak[ey]|shaki|jitter|wobbl|jerky|judder|flicker|stutter|choppy|防抖|抖|晃|闪烁|卡顿"
    )
    if clause.has("camera") and not steady:
        return ()
    if clause.things and not clause.says(
        r"晕|stabili|jitter|judder|flicker|防抖|画面|镜头|camera|picture|video|clip"
    ):
        return ()
    if clause.says(r"handheld|hand-held|more shak|手持|(?:shake|nod)s? (?:his|her|its|their) head"):
        return ()
    return _one(clause, "stabilise")


# -- settings ----------------------------------------------------------------------------------------------


def _format(clause: Clause) -> Sequence[Wish]:
    if not clause.has("format"):
        return ()
    single = all(
        mark.word in ("竖", "横", "square", "长", "方的", "upright") for mark in clause.marks("format")
    )
    if single and (clause.things or clause.has("camera", "motion")):
        return ()
    return _one(clause, "format", value=clause.word("format"))


def _length(clause: Clause) -> Sequence[Wish]:
    if clause.things or (clause.has("camera", "camera_weak") and not clause.has("length", "seconds")):
        return ()
    if (
        clause.has("seconds")
        and not clause.has("fade", "loop")
        and not (clause.has("trim_what") and clause.has("trim_verb"))
    ):
        return _one(clause, "length", value=clause.word("seconds"), amount=_span(clause))
    if (
        clause.has("length")
        and not clause.has("camera", "mood")
        and not clause.says(r"\blong (?:shot|take|lens)|长镜头|长焦")
    ):
        return _one(clause, "length", amount=_span(clause))
    return ()


def _span(clause: Clause) -> Amount:
    """Longer or shorter; the other way round where it is too long."""
    plain = amount_of(clause)
    shorter = clause.says(r"short|brief|缩短|压缩|短|少") != clause.says(
        r"\btoo (?:long|short)|太[长短]|goes on|不够短|有点[长短](?!一)"
    )
    return Amount(-1 if shorter else 1, plain.strength, plain.factor)


def _quality(clause: Clause) -> Sequence[Wish]:
    if not clause.has("quality"):
        return ()
    sure = clause.says(
        r"quality|details?\b|draft|preview|render|画质|质量|细节|品质|草稿|步数|精细|预览|artifact|artefact|glitch|瑕疵|伪影"
    )
    if (clause.things or clause.has("camera", "mood", "weather")) and not sure:
        return ()
    lower = clause.says(
        r"draft|rough|preview|low(?:er)?[- ]quality|quick|crude|草|粗略|快速|预览|fewer steps|less detail"
    )
    return _one(clause, "quality", amount=Amount(-1 if lower and not clause.has("too", "enough") else 1))


# -- measures of the whole ---------------------------------------------------------------------------------


def _speed(clause: Clause) -> Sequence[Wish]:
    if not clause.has("speed_more", "speed_less", "speed") or clause.has("camera"):
        return ()
    if clause.somebody or (
        clause.things and not clause.says(r"slow[- ]?mo|time[- ]?lapse|慢动作|慢镜头|延时|快进|playback|播放")
    ):
        return ()
    return _one(clause, "speed", amount=amount_of(clause, "speed"))


def _measures(clause: Clause) -> Sequence[Wish]:
    """Brightness, contrast, saturation, warmth, sharpness of the whole picture."""
    if clause.things:
        return ()
    warm = clause.has("warmth") or (
        clause.has("warmth_more", "warmth_less")
        and (clause.says(r"warm|cool|cold|暖|冷|ish\b|偏|发|泛|太|有点|er\b|too|more|less|一[点些]|点$|些$"))
    )
    if warm and clause.has("warmth_more", "warmth_less", "warmth") and not clause.has("contrast"):
        noun = clause.word("warmth") in ("tone", "tones", "调子", "色调", "hue", "tint")
        if not noun or clause.has("warmth_more", "warmth_less") or not clause.has(*_others("warmth")):
            return _one(clause, "warmth", amount=amount_of(clause, "warmth"))
    for name in ("contrast", "saturation", "brightness", "sharpness"):
        sure = clause.has(name, f"{name}_more", f"{name}_less")
        if name == "saturation" and sure and not clause.has("saturation_more", "saturation_less"):
            # Bare "colours" say nothing; 颜色亮一点 is about them all the same.
            sure = clause.has("more", "less", "too", "enough", "brightness_more", "brightness_less", "little")
        if (
            name == "contrast"
            and sure
            and not clause.has("contrast")
            and clause.has("brightness", "saturation")
        ):
            sure = False
        if sure:
            return _one(clause, name, amount=amount_of(clause, name))
    return ()


def _others(name: str) -> tuple[str, ...]:
    return tuple(f"{other}_{way}" for other in MEASURES if other != name for way in ("more", "less"))


_RULES: tuple[Rule, ...] = (
    _instructions,
    _sound,
    _words,
    _undo,
    _again,
    _fade,
    _trim,
    _crop,
    _loop,
    _reverse,
    _mirror,
    _rotate,
    replaced,
    _stabilise,
    style,
    camera,
    _quality,
    _format,
    scene,
    about_things,
    _length,
    _speed,
    light,
    place,
    mood,
    _measures,
)
