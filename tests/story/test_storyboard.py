"""The printed sheet: complete by itself, safe to open, in the reader's language."""

import re
from base64 import b64decode
from io import BytesIO

from PIL import Image

from studio.story.edit import edit
from studio.story.storyboard import storyboard
from tests.story.kit import TEXTS, story_of


def sheet(**values: object) -> str:
    story = edit(story_of(**values), "set_character", name="老人", looks="白胡子")
    story = edit(story, "update_shot", shot_id="shot2", translation="A dragon.")
    return storyboard(story, link="https://studio.example/?story=abc", stills={}, language="en")


def test_it_holds_every_shot_and_asks_nobody_for_anything() -> None:
    found = sheet()
    assert all(text in found for text in (*TEXTS, "A dragon.", "老人", "白胡子"))
    assert re.findall(r'(?:src|href)="(?!data:)', found) == []
    assert "<script" not in found
    assert "@import" not in found


def test_its_code_is_a_picture_large_enough_to_be_read() -> None:
    picture = re.search(r'src="data:image/png;base64,([^"]+)"', sheet())
    assert picture is not None
    with Image.open(BytesIO(b64decode(picture[1]))) as code:
        assert code.width == code.height >= 150


def test_nothing_that_people_wrote_becomes_markup() -> None:
    evil = "<img src=x onerror=alert(1)>\"'&{x}$title"
    story = story_of(evil, title=evil)
    story = edit(story, "set_character", name="<b>x", looks="<i>")
    story = edit(story, "update_shot", shot_id="shot1", title="<u>", translation="<s>", prompt="<em>")
    found = storyboard(story, link="javascript:alert(1)", stills={}, language="zh")
    assert re.search(r"<(img src=x|b>x|i>|u>|s>|em>)", found) is None
    assert "$title" in found


def test_a_still_is_in_the_sheet_and_one_far_too_large_is_not() -> None:
    stills = {"shot1": b"picture", "shot2": b"", "shot3": b"x" * 600_000}
    found = storyboard(story_of(), link="https://x", stills=stills, language="en")
    assert found.count("data:image/webp") == 1
