"""What one line of a story is by its looks alone: a heading, a list item, somebody's words, or plain text."""

import re
from dataclasses import dataclass, replace
from typing import Literal

from studio.text.columns import rows_of
from studio.text.framing import LOOK_LABEL, NOTE_WITHIN, SHOOTING, names_framing
from studio.text.language import EMOJI, HAN, words_of

# chapter: a heading, of a screenplay's scene too. shot: the label of exactly one shot. item: of a list.
# speaker: a name before what is said. narrator, visual, note: labels of scripts. rule: a drawn line.
LineKind = Literal[
    "plain", "blank", "chapter", "shot", "item", "speaker", "narrator", "visual", "note", "title", "rule"
]


@dataclass(frozen=True)
class Line:
    """One line: text[start:end] is its content behind the label, `label` what stands before it."""

    kind: LineKind
    start: int
    end: int
    label: str = ""
    marker: str = ""
    indented: bool = False


# Longer lines are paragraphs: whatever they begin with, they are no heading, and no pattern need search them.
_LONGEST_HEADING = 200

_N = r"(?:\d{1,3}|[一二三四五六七八九十百零两]{1,4}|[IVX]{1,5}\b)"
_N_EN = rf"(?:{_N}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"
_GAP = r"(?=[\s:：、.，,（(【\[—–·|｜/／-]|$)"
_ASIDE = r"(?:\s*[（(][^()（）\n]{1,40}[)）])?"
_SEPARATOR = r"\s*[:：.、—–|｜/／-]*\s*"

