"""What a shot shows, by rules, fact by fact; how often that is right is measured in tests/story."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from studio.text.fields import MAX_PHRASE, MAX_PHRASES, ShotFields, fields_of, fields_of_story
from studio.text.shots import split_story
from tests.text.corpus import STORIES, Annotated, annotated

DEV = sorted((STORIES / "dev").glob("*.toml"))[::4]
FIELDS = tuple(ShotFields.model_fields)


def _bare(text: str) -> str:
    return re.sub(r"[\s“”\"‘’'《》]+", "", text.lower())


@cache
def _story(path: Path) -> tuple[Annotated, tuple[ShotFields, ...]]:
    story = annotated(path)
    return story, fields_of_story(story.text, story.spans, names=story.names)


@pytest.mark.slow
def test_phrases_stand_in_the_text_or_carry_over() -> None:
    for path in DEV:
        story, fields = _story(path)
        # Only marks around a word of the text are missing from a phrase: 写着“茶”字.
        text = _bare(story.text)
        for shot in fields:
            for phrase in (*shot.action, *shot.camera, *shot.mood):
                assert _bare(phrase) in text


def test_a_chinese_shot() -> None:
    fields = fields_of("夜里下着小雨，一只橘猫从屋顶上跳下来，蹲在窗台上看着路灯。")
    assert fields.subject == ("橘猫",)
    assert fields.action == ("跳下来", "蹲在窗台上", "看着路灯")
    assert fields.environment == ("屋顶", "窗台")
    assert fields.time == ("夜里",)
    assert fields.weather == ("小雨",)


def test_an_english_shot() -> None:
    fields = fields_of("At dawn a red boat sails across the sea in thick fog, and two gulls follow it.")
    assert fields.subject == ("red boat", "gulls")
    assert fields.action == ("sails across the sea", "follow it")
    assert fields.environment == ("sea",)
    assert (fields.time, fields.weather) == (("dawn",), ("fog",))


def test_a_mixed_shot() -> None:
    fields = fields_of("Emma 推开 café 的门，a fat cat sleeps on the counter。")
    assert fields.subject == ("Emma", "fat cat")
    assert fields.action == ("推开 café 的门", "sleeps on the counter")


@pytest.mark.parametrize(
    ("text", "mood", "camera", "style"),
    [
        ("特写：她高兴地笑了。水墨风格。", ("高兴",), ("特写",), ("水墨风格",)),
        ("镜头缓缓推近，街上很安静。", ("安静",), ("镜头缓缓推近",), ()),
        ("Slow pan. The nervous boy waits. Film noir.", ("nervous",), ("Slow pan",), ("Film noir",)),
        ("She folds a piece of felt and stirs the frying pan.", (), (), ()),
    ],
)
def test_mood_camera_and_style(
    text: str, mood: tuple[str, ...], camera: tuple[str, ...], style: tuple[str, ...]
) -> None:
    fields = fields_of(text)
    assert (fields.mood, fields.camera, fields.style) == (mood, camera, style)


def test_place_time_weather_and_style_carry_over() -> None:
    before = ShotFields(
        subject=("fox",), environment=("forest",), time=("night",), weather=("snow",), style=("watercolour",)
    )
    fields = fields_of("It looks up and howls.", carry=before)
    assert fields.subject == ("fox",)
    assert fields.environment == ("forest",)
    assert (fields.time, fields.weather, fields.style) == (("night",), ("snow",), ("watercolour",))


def test_what_the_text_names_ends_what_carried_over() -> None:
    before = ShotFields(subject=("狐狸",), environment=("森林",), time=("夜晚",), weather=("雪",))
    fields = fields_of("第二天早上，雪停了，小女孩走进厨房。", carry=before)
    assert fields.subject == ("小女孩",)
    assert fields.environment == ("厨房",)
    assert (fields.time, fields.weather) == (("第二天早上",), ())


def test_mood_and_camera_do_not_carry_over() -> None:
    before = ShotFields(mood=("紧张",), camera=("特写",))
    assert fields_of("他走了。", carry=before).mood == ()
    assert fields_of("他走了。", carry=before).camera == ()


def test_a_pronoun_means_the_last_one_it_fits() -> None:
    before = (ShotFields(subject=("老奶奶",)), ShotFields(subject=("小男孩",)))
    assert fields_of("她摇了摇头。", before=before).subject == ("老奶奶",)
    assert fields_of("他摇了摇头。", before=before).subject == ("小男孩",)
    assert fields_of("他们一起走出院子。", before=before).subject == ("小男孩", "老奶奶")


def test_the_pronouns_of_a_story_tell_who_is_a_he_and_who_a_she() -> None:
    before = (ShotFields(subject=("Quill",)), ShotFields(subject=("Wren",)))
    story = "Quill lifts her lamp. Wren drops his bag. Quill shuts her eyes."
    assert fields_of("She runs away.", before=before, story=story).subject == ("Quill",)
    assert fields_of("He runs away.", before=before, story=story).subject == ("Wren",)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Our teacher, Mr. Okonkwo, walks down the row.", ("Mr. Okonkwo",)),
        ("The egg splits, and out wriggles a small snake.", ("egg", "small snake")),
        ("The barn door creaks, and everybody laughs.", ("barn door", "everybody")),
        ("旁边睡着一只花猫。", ("花猫",)),
        ("七名游客被困在河中央的一块石头上。", ("游客",)),
    ],
)
def test_who_acts_wherever_it_stands(text: str, subject: tuple[str, ...]) -> None:
    assert fields_of(text).subject == subject


def test_a_story_comes_back_to_a_place() -> None:
    story = (
        "Anna sits in the kitchen. ",
        "A storm rages over the sea, and a sailor clings to the mast. ",
        "Anna lights a candle.",
    )
    starts = [0, len(story[0]), len(story[0] + story[1]), len("".join(story))]
    fields = fields_of_story("".join(story), list(pairwise(starts)), names=("Anna",))
    assert fields[0].environment == fields[2].environment == ("kitchen",)
    assert fields[1].environment == ("sea",)


def test_headings_set_the_scene_for_all_its_shots() -> None:
    told = ("Mara opens the fridge.", "She pours a glass of milk.", "She runs.")
    text = f"INT. KITCHEN - NIGHT\n\n{told[0]}\n\n{told[1]}\n\nEXT. BEACH - DAWN\n\n{told[2]}"
    spans = [(text.index(part), text.index(part) + len(part)) for part in told]
    first, second, third = fields_of_story(text, spans, names=("Mara",))
    assert first.environment == second.environment == ("KITCHEN",)
    assert (first.time, third.environment, third.time) == (("NIGHT",), ("BEACH",), ("DAWN",))


def test_what_is_said_is_not_seen() -> None:
    fields = fields_of("“快跑，大海怪来了！”老人说。")
    assert fields.action == ()
    assert "海怪" not in "".join(fields.subject)


@pytest.mark.parametrize(
    "text",
    [
        "她没有哭，也不想跳舞。",
        "He did not run and would never dance.",
        "小明希望飞上天空。",
        "Who opened the door?",
    ],
)
def test_what_is_not_done_is_no_action(text: str) -> None:
    assert fields_of(text).action == ()


def test_a_name_that_is_a_common_word_is_no_weather_and_no_mood() -> None:
    fields = fields_of("小雨高兴地跳起来，高兴和小雨一起跑了。", names=("小雨", "高兴"))
    assert fields.weather == ()
    assert fields.mood == ("高兴",)
    assert fields_of("Rose waves to Summer.", names=("Rose", "Summer")).time == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t",
        "。",
        "😀🎉🐉",
        "1234",
        "https://example.com/a?b=c",
        "\x00\x07",
        "ｆｕｌｌ　ｗｉｄｔｈ",
        "嗯",
        "\ud83d",
    ],
)
def test_odd_texts_have_fields_too(text: str) -> None:
    carry = ShotFields(environment=("sea",))
    assert fields_of(text, carry=carry).environment == ("sea",)


def test_fields_stay_small_whatever_comes() -> None:
    fields = fields_of(
        "他跑，他跳，他飞，他游，他爬，他走，他站，他坐，他躺，他哭，他笑。" + "很" * 5000 + "长"
    )
    for name in FIELDS:
        assert len(getattr(fields, name)) <= MAX_PHRASES
        assert all(0 < len(phrase) <= MAX_PHRASE for phrase in getattr(fields, name))


def test_too_many_phrases_are_refused() -> None:
    with pytest.raises(ValidationError):
        ShotFields(action=("x",) * (MAX_PHRASES + 1))
    with pytest.raises(ValidationError):
        ShotFields(mood=("",))


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["的", "他跑，", "a, ", "and the man ", "as big as ", "小明go ", "“", "(", "越来越", "\n"]
)
def test_a_long_odd_text_is_read_to_its_end(unit: str) -> None:
    # Work that grows with the square of the length would run into the time limit of every test.
    fields = fields_of(unit * (12000 // len(unit)) + "\nAt dawn a red boat sails across the sea.")
    assert len(fields.action) <= MAX_PHRASES


@pytest.mark.parametrize(
    ("text", "camera"),
    [
        ("① 全景｜老街上没有人。", ("全景",)),
        ("VISUAL (wide): A dusty road.", ("wide",)),
        ("2. ECU: Bare feet find the floor.", ("ECU",)),
        ("SC03（特写）指甲掐断嫩芽。", ("特写",)),
        ("镜头从屋顶移到街上，一个人跑过。", ("镜头从屋顶移到",)),
        ("众人把船推进河里。", ()),
        ("He is slow.", ()),
    ],
)
def test_a_label_of_any_shape_names_the_camera_and_ordinary_verbs_do_not(
    text: str, camera: tuple[str, ...]
) -> None:
    assert fields_of(text).camera == camera


def test_a_mood_that_is_denied_is_none() -> None:
    assert fields_of("She was not the least bit tired, but glad.").mood == ("glad",)
    assert fields_of("他没有时间害怕。").mood == ()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("晚上九点多，妈妈回来了。", ("晚上九点",)),
        ("等风小了一点，大家抬起头来。", ()),
        ("It was past ten when Imogen came out.", ("past ten",)),
        ("At lunch we sat on buckets, one by one.", ("lunch",)),
        ("谷雨那天，爷爷下地。", ("谷雨",)),
    ],
)
def test_clock_times_meals_and_terms_of_the_year_are_times(text: str, time: tuple[str, ...]) -> None:
    assert [part.split()[-1] for part in fields_of(text).time] == [part.split()[-1] for part in time]


def test_weather_holds_until_a_roof_or_its_contrary() -> None:
    rain = ShotFields(environment=("街上",), weather=("雨",))
    assert fields_of("他停下脚步，大笑起来。", carry=rain).weather == ("雨",)
    assert fields_of("他走进办公室，坐下来。", carry=rain).weather == ()
    assert fields_of("天晴了，孩子们跑出来。", carry=rain).weather == ("天晴",)
    assert fields_of("许多年以后，他在街上卖伞。", carry=rain).weather == ()


def test_left_is_a_direction_behind_an_article() -> None:
    fields = fields_of("A red train drives to the left through the mountains.")
    assert (fields.subject, fields.action) == (("red train",), ("drives to the left",))
    assert fields_of("She turned left and left the room.").action == ("turned left", "left the room")


@pytest.mark.parametrize(
    ("text", "camera"),
    [
        (
            "镜头一（特写）\n一只手握住门把。\n镜头二（全景，缓推）\n雪地里站着一个女人。",
            ["特写", "全景 缓推"],
        ),
        (
            "镜号｜画面｜景别/运镜｜声音\n1｜船来了。｜远景，缓推｜浪\n2｜手抓住绳子。｜特写｜",
            ["远景 缓推", "特写"],
        ),
        (
            "| # | Framing | Visual |\n|---|---|---|\n| 1 | Wide | A town. Smoke. |\n| 2 | | A match. |",
            ["Wide", ""],
        ),
        ("Frame 1. WIDE. A tower stands.\nFrame 2. POV. The sill.", ["WIDE", "POV"]),
        ("P1（近景）：裁缝踩着缝纫机。\nP2：孙女跑下来。\nP3（快切）：屋檐滴水。", ["近景", "", "快切"]),
        ("FRAME 1｜drone｜黑沙滩上一道白浪。\nFRAME 2｜大林趴在桌上。", ["drone", ""]),
        (
            "SHOT 1 - WIDE:\nA bus crawls along.\n\nSHOT 2 - LOW ANGLE:\nThe driver steps down.",
            ["WIDE", "LOW ANGLE"],
        ),
        ("1. 画面：一滴水落下。\n景别：特写\n2. 画面：孩子们奔跑。\n景别：全景", ["特写", "全景"]),
        (
            "镜头1\n景别：特写\n运镜：缓慢推近\n画面：一滴水落下。\n\n镜头2\n画面：孩子们奔跑。",
            ["特写 缓慢推近", ""],
        ),
        ("① 地铁里人贴着人。（手持晃动）\n② 她按下耳机。（升格，俯拍）", ["手持晃动", "升格 俯拍"]),
        (
            "Scene 1: Rooftop. (drone)\nA boy sits on the edge.\n\nScene 2: Street.\nHe runs past.",
            ["drone", ""],
        ),
        (
            "1. Low angle. A bus stops.\n2. Steam lifts.\n3. Aerial, pulling away. It leaves.",
            ["Low angle", "", "Aerial"],
        ),
        ("Dissolve to: a kitchen. A cat sleeps on the mat.", [""]),
    ],
)
def test_camera_words_are_those_of_their_own_shot(text: str, camera: list[str]) -> None:
    spans = [(shot.start, shot.end) for shot in split_story(text).shots]
    assert [" ".join(one.camera) for one in fields_of_story(text, spans)] == camera


@pytest.mark.parametrize(
    ("head", "style"),
    [
        ("视觉：高饱和，霓虹，竖屏", ("高饱和", "霓虹", "竖屏")),
        ("调性：胶片颗粒，暖灰色", ("胶片颗粒", "暖灰色")),
        ("画面要求：赛博朋克，4:3 画幅，低饱和", ("赛博朋克", "4:3 画幅", "低饱和")),
        ("Visual style: moody, teal and orange", ("moody", "teal and orange")),
        ("时长：45秒｜竖屏｜风格：剪纸，暖光", ("剪纸", "暖光")),
        ("Length: 40 seconds. Treatment: linocut, two colours", ("linocut", "two colours")),
        ("Tone: 冷白，minimal", ("冷白", "minimal")),
    ],
)
def test_a_note_of_the_look_holds_for_all_shots(head: str, style: tuple[str, ...]) -> None:
    text = f"一碗面 · 60秒\n{head}\n\n1. 一只手拧开瓶盖。\n2. 女孩跑过草地。"
    spans = [(shot.start, shot.end) for shot in split_story(text).shots]
    assert [one.style for one in fields_of_story(text, spans)] == [style, style]


def test_things_that_could_be_a_style_are_none_in_plain_prose() -> None:
    assert fields_of("The skull was cut out of the rock. Tray, black and white, barked at it.").style == ()


def test_clocks_over_what_happens_are_times_and_seconds_of_a_film_are_not() -> None:
    day, film = "07:40 大巴开上高速。\n09:15 教练拍着冲浪板。", "0:00 大巴开上高速。\n0:05 教练拍着冲浪板。"
    for text, times in ((day, [("07:40",), ("09:15",)]), (film, [(), ()])):
        spans = [(shot.start, shot.end) for shot in split_story(text).shots]
        assert [one.time for one in fields_of_story(text, spans)] == times


def test_a_scenes_heading_tells_the_time_wherever_it_stands() -> None:
    text = "场1　内　办公室　黄昏\n\n老师批改作业。\n\n场2　外　麦田　日（闪回）\n\n少年割麦。"
    spans = [(shot.start, shot.end) for shot in split_story(text).shots]
    assert [one.time for one in fields_of_story(text, spans)] == [("黄昏",), ("日",)]
