"""Facts about stories becoming shots."""

import random
import tomllib
from pathlib import Path

import numpy as np
import pytest

from studio.text.borders import direction, weights
from studio.text.language import language_of
from studio.text.layout import layout_of
from studio.text.problems import TextProblem
from studio.text.sentences import clauses, sentences
from studio.text.shots import LONGEST_STORY, MOST_SHOTS, StoryDraft, split_story
from studio.words import LANGUAGES, say
from tests.text.fit_borders import MarkedStory, f1, fit, fitted_stories, more_stories, stories_in, unseen

DEV = Path(__file__).parent / "stories" / "dev"


def _texts(story: StoryDraft) -> list[str]:
    return [shot.text for shot in story.shots]


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


# Language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("一只猫跳上屋顶。", "zh"),
        ("a cat", "en"),
        ("她用 iPhone 拍下了整条街道的灯光和来来往往的行人。", "zh"),
        ("The word 猫 means cat, and nobody in the whole class knew that before today.", "en"),
        ("周六早上，Maya 走进市场。She loves this place.", "mixed"),
        ("看这里 https://example.com/a/very/long/path?with=many&words=in-it", "zh"),
        ("😀 123", "en"),
    ],
)
def test_scripts_tell_the_language(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("path", sorted(DEV.glob("*.toml")), ids=lambda path: path.stem)
def test_the_corpus_languages_are_told(path: Path) -> None:
    story = tomllib.loads(path.read_text("utf-8"))
    assert language_of(story["text"]) == story["language"]


# Sentences


@pytest.mark.parametrize(
    "parts",
    [
        ["Dr. Hill paid 3.5 dollars, e.g. for tea.", "Then he left."],
        ["“快跑！”她喊道。", "小明跑了。"],
        ["“你来了。坐吧。”老人说。", "门关上了。"],
        ["他说：“好。”", "然后走了。"],
        ["「你好。」他說。", "她笑了。"],
        ['"Stop!" Anna said.', "He ran... but not far.", "The end."],
        ["“Run!” she cried.", "The dog ran."],
        ["他等了很久……", "没有人来。"],
        ["真的吗？！", "真的！！！😀😀", "月亮升起。"],
        ["See https://a.com/b?c=d. It works.", "Write to me@b.org!", "Go"],
        ["It was 5 p.m. and dark.", "J. K. Rowling wrote on.", "The U.S. team won."],
        ["下雨了。", "It rained.", "他说 OK。", "走吧"],
        ["他很累（真的！）。", "走了。"],
        ["She said ‘don’t stop’ and ran.", "We went."],
        ["No. 5 is alive.", "Is it?", "No.", "He left"],
    ],
)
def test_sentences_end_where_a_reader_ends_them(parts: list[str]) -> None:
    for space in (" ", "\r\n", "\u3000\u3000"):
        assert _sentences(space.join(parts)) == parts


def test_where_there_are_no_full_stops_a_space_or_an_emoji_stands_for_one() -> None:
    assert _sentences("小猫跑了 小狗追上去了") == ["小猫跑了", "小狗追上去了"]
    assert _sentences("今天好开心😀 我们去了海边🏖️") == ["今天好开心😀", "我们去了海边🏖️"]


def test_an_unclosed_quotation_shelters_nothing() -> None:
    assert _sentences("“他走了。她来了。天黑了") == ["“他走了。", "她来了。", "天黑了"]


def test_a_figure_and_a_quotation_hold_no_clause_border() -> None:
    text = "他花了1,000元，说：“走，快走”；然后跑了"
    assert [text[a:b] for a, b in clauses(text, 0, len(text))] == [
        "他花了1,000元，",
        "说：",
        "“走，快走”；",
        "然后跑了",
    ]


# Layout


@pytest.mark.parametrize(
    ("text", "title", "shots"),
    [
        ("静夜思\n李白\n\n床前明月光，\n疑是地上霜。\n举头望明月，\n低头思故乡。", "静夜思", 4),
        ("静夜思\n\n床前明月光，疑是地上霜。\n举头望明月，低头思故乡。", "静夜思", 2),
        ("致大海\n\n我站在岸边\n风吹起衣角\n\n海鸥掠过白色的浪\n远处一只船", "致大海", 4),
        ("old silent pond\na frog jumps into the pond\nsplash! silence again", "", 3),
        (
            "# Bread\n\nFour steps:\n\n1. A farmer sows.\n2) Rain falls. Worms dance.\n3. Green shoots.",
            "Bread",
            3,
        ),
        ("做月饼：\n一、把面粉倒进盆里。\n二、加水揉成面团。\n三、包上豆沙馅。", "做月饼", 3),
        ("- a cup on a table\n- a hand takes the cup\n- an empty table", "", 3),
        ("镜头1：清晨，船来了。\n旁白：你好。\n镜头2（特写）：一只手。它在动。", "", 2),
        ("Shot 1 (wide): A street. Rain.\nShot 2: A clock buzzes.\nVO: Good morning.", "", 2),
        ("【画面1】\n一个女生走来。\nVO: Hi.\n【画面2 特写】\n她笑了。", "", 2),
        ("0:00-0:05 A sunrise.\n0:05-0:10 A runner ties her shoes.", "", 2),
        ("第一章 出发\n\n小明走出家门。\n\n第二章 归来\n\n小明走进家门。", "", 2),
        ("01（wide）A dark road.\n02 A match flares. A face.\nVO: Some leave.", "", 2),
        ("镜号｜景别｜画面｜声音\n1｜远景｜船来了。海鸥飞起。｜浪\n2｜特写｜一只手抓住绳子。", "", 2),
        (
            "| # | Framing | Visual | Audio |\n| --- | --- | --- | --- |\n"
            "| 1 | Wide | A town. Smoke rises. | Bell |\n| 2 | | A match flares. | |",
            "",
            2,
        ),
        ("Frame 1. WIDE. A tower on a cliff.\nFrame 2. POV. The sill.", "", 2),
        ("#1 (wide) 老汉推着车。\n#2 雨来了。\n#3 (CU) 刻刀在皮上游走。", "", 3),
        ("1. ECU: Bare feet find the floor.\n2. (Dolly in) A door opens. Light.", "", 2),
        ("① 全景｜老街，北风卷着枯叶。\n② 闪回｜月台上，他挥着手。", "", 2),
        ("[0:00] A tower. Every flat has a drill.\n[0:05] She hammers. Plaster rains.", "", 2),
        ("片段1 蜗牛爬过门牌。\n片段2（延时）水涨上来。", "", 2),
        ("P1（近景）：裁缝踩着缝纫机。他停了。\nP2：孙女跑下来。", "", 2),
        ("07:40 大巴上，她睡着了。\n09:15 沙滩上，教练拍着板。", "", 2),
        ("[画面] 咖啡滴落。杯子满了。\n[旁白] 早。\n[画面] 店门打开。", "", 2),
        ("《夜航》\n\n（片头音乐）\n\n1. 吊臂降下去。\n2. 船开了。", "夜航", 2),
        ("THE STORM\n\nThe waves rose.\n\nTHE CALM\n\nA gull sat on the mast.", "THE STORM", 2),
    ],
)
def test_verse_lists_and_labels_are_respected(text: str, title: str, shots: int) -> None:
    story = split_story(text)
    assert (story.title, len(story.shots)) == (title, shots)


def test_what_a_tables_columns_say_is_spoken_and_its_sounds_are_not() -> None:
    text = (
        "镜号｜景别｜画面｜声音\n1｜远景｜船来了。｜浪声\n2｜特写｜雨点砸下来。｜音效：雷声\n"
        "3｜俯拍｜鹤飞过屋顶。｜旁白：回家了。"
    )
    shots = split_story(text).shots
    assert [shot.text for shot in shots] == ["船来了。", "雨点砸下来。", "鹤飞过屋顶。回家了。"]
    assert [shot.heading for shot in shots] == ["远景", "特写", "俯拍"]


def test_a_screenplays_headings_and_names_are_no_shots() -> None:
    text = (
        "LIGHTHOUSE\n\nFADE IN:\n\nEXT. ROCKY COAST - DUSK\n\nWaves smash against the rocks.\n\n"
        "INT. BOAT - NIGHT\n\nMARA, 40s, grips the wheel.\n\nMARA\nAlmost there.\n\nFADE OUT."
    )
    story = split_story(text)
    assert story.title == "LIGHTHOUSE"
    assert [(shot.heading, shot.text) for shot in story.shots] == [
        ("EXT. ROCKY COAST - DUSK", "Waves smash against the rocks."),
        ("INT. BOAT - NIGHT", "MARA, 40s, grips the wheel. Almost there."),
    ]


def test_a_chinese_screenplay_too() -> None:
    text = (
        "《末班车》\n\n第一场 外景 公交站 夜\n\n林夏跑到站台下。\n\n林夏：（喘气）还好。\n\n"
        "第二场 内景 公交车 夜\n\n车里只有一个老人。"
    )
    story = split_story(text)
    assert story.title == "末班车"
    assert [shot.heading for shot in story.shots] == ["第一场 外景 公交站 夜", "第二场 内景 公交车 夜"]
    assert _texts(story) == ["林夏跑到站台下。（喘气）还好。", "车里只有一个老人。"]


def test_wrapped_lines_are_one_paragraph() -> None:
    text = (
        "The old man walked slowly down to the harbour, where the boats were\n"
        "rocking in the wind. He untied the smallest of them and pushed it\naway from the wall."
    )
    assert len(layout_of(text).passages) == 1
    assert "were rocking" in split_story(text).shots[0].text


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Goat Halts Train\n\nMARLBY — A goat stood on the rails.", "A goat stood on the rails."),
        ("The trenches, 9th May 1916\n\nMy dear Nell,\n\nI sat in the mud.", "I sat in the mud."),
        ("Sunday 2 May. Cold, no wind.\n\nDad fed the goats.", "Dad fed the goats."),
        (
            "THE TIGER\n(a story from the delta)\n\nA tiger crept to the wall of an old house and lay down "
            "behind it to sleep.",
            "A tiger crept to the wall of an old house and lay down behind it to sleep.",
        ),
        (
            "夜班\n\n便利店 NIGHT\n店员擦着柜台上的水。\n小李：早。\n阿珍：早。",
            "店员擦着柜台上的水。早。早。",
        ),
    ],
)
def test_what_stands_above_a_story_belongs_to_no_shot(text: str, first: str) -> None:
    assert _texts(split_story(text))[0] == first