_RULE = re.compile(r"[\W_]{3,}")
_MARKDOWN = re.compile(r"#{1,6}(?!\d)\s*(?P<rest>\S.*?)[\s#]*")
_BOLD = re.compile(r"(\*\*|__)(?P<rest>[^*_]{1,60})\1")
_ITALIC = re.compile(r"([*_])(?P<rest>[^*_]{1,120})\1")
_BOOK_TITLE = re.compile(r"《(?P<rest>[^《》]{1,40})》")
_BRACKETS = re.compile(r"[【\[［](?P<label>[^】\]］\n]{1,40})[】\]］]\s*[:：]?\s*")
_SHOT = re.compile(
    rf"(?P<label>(?:(?:分镜头?|镜头|镜号|画面|镜|片段|分段|段落|图|shots?|frame|panel|clip|sc|cut|beat|image|(?:story)?board|vignette|slide|spread)"
    rf"\s*[#.]?\s*(?:{_N_EN}|[A-H]\b)|第{_N}(?:个镜头|个画面|镜|格|帧|张图?)|[PC]\d{{1,2}}|#\s?\d{{1,2}}"
    rf"|0\d(?!:\d)){_GAP}{_ASIDE}){_SEPARATOR}",
    re.IGNORECASE,
)
_CHAPTER = re.compile(
    r"(?P<label>(?:(?:scene|act|chapter|part|episode|verse|stanza|lesson|day|week|场景|场次|场|幕|章)"
    rf"\s*[#.]?\s*{_N_EN}|S\d{{1,2}}|第{_N}(?:场|幕|章|回|节|集|话|部分|部|篇|卷|课|景|段)){_GAP}{_ASIDE})"
    rf"{_SEPARATOR}",
    re.IGNORECASE,
)
_OF_A_PLAY = re.compile(r"场|幕|scene|act\b|^S\d", re.IGNORECASE)
_SCENE = re.compile(
    r"(?P<label>(?:\d{1,3}(?:[-–—.]\d{1,3})?[.、．]?\s*)?"
    r"(?:(?:INT|EXT|INT\.?\s*/\s*EXT|EXT\.?\s*/\s*INT|I/E|EST)[.\s]"
    r"|(?:内外景|内景|外景|内|外|日|夜)(?=[\s.·:：，,/／-]))[^。！？!?]{1,60}?"
    r"(?:[-–—,.·\s]\s*(?:DAY|NIGHT|DAWN|DUSK|MORNING|EVENING|AFTERNOON|NOON|LATER|CONTINUOUS|SUNSET|SUNRISE"
    rf"|[日夜晨昏](?![{HAN}])|白天|黑夜|夜晚|晚上|清晨|早晨|早上|上午|中午|下午|傍晚|黄昏|黎明|深夜)|(?=$)))"
    r"[.:：。]?\s*(?=$|\S)",
)
# A chapter's number alone on its line.
_NUMBER_ALONE = re.compile(r"[(（]?(?:[IVX]{1,5}|\d{1,2}|[一二三四五六七八九十]{1,3})[)）]?[.、．]?")
_TRANSITION = re.compile(
    r"(?:FADE (?:IN|OUT)|FADE TO BLACK|(?:SMASH |MATCH |JUMP )?CUT TO(?: BLACK)?|DISSOLVE TO|THE END|END|FIN"
    r"|切至|切到|淡入|淡出|黑场|完|全文完|全剧终|剧终|终|未完待续)[.:：。]?",
    re.IGNORECASE,
)
_ITEM = re.compile(
    r"(?P<label>(?P<bullet>[-*+•·●○◦▪■◆◇★☆►▶➤→✓✔☐☑]|–)(?:\s+\[[ xX]\])?(?=\s)\s*"
    r"|(?P<dot>\d{1,2}[.)．](?=\D))\s*|(?P<zh>\d{1,2}[、：:](?=\D)|[一二三四五六七八九十]{1,3}[、.．])\s*"
    r"|(?P<bracket>[(（](?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）])\s*|(?P<circle>[①-⑳❶-❿])\s*"
    r"|(?P<letter>[a-hA-H][.)])(?=\s)\s*|(?P<keycap>\d\ufe0f?\u20e3)\s*"
    r"|(?P<clock>(?:\d{1,2}:\d\d(?::\d\d)?(?:\s*[-–—~至到]\s*\d{1,2}:\d\d(?::\d\d)?)?"
    r"|\d{1,3}\s*[-–—~至到]\s*\d{1,3}\s*(?:s|sec|seconds|秒)\b)(?!\s?[ap]\.?m\b)\s*[:：|、,，]?)(?=\D)\s*"
    rf"|(?P<emoji>[{EMOJI}]+)\s+(?=\w)|(?P<padded>\d{{2}})(?:\s+|(?=[（(]))(?=\D)"
    rf"|(?P<step>(?:Step\s*{_N_EN}|步骤\s*{_N}|第{_N}步)\s*[:：.、，,—–-])\s*)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\d{1,2}:\d\d\b|\d{1,3}\s*[-–—~至到]\s*\d{1,3}\s*(?:s|sec|seconds|秒)\b")
_TITLE_LABEL = re.compile(r"(?:title|片名|标题|题目|剧名|故事名|名称)\s*[:：]\s*(?P<rest>.+)", re.IGNORECASE)
_NOTE = re.compile(
    rf"[*_]*(?:{LOOK_LABEL}|[{HAN}]{{0,2}}{SHOOTING}"
    r"|format|length|duration|client|product|brand|music|sfx|fx|vfx|sound|audio|notes?|cast|characters|props?"
    r"|talent|wardrobe|author|writer|director|written by|running time|aspect ratio|ratio|transition|cta"
    r"|时长|片长|规格|客户|产品|品牌|音乐|配乐|音效|声音|背景音乐|BGM|转场|特效|道具|服装|服化道|话题|标签|平台"
    r"|备注|说明|时间|地点|人物|场地|目标受众|受众|主题|字数|time|place|location|setting|audience|theme"
    r"|角色|演员|作者|编剧|导演|文)[*_]*\s*[:：]\s*\S.*",
    re.IGNORECASE,
)
_VISUAL = re.compile(
    rf"(?P<label>(?:visuals?|video|picture|image|on screen|[AB]-?roll"
    rf"|(?:画面|镜头)(?:内容|描述)?|影像|视频|图像)"
    rf"{_ASIDE})\s*[:：]\s*",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"(?:visuals?|video|picture|image|画面|镜头|影像)(?:内容|描述|说明)?", re.IGNORECASE)
