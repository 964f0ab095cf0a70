"""What is changed for a wish: words of the prompt, fields of the form, or something done to the file."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.models import QUALITIES
from pipelines.request import Notice
from studio.edits.amounts import number
from studio.edits.concepts import marks
from studio.edits.intents import intents
from studio.edits.operations import CROPS, OPERATIONS, Clip
from studio.edits.prompting import changed, with_words
from studio.edits.types import Amount, Change, MediaChange, PromptChange, SettingsChange, Wish
from studio.media.retouch import HOWS, Operation
from studio.styles import STYLES
from studio.text.language import has_han
from studio.text.rewrite import diff

# How far merely longer and shorter go.
_LONGER, _SHORTER = 1.5, 0.6
# Looks that are laid over the finished picture; every other style is rendered.
_LOOKS = (
    ("sepia", r"sepia|褐|棕褐|老照片"),
    ("grain", r"grain|颗粒|噪点感"),
    ("vignette", r"vignett|暗角"),
    ("mono", r"black[- ]and[- ]white|black & white|b&w|b/w|\bbw\b|monochrom|mono\b|gr[ae]y ?scale|黑白"),
)
_STYLES = (
    (
        "vintage",
        r"vintage|retro|old (?:film|movie|photo)|old[- ]fashioned|\d0s|super ?8|\d ?mm|vhs"
        r"|老电影|旧电影|复古|怀旧|胶片",
    ),
    ("ink", r"\bink|chinese painting|水墨|国画|中国画"),
    ("gongbi", r"gongbi|工笔"),
    ("paper-cut", r"paper|cut-?out|剪纸"),
    ("dunhuang", r"dunhuang|mural|敦煌|壁画"),
    ("neon", r"cyberpunk|neon|synthwave|vaporwave|赛博|霓虹|蒸汽波"),
    ("watercolour", r"watercolou?r|水彩"),
    ("oil", r"\boils?\b|oil paint|van gogh|monet|impressionis|painterly|painting|油画|梵高|莫奈|印象派"),
    ("anime", r"anime|manga|cartoon|ghibli|miyazaki|动漫|动画|日漫|二次元|吉卜力|宫崎骏|漫画|卡通"),
    ("claymation", r"clay|plasticine|stop[- ]?motion|黏土|粘土|定格"),
    ("documentary", r"documentar|纪录"),
    ("product", r"product|commercial|产品|广告"),
    ("storybook", r"storybook|picture book|fairy|illustrat|绘本|插画|童话"),
    ("mythic", r"mythic|神话"),
    ("cinematic", r"cinema|movie|hollywood|film look|like a film|电影|大片"),
)


@dataclass(frozen=True)
class Found:
    """The changes for one wish, other ways to do the same, and what is to be said."""

    changes: tuple[Change, ...] = ()
    alternatives: tuple[Change, ...] = ()
    notices: tuple[Notice, ...] = ()


def changes_for(wish: Wish, clip: Clip) -> Found:
    """What a wish changes of a clip. A wish that can't be done here gives a notice and no change."""
    if wish.intent in OPERATIONS:
        return Found((_media(wish, OPERATIONS[wish.intent](wish, clip)),))
    if wish.intent in _SETTINGS:
        return _SETTINGS[wish.intent](wish, clip)
    if intents()[wish.intent].by == "no":
        return Found(notices=(Notice(f"edit_no_{wish.intent}"),))
    return _of_the_prompt(wish, clip)


def _media(wish: Wish, operation: Operation) -> MediaChange:
    return MediaChange(wish, operation)


# -- the prompt --------------------------------------------------------------------------------------------


def _of_the_prompt(wish: Wish, clip: Clip) -> Found:
    after = changed(wish, clip.prompt, clip.said)
    if after is None:
        return _not_in_the_prompt(wish, clip)
    change = PromptChange(wish, clip.prompt, after, diff(clip.prompt, after))
    return Found((change,), _quick(wish))


def _not_in_the_prompt(wish: Wish, clip: Clip) -> Found:
    """What is to go and is not named there is kept out by the negative prompt, where the model has one."""
    unwanted = wish.target or wish.value
    if (
        wish.intent in ("remove", "weather")
        and unwanted
        and clip.spec is not None
        and clip.spec.negative_prompt
    ):
        before = str(clip.form.get("negative_prompt") or "")
        comma = "，" if has_han(before or unwanted) else ", "
        bare = re.sub(r"^(?:the|an?|that|those|these|any) ", "", unwanted)
        after = f"{before}{comma}{bare}" if before else bare
        return Found((SettingsChange(wish, {"negative_prompt": after}, {"negative_prompt": before}),))
    if wish.intent == "remove":
        return Found(notices=(Notice("edit_remove_all", {"thing": unwanted}),))
    if wish.intent in ("action", "attribute"):
        text = wish.text
        after = with_words(clip.prompt, text)
        if after != clip.prompt:
            return Found((PromptChange(wish, clip.prompt, after, diff(clip.prompt, after)),))
    return Found(notices=(Notice("edit_nothing", {"wish": wish.text}),))


