"""Chinese prompts: things in them are found with what stands before them, and changed."""

import re

from studio.edits.phrases import adjective, colour_in, opposite, spoken
from studio.edits.types import Wish
from studio.text.chinese import words_of
from studio.text.language import HAN, has_han

_MEASURES = "只个条座棵朵匹头位片块艘把盏辆架群名张件颗轮间栋幢道"
_NUMBER = "[一两二三四五六七八九十几\\d]+"
_COLOUR = r"(?:[深浅淡大]?(?:红|粉|橙|橘|黄|金|绿|青|蓝|紫|白|黑|灰|银|棕|褐|米)色?)"
# Which measure word goes with which thing.
_MEASURED = {
    "条": "船 鱼 龙",
    "只": "鸟 狗 猫 羊 兔子",
    "匹": "马",
    "棵": "树",
    "朵": "花 云",
    "座": "山 桥 灯塔 塔 房子 城堡",
    "个": "人",
    "盏": "灯笼",
    "头": "牛",
    "辆": "车",
    "把": "伞",
    "轮": "月亮",
    "颗": "星星",
    "道": "彩虹",
    "架": "飞机",
    "位": "老人",
}
_COUNTS = {thing: measure for measure, things in _MEASURED.items() for thing in things.split()}
_MADE = re.compile(r"^(?:请|把|将|让|使|叫|令|给)")
_SOFTENED = re.compile(r"(?:一[点些下]儿?|点儿?|些)$")
_NUMBERS = {
    "two": "两",
    "three": "三",
    "four": "四",
    "five": "五",
    "six": "六",
    "seven": "七",
    "eight": "八",
    "nine": "九",
    "ten": "十",
    "several": "几",
}


def thing_in(prompt: str, thing: str) -> re.Match[str] | None:
    """Where a prompt names a thing, with number, measure and attributes before it; None if it does not."""
    name = bare(thing)
    for one in dict.fromkeys((name, name[-2:] if len(name) > 2 else name)):
        if one and (
            found := re.search(
                rf"(?P<number>{_NUMBER}[{_MEASURES}])?(?P<before>(?:[{HAN}]{{1,6}}的)?(?:{_COLOUR}"
                rf"(?=的?{re.escape(one)})的?)?)(?P<noun>{re.escape(one)})",
                prompt,
            )
        ):
            return found
    return None


def bare(thing: str) -> str:
    """A thing without number and measure, in Chinese."""
    word = spoken(thing, "zh").strip()
    return re.sub(rf"^(?:这|那|{_NUMBER})[{_MEASURES}]|^(?:的|这|那)", "", word)


def counted_one(thing: str) -> str:
    """一座灯塔: a thing with a measure word before it, unless it has one."""
    if re.match(rf"{_NUMBER}[{_MEASURES}]|一些|很多", thing) or not has_han(thing):
        return thing
    measure = next(
        (_COUNTS[name] for name in sorted(_COUNTS, key=len, reverse=True) if thing.endswith(name)), ""
    )
    return f"一{measure}{thing}" if measure else thing


def coloured(wish: Wish, prompt: str) -> str | None:
    """A thing in another colour."""
    colour = spoken(colour_in(wish.value) or wish.value, "zh")
    colour = colour if colour.endswith("色") or len(colour) > 2 else f"{colour}色"
    at = _at(wish, prompt)
    if at is None:
        name = bare(wish.target)
        return _behind(prompt, f"{colour}的{name}" if name else colour)
    before = re.sub(rf"{_COLOUR}的?", "", at["before"] or "")
    return prompt[: at.start()] + f"{at['number'] or ''}{before}{colour}的{at['noun']}" + prompt[at.end() :]


def described(wish: Wish, prompt: str) -> str | None:
    """A thing that is otherwise."""
    at = _at(wish, prompt)
    worn = re.search(r"[穿戴披留拿](?:着|上|了)?.*$", wish.text)
    if worn:
        told = re.sub(r"^([穿戴披留拿])(?:着|上|了)?(?=[顶件条副把双])?", r"\1着", worn.group())
        told = re.sub(r"着(?=[顶件条副把双])", "着一", told)
        if at is not None:
            return (
                prompt[: at.start()]
                + f"{at['number'] or ''}{at['before'] or ''}{told}的{at['noun']}"
                + prompt[at.end() :]
            )
        return _behind(prompt, told)
    quality = _quality(wish)
    if not quality:
        return None
    if at is None:
        name = bare(wish.target)
        return _behind(prompt, f"{quality}的{name}" if name else quality)
    before = re.sub(rf"(?:很|非常|更)?{re.escape(quality.removeprefix('非常'))}的", "", at["before"] or "")
    return prompt[: at.start()] + f"{at['number'] or ''}{quality}的{before}{at['noun']}" + prompt[at.end() :]