_NARRATOR = re.compile(
    r"(?P<label>(?:narrator|narration|voice[ -]?over|v\.?o\.?|旁白|画外音|解说词?|讲述者?|配音|口播|叙述者?)"
    rf"{_ASIDE})\s*[:：]\s*",
    re.IGNORECASE,
)
_CAPTION = re.compile(
    r"(?P<label>(?:super|caption|text|on-screen text|title card|字幕|文案|标语|slogan|tagline)"
    rf"{_ASIDE})\s*[:：]\s*",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"(?i:(?:story|words?|text|a \w+(?: \w+)?) )?"
    r"(?i:(?:written|directed|produced|told|retold|read|adapted|translated) )?"
    r"[Bb][Yy] [A-Z][\w.'’-]*(?: (?:and |& )?[A-Z][\w.'’-]*){0,5}"
    r"|(?:文|作者|编剧|导演|撰文|记者|讲述)\s*[/／|｜丨]\s*\S{1,12}"
)
# To whom a letter is written, alone on its line.
_SALUTATION = re.compile(
    r"(?:(?i:my )?(?i:dear|dearest|darling|beloved)\b[^.!?,:]{0,40}[,:，：!]?"
    r"|(?:Hi|Hello|Hey|To)(?: [\w'’-]+){1,3},|(?:亲爱的|尊敬的|敬爱的)[^，。：:,]{1,16}[：:，,！!]?)"
)
# Where a piece of news comes from.
_DATELINE = re.compile(
    r"[A-Z]{3,}(?:[ ,]+[A-Z][\w.]*){0,4}(?:,? ?\([^()]{1,20}\))? ?[—–-]{1,2} (?=[A-Z\"“])"
    r"|(?:本报|本网|新华社|中新社|中新网)[^，。\s]{0,16}?(?:讯|电)\s*(?:[（(][^（）()]{1,30}[)）])?\s*(?=\S)"
)
# What is heard, or done to the light or the screen, in brackets on a line of its own.
_STAGED = re.compile(
    r"[（(\[【](?=[^（()）]*(?:音乐|音效|配乐|片头|片尾|黑场|灯光|渐[亮暗强弱黑]|淡[入出]|转场|字幕|落幕|幕[起落]"
    r"|风声|雨声|掌声"
    r"|\b(?:music|sfx|lights?|blackout|fades?|curtain|titles?|credits|applause|sound of)\b))"
    r"[^（()）]{1,40}[)）\]】][。.]?",
    re.IGNORECASE,
)
_VOICE = re.compile(r"旁白|画外音|字幕|narrator|voice", re.IGNORECASE)
_DASHED_SPEECH = re.compile(r"(?P<label>—{1,2})\s*(?=[^\s—])")
# How a shot is framed, before what it shows: (wide) …, Close-up: …, 全景｜….
_FRAMED = re.compile(
    r"\s*(?:[（(](?P<aside>[^()（）\n]{1,40})[)）]\s*[:：｜|]?|(?P<open>[^:：｜|\n。！？!?.]{1,30}?)\s*[:：｜|])\s*"
)
# Frame 2. LOW ANGLE. Dawn …
_FRAMED_SHORTLY = re.compile(r"\s*(?P<aside>)(?P<open>[^.。:：\n]{1,30})[.。](?:\s+|$)")
# What Chinese screenplays put before each thing that is seen.
_DIRECTION = re.compile(r"[△▲※]\s*(?=\S)")
_SPEAKER = re.compile(
    rf"(?P<label>[A-Z][A-Z0-9 .'’&-]{{0,28}}{_ASIDE}"
    rf"|[A-Z][\w'’-]{{0,18}}(?: [A-Z][\w'’-]{{0,18}}){{0,2}}{_ASIDE}"
    rf"|[{HAN}][{HAN}·A-Za-z0-9]{{0,7}}{_ASIDE})\s*[:：]\s*(?=\S)"
)
# A line that leads up to speech or to a list is no name, though a colon stands behind it.
_NO_NAME = re.compile(
    r"[说道问答喊叫想写念唱骂劝讲是有了着的在到]$|^[我你他她它这那]|说"
    r"|^(?:note|remember|then|and|but|results?|so|now|warning|tip|ps|first|today)\b",
    re.IGNORECASE,
)
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?"
_DATE = re.compile(
    rf"(?:\d{{2,4}}年)?\s*{_N}月{_N}[日号](?:[\s，,（(·].{{0,18}})?"
    r"|(?:星期|周|礼拜)[一二三四五六日天](?:[\s，,·].{0,14})?"
    rf"|(?:{_WEEKDAY},?\s*)?(?:the )?(?:\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?)(?:,?\s*\d{{2,4}})?(?:[,:.]?\s*.{{0,24}})?"
    rf"|{_WEEKDAY}(?:[,:]?\s*(?:morning|afternoon|evening|night))?"
    r"|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:\s.{0,20})?",
)
_FULL_DATE = re.compile(
    rf"(?:\d{{2,4}}年)?\s*{_N}月{_N}[日号]"
    rf"|(?:{_WEEKDAY},? )?(?:\d{{1,2}}(?:st|nd|rd|th)? {_MONTH}|{_MONTH} \d{{1,2}}\b)"
)
_FINAL = re.compile(r"[。！？!?….;；，,、~～][”’」』\"')）】\]*_]*$")
FULL_STOP = re.compile(r"[。！？!?….~～][”’」』\"')）】\]*_]*$|[”」』]$")