def _quick(wish: Wish) -> tuple[Change, ...]:
    """What can be done at once to the finished file instead."""
    if (
        wish.intent == "camera"
        and re.search(r"close|near|tight|zoom(?!.*out)|push|近|特写|推|放大|凑", wish.text)
        and not re.search(r"too close|太近|zoom(?:s|ing)? out", wish.text)
    ):
        return (
            _media(wish, Operation(name="crop", amount=CROPS.get(wish.amount.strength, 0.2), how="edges")),
        )
    if wish.intent == "time" and re.search(r"night|midnight|dusk|夜|晚|昏", wish.text):
        return (_media(wish, Operation(name="brightness", amount=-0.5)),)
    if wish.intent == "light" and re.search(r"warm|golden|暖|金", wish.text):
        return (_media(wish, Operation(name="warmth", amount=0.4)),)
    if wish.intent == "action" and re.search(r"slow|慢", wish.text):
        return (_media(wish, Operation(name="speed", amount=0.5)),)
    if wish.intent == "action" and re.search(r"fast|quick|快", wish.text):
        return (_media(wish, Operation(name="speed", amount=1.5)),)
    return ()


# -- the form ----------------------------------------------------------------------------------------------


def _style(wish: Wish, clip: Clip) -> Found:
    text = f"{wish.value} {wish.text}"
    style = next((name for name, said in _STYLES if re.search(said, text) and name in STYLES), None)
    look = next((name for name, said in _LOOKS if re.search(said, text) and name in HOWS["look"]), None)
    if look is not None:
        quick = _media(wish, Operation(name="look", how=look))
        slow = _styled(wish, clip, "mono") if look == "mono" and "mono" in STYLES else None
        return Found((quick,), () if slow is None else (slow,))
    if style is not None:
        also = (_media(wish, Operation(name="look", how=style)),) if style in HOWS["look"] else ()
        return Found((_styled(wish, clip, style),), also)
    phrase = re.sub(r"^(?:make it|turn it into|as|in|like|做成|改成|变成|换成|用|像)\s*", "", wish.text)
    after = with_words(clip.prompt, phrase)
    return Found((PromptChange(wish, clip.prompt, after, diff(clip.prompt, after)),))


def _styled(wish: Wish, clip: Clip, style: str) -> SettingsChange:
    return SettingsChange(wish, {"style": style}, {"style": clip.form.get("style", "none")})


def _length(wish: Wish, clip: Clip) -> Found:
    told = next(
        (
            number(re.sub(r"\s*-?(?:seconds?|secs?|s)$|个?秒钟?$", "", mark.word))
            for mark in marks(wish.text, "seconds")
        ),
        None,
    )
    more = re.search(r"longer|extend|more|延长|加长|多|长[一点些]", wish.text)
    less = re.search(r"shorter|shorten|fewer|缩短|少|短[一点些]", wish.text)
    if told is None:
        factor = wish.amount.factor or (_LONGER if wish.amount.sign > 0 else _SHORTER)
        wanted = clip.seconds * factor
    elif less and not re.search(r"\bto\b|到|成", wish.text):
        wanted = clip.seconds - told
    elif more and not re.search(r"\bto\b|到|成", wish.text):
        wanted = clip.seconds + told
    else:
        wanted = told
    return _of_length(wish, clip, max(0.3, wanted))


def _of_length(wish: Wish, clip: Clip, wanted: float) -> Found:
    spec = clip.spec
    if wanted < clip.seconds - 0.05:
        # Nothing has to be rendered for less of the same.
        cut: Change = _media(wish, Operation(name="trim", amount=round(wanted, 2), how="keep_start"))
        faster = max(0.25, min(4.0, clip.seconds / wanted))
        return Found((cut,), (_media(wish, Operation(name="speed", amount=round(faster, 2))),))
    slower = _media(wish, Operation(name="speed", amount=max(0.25, round(clip.seconds / wanted, 2))))
    longest = (spec.max_frames - 1) / spec.fps if spec else clip.seconds
    if wanted > longest + 0.25:
        told = Notice("edit_length_most", {"seconds": round(longest, 1)})
        if longest <= clip.seconds + 0.3:
            return Found((slower,), (_media(wish, Operation(name="loop", amount=1, how="back")),), (told,))
        return Found(
            (SettingsChange(wish, {"seconds": round(longest, 1)}, _was(clip, "seconds")),), (slower,), (told,)
        )
    return Found((SettingsChange(wish, {"seconds": round(wanted, 1)}, _was(clip, "seconds")),), (slower,))


