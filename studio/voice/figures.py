"""Figures, dates, amounts and signs become the words that a narrator says."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any

from studio.text.language import HAN
from studio.voice.voices import FOLDER

_DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")
_LONGEST = 16
_NUMBER = r"\d+(?:\.\d+)?"
# What is counted with 两 instead of 二, and what a year is never followed by.
_COUNTED = (
    "个只条位名次年天万千亿岁倍米克升斤公里吨块元分小秒颗座张片朵棵本件匹头间家层杯碗瓶盒双对种群部辆架艘"
    "人多余点毫厘平立百套款台封首句行道束根枚粒滴轮步圈遍场段页份组星周角度美欧英港"
)
_ROMAN = {chr(0x2160 + n): str(n + 1) for n in range(12)} | {chr(0x2170 + n): str(n + 1) for n in range(12)}
_DASH = "[-–—−~～至]"
_NOT_IN_WORD = r"(?<![A-Za-z\d.])"
_YEAR = re.compile(r"(?<!\d)([12]\d{3})\s*年(?!(?:前|后|来|间|的?历史|以))")
_DATE = re.compile(r"(?<![\d.])([12]\d{3})([-/.])(0?[1-9]|1[0-2])\2(0?[1-9]|[12]\d|3[01])(?![\d.])")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])")
_PHONE = re.compile(
    r"(?<![\d.-])(?:\+?\d{2,3}[- ])?(?:1\d{10}|0\d{2,3}-\d{7,8}|\d{2,4}-\d{3,4}-\d{3,4})(?![\d.-])"
)
_CODE = re.compile(r"((?:拨打|热线|电话|号码|密码|验证码|编号|房间|QQ)[号是为:： ]*)(\d{3,})(?!\.?\d)")
_MONTH = re.compile(r"(?<![\d.-])([12]\d{3})-(0[1-9]|1[0-2])(?![\d.-])")
_RANGE = re.compile(rf"(?<![A-Za-z])(\d(?:\s?[%°A-Za-z]{{1,3}})?)\s*{_DASH}\s*(?=[¥$€£]?\d)")
_ROOM = re.compile(r"(?<!\d)\d{3,4}(?=[室房])")
_RATIO = re.compile(r"(?<![\d:])(\d+):(\d+)(?![\d:])")
_FRACTION = re.compile(r"(?<![\d/.])(\d+)/(\d+)(?![\d/.])")
_PER = re.compile(rf"(?<=[{HAN}])/(?=[{HAN}])")
_MINUS = re.compile(rf"(?<![\w{HAN}])[-−](?=\d)")
_LEADING_ZERO = re.compile(r"(?<![\d.])0\d+(?![\d.])")
_VERSION = re.compile(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.])")
_ALONE_YEAR = re.compile(rf"{_NOT_IN_WORD}((?:19|20)\d\d)(?![\d.%A-Za-z]|\s*[{_COUNTED}])")
_ANY = re.compile(_NUMBER)


def plain(text: str) -> str:
    """The text with full-width signs, ligatures and Roman numerals in their common form."""
    text = "".join(_ROMAN.get(sign, sign) for sign in text)
    # Raised figures would become plain ones and 2² twenty-two; the units know them as they are.
    kept = {"²": "\ue002", "³": "\ue003", "…": "\ue004", "—": "\ue005"}
    for sign, place in kept.items():
        text = text.replace(sign, place)
    text = unicodedata.normalize("NFKC", text).replace("￥", "¥").replace("\u2044", "/")
    for sign, place in kept.items():
        text = text.replace(place, sign)
    return re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)


def chinese(text: str) -> str:
    """A Chinese text without digits and signs of amount; Latin words stay. Takes what `plain` gives."""
    text = _PHONE.sub(lambda m: _one_by_one(m.group(), phone=True), text)
    text = _CODE.sub(lambda m: m.group(1) + _one_by_one(m.group(2), phone=True), text)
    text = _DATE.sub(lambda m: f"{_one_by_one(m[1])}年{cardinal(m[3])}月{cardinal(m[4])}日", text)
    text = _MONTH.sub(lambda m: f"{_one_by_one(m[1])}年{cardinal(m[2])}月", text)
    text = _RANGE.sub(r"\1到", text)
    text = _TIME.sub(_clock, text)
    text = _YEAR.sub(lambda m: _one_by_one(m[1]) + "年", text)
    text = _money(text, _table()["zh"]["money"])
    text = re.sub(r"(?i)\bno\.?\s*(?=\d)", "第", text)
    text = _ROOM.sub(lambda m: _one_by_one(m.group()), text)
    text = re.sub(rf"{_NOT_IN_WORD}[-−]({_NUMBER})\s*(?=°|度|摄氏)", r"零下\1", text)
    text = _units(text, _table()["zh"]["units"])
    text = re.sub(rf"({_NUMBER})%?到({_NUMBER})\s*%", lambda m: f"百分之{number(m[1])}到{number(m[2])}", text)
    text = re.sub(rf"({_NUMBER})\s*%", lambda m: "百分之" + number(m[1]), text)
    text = re.sub(rf"({_NUMBER})\s*‰", lambda m: "千分之" + number(m[1]), text)
    text = _FRACTION.sub(lambda m: f"{cardinal(m[2])}分之{cardinal(m[1])}", text)
    text = _RATIO.sub(lambda m: f"{cardinal(m[1])}比{cardinal(m[2])}", text)
    text = _PER.sub("每", _MINUS.sub("负", text))
    text = _VERSION.sub(lambda m: "点".join(map(_one_by_one, m.group().split("."))), text)
    text = _LEADING_ZERO.sub(lambda m: _one_by_one(m.group()), text)
    text = re.sub(r"(?<=第)\d+", lambda m: cardinal(m.group()), text)
    text = _ALONE_YEAR.sub(lambda m: _one_by_one(m[1]), text)
    text = re.sub(rf"(?<![\d.])2(?=\s*[{_COUNTED}])(?!次方)", "两", text)
    text = _ANY.sub(lambda m: number(m.group()), text)
    for sign, word in _table()["zh"]["signs"].items():
        text = text.replace(sign, word)
    return text


def english(text: str) -> str:
    """An English text whose amounts the English reader knows how to say. Takes what `plain` gives."""
    text = re.sub(rf"\d{{{_LONGEST},}}", lambda m: " ".join(m.group()), text)
    text = _money(text, _table()["en"]["money"])
    return _units(text, _table()["en"]["units"], space=" ")


def number(figures: str) -> str:
    """A decimal number in Chinese words."""
    whole, _, rest = figures.partition(".")
    return cardinal(whole) + ("点" + _one_by_one(rest) if rest else "")


def cardinal(figures: str) -> str:
    """A whole number in Chinese words; more than sixteen digits are said one by one."""
    if len(figures) > _LONGEST:
        return _one_by_one(figures)
    value = int(figures)
    if value == 0:
        return "零"
    said = ""
    gap = False
    for place in range(len(_GROUPS) - 1, -1, -1):
        group = value // 10_000**place % 10_000
        if group:
            # 10,500 is 一万零五百: a group that does not fill its place is led in by a zero.
            said += ("零" if said and (gap or group < 1000) else "") + _four(group) + _GROUPS[place]
            if place == 3 and value // 10_000**2 % 10_000:
                said = said.removesuffix("亿")
        gap = bool(said) and not group
    said = re.sub("^一十", "十", said)
    return re.sub("^二(?=[千万亿])", "两", said)


def _four(value: int) -> str:
    said = ""
    for place in (3, 2, 1, 0):
        digit = value // 10**place % 10
        if digit:
            said += _DIGITS[digit] + _PLACES[place]
        elif said and not said.endswith("零"):
            said += "零"
    return said.removesuffix("零")


def _one_by_one(figures: str, *, phone: bool = False) -> str:
    said = "".join(_DIGITS[int(sign)] if sign.isdigit() else "，" for sign in figures if sign != "+")
    return said.replace("一", "幺") if phone else said


def _clock(match: re.Match[str]) -> str:
    hour, minute, second = match.group(1), int(match.group(2)), match.group(3)
    said = ("两" if int(hour) == 2 else cardinal(hour)) + "点"
    if minute or second:
        said += ("零" if minute < 10 else "") + cardinal(str(minute)) + "分"
    return said + (cardinal(second) + "秒" if second else "")


def _money(text: str, names: Mapping[str, str]) -> str:
    signs = "|".join(re.escape(sign) for sign in sorted(names, key=len, reverse=True))
    more = r"万亿|[万亿千百]|[kKmMbB]\b|million\b|billion\b|thousand\b"

    def said(match: re.Match[str]) -> str:
        sign, amount, many = match.groups()
        space = " " if names[sign].isascii() else ""
        return space.join(filter(None, (re.sub(r"\.0+$", "", amount), many, names[sign])))

    return re.sub(rf"({signs})\s*({_NUMBER})(?:\s*({more}))?", said, text)


@cache
def _unit_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    units = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    return re.compile(rf"{_NOT_IN_WORD}({_NUMBER})\s?({units})(?![A-Za-z\d²³/])")


def _units(text: str, names: Mapping[str, str], space: str = "") -> str:
    return _unit_pattern(tuple(names)).sub(lambda m: f"{m[1]}{space}{names[m[2]]}", text)


@cache
def _table() -> dict[str, dict[str, Any]]:
    return tomllib.loads((FOLDER / "figures.toml").read_text(encoding="utf-8"))