def counted(wish: Wish, prompt: str) -> str | None:
    """More or fewer of something."""
    at = _at(wish, prompt)
    name = bare(wish.target)
    said = re.search(rf"({_NUMBER})[{_MEASURES}]", wish.text)
    english = next((zh for en, zh in _NUMBERS.items() if re.search(rf"\b{en}\b", wish.text)), "")
    fewer = re.search(r"少|太多|\b(?:fewer|less|too many)\b", wish.text)
    noun = at["noun"] if at is not None else name
    measure = (at["number"] or "")[-1:] if at is not None else ""
    measure = measure or counted_one(noun)[1:2] if counted_one(noun).startswith("一") else "个"
    if said and not re.search(r"多[一几]|再", said.group()):
        told = said.group() if said[1] != "一" or "只" in wish.text else f"一{measure}"
    elif english:
        told = f"{english}{measure}"
    else:
        told = f"几{measure}" if fewer else "很多"
    if at is None:
        return _behind(prompt, f"{told}{name}")
    return prompt[: at.start()] + f"{told}{at['before'] or ''}{noun}" + prompt[at.end() :]


def added(wish: Wish, prompt: str) -> str | None:
    """Something more; where it shall be is said, too."""
    where = re.search(
        rf"(?P<where>[{HAN}]{{1,5}}(?:上|里|边|中|旁|旁边|背后|后面|前面|远处|天上|空中|下))(?:再|要|有|放|加|多|出现|来)",
        wish.text,
    )
    thing = spoken(wish.target, "zh")
    if where and where["where"] and thing and thing not in where["where"]:
        place = re.sub(r"^(?:在|给|让)", "", where["where"])
        return _behind(prompt, f"{place}有{counted_one(thing)}")
    if re.search(r"^远处|远处", wish.text):
        return _behind(prompt, f"远处有{counted_one(thing)}")
    return _behind(prompt, f"还有{counted_one(thing)}")


def removed(wish: Wish, prompt: str) -> str | None:
    """Without a thing; None if the prompt does not name it, or says nothing else."""
    at = thing_in(prompt, wish.target)
    if at is None:
        return None
    signs = "，。；,;.、"
    start = max(prompt.rfind(sign, 0, at.start()) for sign in signs) + 1
    end = min((k for k in (prompt.find(sign, at.end()) for sign in signs) if k >= 0), default=len(prompt))
    joined = re.search(r"[和与跟]$", prompt[start : at.start()])
    follows = re.match(r"[和与跟]", prompt[at.end() :])
    if joined:
        return prompt[: at.start() - 1] + prompt[at.end() :]
    if follows:
        return prompt[: at.start()] + prompt[at.end() + 1 :]
    rest = (prompt[:start].rstrip(signs) + prompt[end:]).strip(signs + " ")
    return rest or None


def replaced(wish: Wish, prompt: str) -> str | None:
    """One thing for another."""
    new = spoken(wish.value, "zh").strip()
    if not new:
        return None
    at = _at(wish, prompt)
    if at is None:
        return _behind(prompt, f"有{counted_one(new)}")
    if at["number"] and (told := counted_one(bare(new))).startswith("一"):
        number = at["number"][:-1] + told[1] if not told.endswith(told[1:]) or len(told) > 2 else at["number"]
    else:
        number = at["number"] or ""
    return prompt[: at.start()] + f"{number}{bare(new)}" + prompt[at.end() :]


