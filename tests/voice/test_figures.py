"""Figures, dates and amounts are words before they are read."""

import pytest

from studio.voice import figures


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026年11月21日", "二零二六年十一月二十一日"),
        ("2024-05-01", "二零二四年五月一日"),
        ("2000年前", "两千年前"),
        ("7:30出发", "七点三十分出发"),
        ("2:00", "两点"),
        ("9:05", "九点零五分"),
        ("12:00-14:00", "十二点到十四点"),
        ("16:9", "十六比九"),
        ("3.5%", "百分之三点五"),
        ("3-5%", "百分之三到五"),
        ("¥99", "九十九元"),
        ("￥1,299.00", "一千二百九十九元"),
        ("$9.99", "九点九九美元"),
        ("¥2万", "两万元"),
        ("100元/月", "一百元每月"),
        ("100km/h", "一百公里每小时"),
        ("25℃", "二十五摄氏度"),
        ("-5°C", "零下五摄氏度"),
        ("10m²", "十平方米"),
        ("50mL", "五十毫升"),
        ("2/3", "三分之二"),
        ("1-3天", "一到三天"),
        ("第2天", "第二天"),
        ("第12届", "第十二届"),
        ("2个人", "两个人"),
        ("22个", "二十二个"),
        ("2月2日", "二月二日"),
        ("13800138000", "幺三八零零幺三八零零零"),
        ("拨打110", "拨打幺幺零"),
        ("007", "零零七"),
        ("10500", "一万零五百"),
        ("1,000,010,001", "十亿零一万零一"),
        ("1000000000000", "一万亿"),
        ("0.05", "零点零五"),
        ("-3", "负三"),
        ("２０２６年", "二零二六年"),
        ("Ⅲ", "三"),
        ("iPhone 15", "iPhone 十五"),
        ("COVID-19", "COVID-十九"),
        ("5G", "五G"),
        ("1+1=2", "一加一等于二"),
    ],
)
def test_a_chinese_narrator_says_words(written: str, said: str) -> None:
    assert figures.chinese(figures.plain(written)) == said


def test_no_digit_is_left_whatever_the_number() -> None:
    for number in (0, 10, 11, 19, 20, 101, 110, 1001, 1010, 10001, 20002, 10**8, 10**12 + 1, 10**16, 10**20):
        said = figures.chinese(str(number))
        assert said
        assert not any(sign.isdigit() for sign in said), number


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Just ¥99 or $5", "Just 99 yuan or $5"),
        ("¥1.5 million", "1.5 million yuan"),
        ("50 mL and 3 m", "50 milliliters and 3 meters"),
        ("1,250 people", "1250 people"),
        ("1234567890123456", "1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6"),
    ],
)
def test_an_english_reader_gets_what_it_knows(written: str, said: str) -> None:
    assert figures.english(figures.plain(written)) == said