def test_a_sentence_that_runs_over_the_ends_of_lines_is_verse_where_no_page_was_full() -> None:
    text = (
        "The pond\n\nAll summer long the dragonflies have drawn their wires\nacross the water and the reeds."
        "\nNow one brown leaf comes down and\nthe whole pond shakes.\n\nA heron lifts one foot, then thinks "
        "again\nand puts it back where it had been before the wind.\nThe ice has not come yet.\nIt waits."
    )
    assert len(split_story(text).shots) == 8


def test_lines_may_end_in_any_way() -> None:
    text = "# 题目\n\n　　小明背起书包，走出家门。\n　　突然，一只狗从街角冲了过来。\n"
    told = _texts(split_story(text))
    assert told == ["小明背起书包，走出家门。", "突然，一只狗从街角冲了过来。"]
    for end in ("\r\n", "\r"):
        assert _texts(split_story(text.replace("\n", end))) == told


# Shots


def test_speech_feelings_and_morals_join_the_shot_before() -> None:
    text = (
        "The old woman planted a seed in the dry ground. She felt tired but hopeful. "
        "“Grow,” she said. This taught her patience. "
        "The next morning a green shoot pushed up through the soil and bent towards the sun."
    )
    first, second = split_story(text).shots
    assert first.text.endswith("This taught her patience.")
    assert second.text.startswith("The next morning")


