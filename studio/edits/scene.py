"""Rules for what holds of the whole scene: time, weather, season, light, place, mood, camera, style."""

import re
from collections.abc import Sequence

from studio.edits.amounts import amount_of
from studio.edits.clauses import Clause
from studio.edits.types import Wish
from studio.text.language import HAN

# Weather that shines: how bright it is, is how it looks.
_SHINES = re.compile(r"lightning|\bsun\b|rainbow|aurora|northern lights|闪电|太阳|彩虹|极光|雷电|月")
_CHANGES = re.compile(
    r"bright|dark|dim|colou?r|big|small|larg|huge|red|blue|gold|visible|亮|暗|大(?!雨|雪|雾|风)|红|颜色|明显|粗|长"
)
_IN_EN = re.compile(
    r"(?:^|\b(?:it|this|everything|scene|set|happen\w*|take\w* place|put it|move(?: "
    r"it| everything)?|be|is|but|all|this one|place)\b.*?)"
    r"\b(?:in|at|on|inside|into|to|under|near|by|onto|beside|through) (?:the |an? |some "
    r")?(?P<place>[a-z][a-z' -]+)$"
)
_IN_ZH = re.compile(
    rf"(?:在|到|去|进|于)(?P<place>[{HAN}a-z ]+?(?:[边上下旁])?)(?:里面?|中|旁边?|下面?|内|之中)?"
    r"(?:拍|发生|进行|来|去|吧|的?场景|的话)?$"
)
_ADDS = re.compile(
    r"\b(?:add|put an?|put some|include|insert|give|wearing|holding)\b"
    r"|加|添|来[个只条点些一]|放[个一]|戴|穿|拿"
)
# Who looks into the camera moves himself.
_FACES = (
    r"(?:看|望|面|对|朝).{0,3}镜头|(?:look|fac|smil|wav|star|walk|runs?|com|turn)\w* (?:\w+ "
    r")*?(?:at|to|into|towards?|in)? ?the (?:camera|lens)"
)
_SURE_TIME = re.compile(
    r"night|dusk|dawn|sunset|sunrise|noon|midday|evening|morning|twilight|day|hour|夜|晚|晨|午|昏|落|黎|早|白天|昼|晓|亮|黑"
)


def _value(clause: Clause, concept: str) -> Wish:
    found = clause.marks(concept)
    return Wish(concept, clause.text, value=found[0].word)


def scene(clause: Clause) -> Sequence[Wish]:
    """Time of day, season and weather: as many as a piece names (a rainy night in autumn)."""
    if not clause.has("time", "season", "weather") or _about_a_thing(clause):
        return ()
    found = []
    if (
        clause.has("time")
        and not clause.says(r"\ball day\b|(?:some|this|every|another|the other|one|to)day\b")
        and not _lit(clause)
    ):
        found.append(_value(clause, "time"))
    if clause.has("season"):
        found.append(_value(clause, "season"))
    weather = clause.marks("weather")
    if weather and not (_lit(clause) and weather[0].word in ("阳光", "sunlight", "sun", "太阳")):
        if not (_SHINES.search(clause.text) and _CHANGES.search(clause.text)):
            thing = f"{weather[0].word}"
            found.append(Wish("weather", clause.text, value=thing, amount=amount_of(clause)))
        elif not found:
            word = clause.word("brightness_more", "brightness_less", "looks", "colour")
            return (Wish("attribute", clause.text, weather[0].word, word, amount_of(clause, "brightness")),)
    return found


def _lit(clause: Clause) -> bool:
    """Whether the time only says which light: evening light, 晨光."""
    return clause.says(
        r"(?:morning|evening|sunset|sunrise|dawn|night|day|afternoon|noon|dusk|sun)[- ](?:light"
        r"|glow|rays|beams)|sunlight (?:through|from)|斑驳"
    )


def _about_a_thing(clause: Clause) -> bool:
    """Whether a thing is added, taken away, changed or doing something, whatever the weather."""
    if not clause.things:
        return False
    if clause.has("remove") or _ADDS.search(clause.text):
        return True
    # In Chinese the place and the time stand before everything else: 夜里船在海上 is about the night.
    changed = clause.has("colour", "looks", "number", "remove_weak") and not clause.says(
        r"^(?:at|in|by|during|as|on)\b"
    )
    sure = bool(_SURE_TIME.search(" ".join(mark.word for mark in clause.marks("time")))) or clause.has(
        "season"
    )
    return changed and not sure and not clause.has("weather")


def camera(clause: Clause) -> Sequence[Wish]:
    """Where the camera is and how it moves."""
    if clause.says(_FACES):
        return ()
    wish = (Wish("camera", clause.text, clause.thing, value=clause.word("camera", "camera_weak")),)
    if clause.has("camera"):
        word = clause.word("camera")
        if (
            clause.things
            and clause.says(r"\badd\b|加[一个只]")
            and not clause.says(r"zoom|pan|shot|镜头|特写")
        ):
            return ()
        if word in ("tripod", "camera", "cam", "相机") and clause.says(
            r"hold|with a camera|look|face|看|拿|面对|转向"
        ):
            return ()
        if (
            word in ("angle", "angles", "fisheye", "perspective", "拍")
            and clause.has("add")
            and clause.things
        ):
            return ()
        return wish
    if not clause.has("camera_weak") or (
        clause.has("add", "remove", "speed_more", "speed_less") and clause.things
    ):
        return ()
    if not clause.things:
        return wish if not (clause.somebody and clause.has("motion")) else ()
    return wish if _moves_the_camera(clause) else ()