def short(text: str, most: int = 20) -> bool:
    """Whether a line may be a title: few words and no full stop, comma or semicolon at its end."""
    return len(text) <= _LONGEST_HEADING and 0 < words_of(text) <= most and not _FINAL.search(text)


def is_dated(bare: str) -> bool:
    """Whether a line begins with a full date, as the pages of a diary do: "Sunday 2 May. Cold."."""
    return bool(_FULL_DATE.match(bare))


def lines_of(text: str) -> list[Line]:
    """Every line of a text, blank ones too. Works the same for LF, CRLF and CR."""
    found = []
    place = 0
    rows = dict(rows_of(text))
    for raw in text.splitlines(keepends=True):
        bare = raw.strip()
        if place in rows:
            row = rows[place]
            found.append(Line("shot", row.start, row.end, row.label) if row else Line("rule", place, place))
            if row and row.said:
                start, end, who = row.said
                found.append(Line("narrator" if _VOICE.search(who) else "speaker", start, end, who))
            place += len(raw)
            continue
        start = place + len(raw) - len(raw.lstrip()) if bare else place
        found.append(_line(text, start, start + len(bare), raw[:1].isspace()))
        place += len(raw)
    return found


def _line(text: str, start: int, end: int, indented: bool) -> Line:
    bare = text[start:end]
    if not bare:
        return Line("blank", start, start)
    if len(bare) <= _LONGEST_HEADING and (heading := _heading(bare, start, end)):
        return heading
    return _framed(text, _labelled(bare[:_LONGEST_HEADING], start, end, indented))


def _framed(text: str, line: Line) -> Line:
    """The line with words for its framing taken to its label, in parentheses: "Wide: a road" is one shot."""
    if line.kind == "speaker":
        return replace(line, kind="visual", label=f"（{line.label}）") if names_framing(line.label) else line
    if line.kind not in ("plain", "item", "shot", "visual"):
        return line
    match = _FRAMED.match(text, line.start, line.end)
    if line.kind == "shot" and match is None:
        match = _FRAMED_SHORTLY.match(text, line.start, line.end)
    if match is None:
        return line
    frame = match["aside"] or match["open"]
    # Behind a number, what stands in brackets or before a bar is a label whatever it says.
    set_off = line.kind != "plain" and (match["open"] is None or match.group().rstrip()[-1] in "｜|")
    if not (set_off or names_framing(frame)):
        return line
    kind: LineKind = "visual" if line.kind == "plain" else line.kind
    return replace(line, kind=kind, start=match.end(), label=f"{line.label}（{frame}）")


