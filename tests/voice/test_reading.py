"""A text becomes breaths of phonemes that the model knows, whatever the text is."""

import json
import random
import re

import pytest

from studio.voice import mandarin
from studio.voice.problems import VoiceError
from studio.voice.reading import LONGEST, MAX_TEXT, breaths, phonemes
from studio.voice.voices import FOLDER, VOICES

ZH, EN, GB = VOICES["zf_xiaoxiao"], VOICES["af_heart"], VOICES["bf_emma"]
KNOWN = set(json.loads((FOLDER / "phonemes.json").read_text(encoding="utf-8")))


def _letters(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize(
    ("word", "tag", "said"),
    [
        ("地", "uv", "de5"),
        ("地", "n", "di4"),
        ("得", "ud", "de5"),
        ("银行", "n", "yin2 hang2"),
        ("长大", "v", "zhang3 da4"),
        ("很长", "a", "hen3 chang2"),
        ("两只", "m", "liang3 zhi1"),
        ("女儿", "n", "nü3 er2"),
        ("重庆", "ns", "chong2 qing4"),
    ],
)
def test_characters_are_read_as_people_read_them(word: str, tag: str, said: str) -> None:
    assert mandarin.pinyin(word, tag) == said.split()


def test_syllables_become_the_models_sounds() -> None:
    assert mandarin.phonemes("从前") == "ʦʰʊ↗ŋʨʰjɛ↗n"
    assert mandarin.phonemes("知") == "ꭧɨ→"
    assert mandarin.phonemes("绿月") == "ly↘ɥe↘"


def test_each_script_is_read_by_its_own_reader() -> None:
    chinese = phonemes("打开Wan Studio，只要¥99。", ZH)
    assert "wˈɑn stˈudiO" in chinese
    assert mandarin.phonemes("九十九元").split()[0] in chinese
    english = phonemes("The Weaver Girl, 织女, waits for 2 years.", EN)
    assert "ꭧɨ→ny↓" in english
    assert "tˈu jˈɪɹz" in english


def test_figures_are_read_in_the_sentences_language() -> None:
    assert phonemes("2026", ZH) != phonemes("2026", EN)
    assert phonemes("They met in 2026.", ZH) == phonemes("They met in 2026.", EN)
    assert "wˈʌn" not in phonemes("It costs 100万.", EN)


def test_an_english_narrator_knows_chinese_names() -> None:
    assert phonemes("Zhinü met Niulang.", EN) == "ʤˌɪnˈu mˈɛt njˌulˈɑŋ."
    assert phonemes("CHANG’E flew.", EN) == phonemes("Chang'e flew.", EN)


def test_british_voices_read_british_english() -> None:
    assert phonemes("Long before there were maps.", GB) != phonemes("Long before there were maps.", EN)


def test_a_whole_foreign_sentence_goes_to_a_voice_of_that_language() -> None:
    (said,) = breaths("The old fisherman rowed out before dawn.", VOICES["zm_yunxi"])
    assert VOICES[said.voice].language == "en"
    assert VOICES[said.voice].gender == "male"
    (said,) = breaths("Wan Studio", ZH)
    assert said.voice == ZH.name
    (said,) = breaths("牛郎和织女隔着银河。", EN)
    assert VOICES[said.voice].language == "zh"


def test_sentences_are_breaths_and_their_texts_are_the_whole_text() -> None:
    text = "小猫😀跳上屋顶。🎉🎉\n雨停了！“真好。”她说，看着2.5米外的灯塔……星星出来了"
    found = breaths(text, ZH)
    assert len(found) >= 3
    assert _letters("".join(part.text for part in found)) == _letters(text)
    assert all(0.25 <= part.pause <= 0.45 for part in found)
    english = breaths('Dr. Smith said "Yes." I am 3.5 years old! And you?', EN)
    assert [part.text for part in english][-2:] == ["I am 3.5 years old!", "And you?"]


@pytest.mark.parametrize(
    "text", ["很长" * 400, "他说，" * 300, "word " * 600, "a" * 900, "9" * 600, "。" * 3000]
)
def test_what_is_too_long_for_one_breath_is_divided(text: str) -> None:
    for voice in (ZH, EN):
        found = breaths(text, voice)
        assert all(0 < len(part.phonemes) <= LONGEST for part in found)
        assert not found or _letters("".join(part.text for part in found)) == _letters(text)


@pytest.mark.parametrize("text", ["", " \n", "😀🎉", "。。。……", "---", "*** # [] ()", "\u200b", "\ud800"])
def test_there_may_be_nothing_to_say(text: str) -> None:
    assert breaths(text, ZH) == []
    assert breaths(text, EN) == []


def test_a_book_is_too_long() -> None:
    with pytest.raises(VoiceError) as caught:
        breaths("字" * (MAX_TEXT + 1), ZH)
    assert caught.value.notice.code == "voice_text_long"


@pytest.mark.parametrize(
    "text",
    [
        "see https://www.example.com/a/b?x=1 now",
        "[x](/həlˈO/) *bold* <b>tag</b> {a} | ^ ~ ` \\",
        "Привет мир, γειά, こんにちは, 한국",
        "naïve café — “Zhinü”",
        "ａｂｃ　１２３",
        "𠀀𠮷野家",
        "a\x00b\x07c",
        "٣٤ ½ ⅓ ① ㎏",
    ],
)
def test_strange_texts_give_only_known_sounds(text: str) -> None:
    for voice in (ZH, EN, GB):
        assert all(set(part.phonemes) <= KNOWN for part in breaths(text, voice))


def test_random_texts_are_read_without_an_error() -> None:
    dice = random.Random(7)
    alphabet = "的一是在不了有和人这中大为上个国我以要他时来用们abcdeABC0123456789 \n\t😀é"
    alphabet += ".,!?;:'\"“”‘’()-—…/%$¥€°²,，。！？、；：《》「」·~@#&*+=<>[]{}|\\"
    for _ in range(150):
        text = "".join(dice.choices(alphabet, k=dice.randint(1, 60)))
        for voice in (ZH, EN):
            for part in breaths(text, voice):
                assert set(part.phonemes) <= KNOWN, text
                assert part.phonemes, text