def test_what_breaks_in_within_a_sentence_begins_a_shot() -> None:
    text = "中午我们坐在湖边吃面包，突然飞来一只大鸟，一口把我的面包叼走了！"
    assert _texts(split_story(text)) == [
        "中午我们坐在湖边吃面包，",
        "突然飞来一只大鸟，一口把我的面包叼走了！",
    ]


def test_a_story_without_full_stops_is_cut_at_commas() -> None:
    text = (
        "小兔子早上起床洗了脸，背着篮子去森林里采蘑菇，走到河边的时候看见一只小鸭子在哭，"
        "小兔子拉着它的翅膀沿着河边走，天快黑的时候鸭妈妈从芦苇丛里游了出来，"
        "小鸭子扑通一声跳进水里，一直游到了妈妈的身边，然后它们一起回家"
    )
    assert len(split_story(text).shots) > 1


def _check(text: str, story: StoryDraft) -> None:
    """What is true of every split story."""
    assert 1 <= len(story.shots) <= MOST_SHOTS
    place = 0
    for shot in story.shots:
        assert place <= shot.start < shot.end <= len(text)
        assert not text[shot.start].isspace()
        assert not text[shot.end - 1].isspace()
        assert shot.text.strip() == shot.text != ""
        place = shot.end


@pytest.mark.parametrize("story", [*fitted_stories(), *more_stories()], ids=lambda story: story.name)
def test_shots_lie_in_the_text_in_order(story: MarkedStory) -> None:
    _check(story.text, split_story(story.text))


def test_stories_are_split_where_a_film_editor_splits_them(capsys: pytest.CaptureFixture[str]) -> None:
    stories = fitted_stories()
    found = [({shot.start for shot in split_story(story.text).shots}, story.starts) for story in stories]
    shots = sum(len(story.starts) for story in stories)
    with capsys.disabled():
        print(f"\nF1 on exact starts: {f1(found):.3f} ({len(stories)} stories, {shots} shots)")
    assert len(stories) >= 20
    assert f1(found) >= 0.9