def _moves_the_camera(clause: Clause) -> bool:
    """Whether it is the camera that comes closer to a thing, and not one thing to another."""
    first = clause.marks("camera_weak")[0]
    at = clause.text.find(clause.thing)
    if clause.chinese:
        if clause.says(r"[让使].{1,6}(?:跟|靠近|离|走|飞|游|跑|升)|向.{1,4}靠近") or (
            clause.has("looks") and first.word in ("放大", "缩小")
        ):
            return False
        return not clause.says(r"^(?:把|将).{1,8}(?:放大|缩小|升起|移)")
    if clause.says(
        r"^(?:move|bring|put|place|push|pull|take|let|make|have) (?:the|a|an|his|her|that"
        r"|them|him) (?!camera|view|shot|frame)"
    ):
        return clause.says(
            r"^(?:bring|make|have) (?:the|a|that) \w+(?: \w+)? (?:a (?:bit|little) )?closer$"
        ) and not clause.has("motion")
    if (
        clause.says(r"wider|tight|further|centered|centred")
        and clause.says(r"(?:wider|tighter?|further) \w+$")
        and first.word in ("wider", "tight", "tighter")
    ):
        return False
    return at < 0 or first.start < at or clause.says(r"(?:too (?:close|far)|closer|nearer|cent(?:er|re)d)")


def style(clause: Clause) -> Sequence[Wish]:
    """Another look of the whole picture."""
    if not clause.has("style"):
        return ()
    word = clause.word("style")
    strong = clause.says(
        r"style|look like|looks like|like an?\b"
        r"|风|感$|像.{0,8}(?:一样|似的|那样)|滤镜|as an?\b|turn (?:it|this) into|质感"
    )
    if clause.has("camera") and not strong:
        return ()
    if word in (
        "painting",
        "drawing",
        "puppet",
        "lego",
        "felt",
        "clay",
        "mosaic",
        "filter",
        "sketch",
        "3d",
        "illustration",
        "comic",
        "绘本",
        "漫画",
        "刺绣",
        "filter",
    ):
        if clause.has("add", "remove", "remove_weak") and clause.things and not strong:
            return ()
        if clause.has("add", "remove", "remove_weak") and not strong and word != "filter":
            return ()
    if word in ("realistic", "写实", "真实感", "逼真") and clause.things and not strong:
        return ()
    if (
        clause.things
        and clause.has("remove", "colour")
        and not strong
        and word not in ("grain", "vignette", "滤镜", "暗角", "颗粒")
    ):
        return ()
    if word == "黑白" and clause.things and clause.says(r"黑白(?:相间|的[^ ]{1,3}$)"):
        return ()
    return (Wish("style", clause.text, value=" ".join(mark.word for mark in clause.marks("style"))),)


def light(clause: Clause) -> Sequence[Wish]:
    """The kind of light in the scene; merely more or less of it is brightness."""
    if not clause.has("light"):
        return ()
    if clause.says(
        r"(?:more|less|extra|enough|much|too much|bit of|too little) (?:of )?(?:the )?(?:light"
        r"|lighting)\b(?! (?:from|through|on))"
        r"|光线?(?:太|不够|不足|再?[亮暗]|[亮暗])|光太[强弱亮暗]|(?:brighter"
        r"|darker|dim\w*) (?:light|lighting)$"
    ):
        return ()
    if clause.word("light") in ("light", "shade", "光") and not clause.says(r"\blight(?:s|ing)?\b|光"):
        return ()
    return (Wish("light", clause.text, value=" ".join(mark.word for mark in clause.marks("light"))),)


def place(clause: Clause) -> Sequence[Wish]:
    """Where it is."""
    if clause.chinese:
        found = _IN_ZH.search(clause.text)
        sure = clause.has("place") and not clause.says("^(?:这个)?地方$")
    else:
        found = _IN_EN.search(clause.text)
        sure = clause.has("place")
    if not (sure or found) or (clause.has("add", "remove") and not sure):
        return ()
    value = found["place"] if found else clause.thing
    return (Wish("place", clause.text, value=value.strip()),)


def mood(clause: Clause) -> Sequence[Wish]:
    """The feeling of the whole."""
    if not clause.has("mood"):
        return ()
    sure = clause.says(
        r"mood|atmosphere|vibe|ambian|ambien|feel|tension|drama|emotion|气氛|氛围|感|情绪|张力|意境"
    )
    if clause.things and not sure:
        return ()
    words = " ".join(
        mark.word for mark in clause.marks("mood") if mark.word not in ("感觉", "气氛", "氛围", "mood")
    )
    return (Wish("mood", clause.text, value=words, amount=amount_of(clause)),)