def acting(wish: Wish, prompt: str) -> str | None:
    """Somebody does something, or does it otherwise."""
    if not has_han(wish.text):
        return None
    text = re.sub(r"(?:再|要|应该|可以|能不能|都)", "", _MADE.sub("", wish.text))
    text = _SOFTENED.sub("", text)
    slow = re.search(rf"^(?P<who>[{HAN}]+?)(?P<does>[跑走飞游开动跳转]+)得?(?P<how>慢|快|高|远)$", text)
    if slow:
        how = {"慢": "慢慢地", "快": "飞快地", "高": "高高地", "远": "远远地"}[slow["how"]]
        text = f"{slow['who']}{how}{slow['does']}"
    text = re.sub(r"^[他她它]们?", "", text)
    return _behind(prompt, text) if text else None


def placed(wish: Wish, prompt: str) -> str | None:
    """Somewhere else; what the prompt said of the place gives way where it can be told."""
    value = spoken(re.sub(r"^(?:一个|成|到)", "", wish.value), "zh")
    if not value:
        return None
    where = (
        value
        if value.startswith("在")
        else f"在{value}{'' if re.search('[上里中下边旁外]$|[室水]内$|街头$', value) else _side(value)}"
    )
    from studio.text.fields import fields_of

    for one in fields_of(prompt).environment:
        root = re.sub("[上里中下边]$", "", one)
        found = re.search(rf"在?{re.escape(root)}(?:[上里中下边]|边上)?", prompt)
        if found and root not in ("天空", "天"):
            return prompt[: found.start()] + where + prompt[found.end() :]
    return _behind(prompt, where)


def _side(place: str) -> str:
    """上 for what one stands on, 里 for what one is in."""
    return (
        "上"
        if re.search("(?:滩|街道?|草地|草原|山|路|桥|月球|月亮|屋顶|广场|舞台|田野|岛|海|湖|河)$", place)
        else "里"
    )


def without_phrase(prompt: str, word: str, kind: str) -> str:
    """The prompt without a phrase of time, weather or camera, and without what belongs to it."""
    lead = (
        "(?:在|于|正)?(?:下着|刮着|飘着|下起|起了|天上有)?(?:很?大|小|淡淡的|浓)?"
        if kind == "weather"
        else "(?:在|于)?"
    )
    tail = "(?:时分|的时候|时|里|下|中|弥漫|镜头|画面)?"
    found = re.search(rf"{lead}{re.escape(word)}{tail}的?", prompt)
    if not found:
        return prompt
    before, behind = prompt[: found.start()], prompt[found.end() :]
    whole = (not before or before[-1] in "，。；,、") and (not behind or behind[0] in "，。；,、")
    if whole:
        return (before.rstrip("，。；,、") + behind).strip("，；,、")
    return before + behind


def _at(wish: Wish, prompt: str) -> re.Match[str] | None:
    """Where the prompt names what the wish is about; its first thing where the wish says it or him."""
    if wish.target and not re.fullmatch(
        r"(?:he|him|she|her|they|them|it|[他她它]们?|主角|主体|主人公)", wish.target
    ):
        return thing_in(prompt, wish.target)
    from studio.text.fields import fields_of

    found = [at for one in fields_of(prompt).subject if (at := thing_in(prompt, one))]
    nouns = (word.text for word in words_of(prompt) if word.kind == "noun")
    found += [at for one in nouns if not re.fullmatch(_COLOUR, one) and (at := thing_in(prompt, one))][:1]
    return min(found, key=lambda at: at.start(), default=None)


def _quality(wish: Wish) -> str:
    """How the thing is said to be; the opposite where less of it is asked for."""
    word = wish.value if has_han(wish.value) else spoken(adjective(wish.value), "zh")
    word = _SOFTENED.sub("", word).removesuffix("的")
    if not has_han(word):
        return ""
    said = {
        "亮": "明亮",
        "圆": "圆圆",
        "高": "高高",
        "大": "大大",
        "小": "小小",
        "长": "长长",
        "旧": "破旧",
        "胖": "胖胖",
        "红": "红红",
    }
    if re.search(
        r"太|别那么|不要那么|不要太|没那么|过于|\b(?:too|not so|less)\b", wish.text
    ) and not re.search("不够|enough", wish.text):
        word = opposite(word) or word
    if wish.amount.strength > 1:
        return f"非常{word}"
    return said.get(word, word)


def _behind(prompt: str, phrase: str) -> str:
    body = prompt.rstrip(" ，,")
    stop = body[-1] if body and body[-1] in "。！!" else ""
    body = body[: len(body) - len(stop)]
    return prompt if phrase in body else f"{body}，{phrase}{stop}"