def _heading(bare: str, start: int, end: int) -> Line | None:
    """The line as a heading, a drawn line or a note: nothing of it is told."""
    if _RULE.fullmatch(bare) or _TRANSITION.fullmatch(bare.strip("【】[]（）()*- ")):
        return Line("rule", start, end)
    if match := _MARKDOWN.fullmatch(bare):
        marker = "#" * (len(bare) - len(bare.lstrip("#")))
        return Line("chapter", end, end, match["rest"].strip("*_ "), marker)
    if match := _BOLD.fullmatch(bare):
        return Line("chapter", end, end, match["rest"].strip())
    if _ITALIC.fullmatch(bare) and not FULL_STOP.search(bare.rstrip("*_")):
        return Line("note", end, end, bare)
    if match := _BOOK_TITLE.fullmatch(bare) or _TITLE_LABEL.fullmatch(bare):
        return Line("title", end, end, match["rest"])
    if _NUMBER_ALONE.fullmatch(bare):
        return Line("chapter", end, end, bare)
    if _DATE.fullmatch(bare) and not FULL_STOP.search(bare):
        return Line("chapter", end, end, bare)
    if (
        _NOTE.fullmatch(bare)
        or NOTE_WITHIN.search(bare)
        or _STAGED.fullmatch(bare)
        or _CREDIT.fullmatch(bare)
        or _SALUTATION.fullmatch(bare)
    ):
        return Line("note", end, end, bare)
    return None


def _labelled(bare: str, start: int, end: int, indented: bool) -> Line:
    """The line with what it says behind a label, if it has one."""
    brackets = _BRACKETS.match(bare)
    inside = brackets["label"].strip() if brackets else bare
    patterns: tuple[tuple[LineKind, re.Pattern[str], str], ...] = (
        ("shot", _SHOT, ""),
        ("chapter", _SCENE, "scene"),
        ("chapter", _CHAPTER, ""),
    )
    for kind, pattern, marker in patterns:
        if match := pattern.match(inside):
            behind, label = (brackets.end(), inside) if brackets else (match.end(), match["label"].strip())
            scene = marker or ("scene" if _OF_A_PLAY.search(label) else "")
            return Line(kind, start + behind, end, label, scene if kind == "chapter" else "")
    if brackets and _PICTURE.fullmatch(inside):
        return Line("visual", start + brackets.end(), end, inside)
    if brackets and _NOTE.fullmatch(f"{inside}：{bare[brackets.end() :] or inside}"):
        return Line("note", end, end, f"{inside}：{bare[brackets.end() :]}")
    if brackets and _CLOCK.match(inside):
        return Line("item", start + brackets.end(), end, inside, "clock", indented)
    if brackets:
        kind = "narrator" if _VOICE.match(inside) else "chapter"
        return Line(kind, start + brackets.end(), end, inside)
    labels: tuple[tuple[LineKind, re.Pattern[str]], ...] = (
        ("visual", _VISUAL),
        ("narrator", _NARRATOR),
        ("speaker", _CAPTION),
        ("speaker", _DASHED_SPEECH),
    )
    for kind, pattern in labels:
        if match := pattern.match(bare):
            return Line(kind, start + match.end(), end, match["label"])
    if match := _ITEM.match(bare):
        marker = next(name for name, part in match.groupdict().items() if part and name != "label")
        return Line("item", start + match.end(), end, match["label"].strip(), marker, indented)
    if match := _DIRECTION.match(bare) or _DATELINE.match(bare):
        return Line("plain", start + match.end(), end, indented=indented)
    if (match := _SPEAKER.match(bare)) and not _NO_NAME.search(match["label"]):
        return Line("speaker", start + match.end(), end, match["label"])
    return Line("plain", start, end, indented=indented)