@pytest.mark.slow
def test_weights_hold_on_stories_they_have_not_seen(capsys: pytest.CaptureFixture[str]) -> None:
    found = unseen(fitted_stories(), more_stories())
    with capsys.disabled():
        print(f"\nF1 on the stories of writers not fitted to: {found:.3f}")
    assert found >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "reached"), [("unseen", 0.9), ("fresh", 0.9)])
def test_stories_that_nobody_tuned_to_are_split_where_people_split_them(folder: str, reached: float) -> None:
    stories = stories_in(folder)
    assert len(stories) == 24
    assert f1([({shot.start for shot in split_story(s.text).shots}, s.starts) for s in stories]) >= reached


@pytest.mark.slow
def test_the_weights_are_those_of_the_marked_stories() -> None:
    fitted = fit([*fitted_stories(), *more_stories()])
    assert fitted.cues.keys() == weights().keys()
    assert all(abs(fitted.cues[name] - value) < 0.3 for name, value in weights().items())
    assert np.allclose(fitted.meant, direction(), atol=0.05)


# Bad input


@pytest.mark.parametrize("text", ["", "  \n\t\u3000", "。！？", "---\n***", "“” …", "\x00"])
def test_an_empty_story_is_said_to_be_empty(text: str) -> None:
    with pytest.raises(TextProblem) as problem:
        split_story(text)
    assert problem.value.notice.code == "story_empty"


def test_a_story_may_have_twelve_thousand_characters() -> None:
    with pytest.raises(TextProblem) as problem:
        split_story("走" * 50_000)
    assert problem.value.notice.code == "story_too_long"
    assert problem.value.notice.values == {"count": 50_000, "high": LONGEST_STORY}
    for language in LANGUAGES:
        assert "50000" in say(problem.value.notice, language).replace(",", "").replace(" ", "")


@pytest.mark.parametrize("text", ["猫", "Hello", "😀", "a", "# Title", "小明：", "1."])
def test_one_word_is_one_shot(text: str) -> None:
    story = split_story(text)
    assert len(story.shots) == 1
    _check(text, story)


@pytest.mark.parametrize("text", ["this is abstract", "时间是什么？人生的意义又在哪里？我不知道。"])
def test_a_story_without_a_picture_is_one_shot_and_says_so(text: str) -> None:
    story = split_story(text)
    assert len(story.shots) == 1
    assert [notice.code for notice in story.notices] == ["story_abstract"]
    assert story.shots[0].text == text


def test_a_visible_story_says_nothing() -> None:
    assert split_story("A red boat drifts past the rocks.").notices == ()
    assert split_story("一只猫跳上屋顶。").notices == ()


def test_many_shots_are_joined_over_the_weakest_borders() -> None:
    text = "\n".join(f"{n}. 第{n}只鸟飞上树。" for n in range(1, 41))
    story = split_story(text)
    assert len(story.shots) == MOST_SHOTS
    assert story.notices[0].code == "story_many_shots"
    assert story.notices[0].values == {"count": 40, "high": MOST_SHOTS}
    assert max(shot.text.count("鸟") for shot in story.shots) == 2
    assert sum(shot.text.count("鸟") for shot in story.shots) == 40


HOSTILE = [
    *(
        "“" * 6000 + "走",
        "(" * 9000 + "a",
        "‘a’b " * 2400,
        "\n" * 11_000 + "a",
        "【" * 9000 + "走",
        "走，" * 6000,
    ),
    *(
        "a" * 12_000,
        "走" * 12_000,
        "- a\n" * 3000,
        "走。" * 6000,
        "😀" * 11_000,
        "**a" * 4000,
        "[a](b" * 2400,
    ),
    *("走来走去，突然一只鸟飞来，" * 900, "ANNA\nrun\n" * 1300, "a-" * 6000, "http://a.b/" + "c." * 5000),
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:6]))
def test_hostile_texts_end_soon_and_well(text: str) -> None:
    _check(text[:LONGEST_STORY], split_story(text[:LONGEST_STORY]))


def test_whatever_is_typed_becomes_shots_or_a_notice() -> None:
    dice = random.Random(4)
    signs = "走他突然一只猫。，！？“”\"'().…\n\r\t \u3000#-*1.:：—aA He ran the😀"
    signs += "【】《》[]http://x.y第一章INT. 旁白\x00"
    for _ in range(300):
        text = "猫" + "".join(dice.choice(signs) for _ in range(dice.randint(1, 200)))
        _check(text, split_story(text))