def _was(clip: Clip, name: str) -> dict[str, Any]:
    return {"seconds": round(clip.seconds, 1)} if name == "seconds" else {name: clip.form.get(name)}


def _format(wish: Wish, clip: Clip) -> Found:
    spec = clip.spec
    if spec is None:
        return Found(notices=(Notice("edit_nothing", {"wish": wish.text}),))
    now = str(clip.form.get("size", "")).lower().replace("×", "x")
    width, _, height = now.partition("x")
    wide, high = (int(width), int(height)) if width.isdigit() and height.isdigit() else spec.sizes[0]
    larger = re.search(r"resol|hd|\d+p\b|\dk\b|bigger|larger|high|upscal|分辨率|清|像素|大", wish.text)
    if re.search(r"square|1[:x/：比]1|方", wish.text):
        fits = [size for size in spec.sizes if size.width == size.height]
    elif re.search(
        r"vertical|portrait|9[:x/：比]16|tiktok|reel|stor|shorts|phone|mobile|upright|tall"
        r"|竖|纵|抖音|快手|小红书|视频号|手机",
        wish.text,
    ):
        fits = [size for size in spec.sizes if size.height > size.width]
    elif re.search(r"landscape|horizontal|16[:x/：比]9|widescreen|wide|youtube|tv|横|宽", wish.text):
        fits = [size for size in spec.sizes if size.width > size.height]
    elif larger:
        fits = [
            s
            for s in spec.sizes
            if (s.width > s.height) == (wide > high) and s.width * s.height > wide * high
        ]
    else:
        fits = []
    if not fits:
        told = {"model": spec.title, "allowed": ", ".join(map(str, spec.sizes))}
        return Found(notices=(Notice("edit_format_none", told),))
    best = min(fits, key=lambda size: abs(size.width * size.height - wide * high))
    if f"{best.width}x{best.height}" == now:
        return Found(notices=(Notice("edit_nothing", {"wish": wish.text}),))
    return Found((SettingsChange(wish, {"size": f"{best.width}x{best.height}"}, {"size": now}),))


def _quality(wish: Wish, clip: Clip) -> Found:
    now = str(clip.form.get("quality") or "standard")
    at = QUALITIES.index(now) if now in QUALITIES else 1
    if re.search(r"final|production|best|最终|正式", wish.text):
        to = len(QUALITIES) - 1
    elif re.search(r"draft|preview|rough|草|预览|粗略", wish.text):
        to = 0
    else:
        to = max(0, min(len(QUALITIES) - 1, at + (wish.amount.sign or 1)))
    if to == at:
        return Found(notices=(Notice("edit_quality_most" if to else "edit_quality_least"),))
    # The steps belong to the quality: those of before would overrule it.
    after: dict[str, Any] = {"quality": QUALITIES[to]}
    if clip.form.get("num_inference_steps"):
        after["num_inference_steps"] = None
    return Found((SettingsChange(wish, after, {"quality": now}),))


def _guidance(wish: Wish, clip: Clip) -> Found:
    spec = clip.spec
    if spec is None:
        return Found(notices=(Notice("edit_nothing", {"wish": wish.text}),))
    usual = spec.sampling["standard"].guidance_scale
    now = float(clip.form.get("guidance_scale") or usual)
    step = {0.5: 1.15, 1.0: 1.35, 2.0: 1.7}.get(wish.amount.strength, 1.35)
    to = round(max(1.5, min(12.0, now * step if wish.amount.sign >= 0 else now / step)), 1)
    return Found((SettingsChange(wish, {"guidance_scale": to}, {"guidance_scale": now}),))


def _again(wish: Wish, clip: Clip) -> Found:
    return Found((SettingsChange(wish, {"seed": None}, {"seed": clip.form.get("seed")}),))


def _undo(wish: Wish, clip: Clip) -> Found:
    return Found(notices=(Notice("edit_undo"),))


_SETTINGS: dict[str, Callable[[Wish, Clip], Found]] = {
    "style": _style,
    "length": _length,
    "format": _format,
    "quality": _quality,
    "guidance": _guidance,
    "again": _again,
    "undo": _undo,
}


def all_changes(wishes: Sequence[Wish], clip: Clip) -> Found:
    """The changes for all wishes: each prompt change goes on from the one before."""
    changes: list[Change] = []
    alternatives: list[Change] = []
    notices: list[Notice] = []
    for wish in wishes:
        found = changes_for(wish, clip)
        changes += found.changes
        alternatives += found.alternatives
        notices += [notice for notice in found.notices if notice not in notices]
        for change in found.changes:
            if isinstance(change, PromptChange):
                clip = replace(clip, prompt=change.after)
    return Found(tuple(changes), tuple(alternatives), tuple(notices))


def wish_of(intent: str, text: str) -> Wish:
    """A wish for an intent that a person chose where nothing sure was understood."""
    return Wish(intent, text, value=text, amount=Amount(1))
