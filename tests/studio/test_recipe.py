"""Recipes: what goes into a film comes out of it again, and what others wrote there does no harm."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelines.request import GenerationRequest
from studio.media import ffmpeg
from studio.media.clip import write_clip
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.recipe import Recipe, read_recipe
from studio.words import LANGUAGES, say
from tests.media.pictures import frames

FORM = {
    "prompt": "夜晚的海上，一只小船",
    "style": "ink",
    "model": "sketch",
    "quality": "final",
    "size": "320x192",
    "seed": 7,
}
REQUEST = GenerationRequest(prompt="夜晚的海上，一只小船，水墨画", num_frames=17, seed=7, quality="final")
RECIPE = Recipe(request=REQUEST, form=FORM, model_revision="abc", created="2026-01-01T00:00:00Z", job="j1")


def film(path: Path, comment: str) -> Path:
    write_clip(frames(17), path=path, fps=8, comment=comment, label=LabelStyle(), expected_frames=17)
    return path


def changed(**values: Any) -> str:
    return json.dumps({**json.loads(RECIPE.text()), **values}, ensure_ascii=False)


def test_a_recipe_survives_the_film(tmp_path: Path) -> None:
    assert read_recipe(film(tmp_path / "a.mp4", RECIPE.text())) == RECIPE


def test_the_longest_recipe_survives_too(tmp_path: Path) -> None:
    long = "夜" * 2000
    request = GenerationRequest(prompt=long, negative_prompt=long)
    recipe = Recipe(request=request, form={"prompt": long, "negative_prompt": long})
    assert read_recipe(film(tmp_path / "a.mp4", recipe.text())) == recipe


def test_an_improved_prompt_brings_along_what_was_typed_at_first(tmp_path: Path) -> None:
    text = changed(form={**FORM, "prompt_original": "小船"})
    assert read_recipe(film(tmp_path / "a.mp4", text)).form == {**FORM, "prompt_original": "小船"}
    for number, bad in enumerate(("\x00", "夜" * 2001, 7, ["小船"])):
        text = changed(form={**FORM, "prompt_original": bad})
        with pytest.raises(MediaError) as caught:
            read_recipe(film(tmp_path / f"{number}.mp4", text))
        assert caught.value.notice.code == "recipe_bad"


def test_unknown_keys_are_dropped_and_a_lost_style_becomes_its_words(tmp_path: Path) -> None:
    text = changed(extra=1, form={**FORM, "style": "cubist", "future": [1, {"a": 2}]})
    form = read_recipe(film(tmp_path / "a.mp4", text)).form
    assert form["style"] == "none"
    assert form["prompt"] == REQUEST.prompt
    assert "future" not in form


BAD: dict[str, str] = {
    "no recipe at all": "not_ours",
    "another program's": "not_ours",
    "a list": "not_ours",
    "no object": "not_ours",
    "broken json": "recipe_bad",
    "deep": "recipe_bad",
    "huge number": "recipe_bad",
    "long prompt": "recipe_bad",
    "too long": "recipe_bad",
    "evil prompt": "recipe_bad",
    "evil form": "recipe_bad",
    "unknown model": "recipe_bad",
    "wrong size": "recipe_bad",
    "nan": "recipe_bad",
    "nested form": "recipe_bad",
    "form is a list": "recipe_bad",
    "form number is text": "recipe_bad",
    "future version": "recipe_bad",
    "no request": "recipe_bad",
    "extra in request": "recipe_bad",
}


def comment(case: str) -> str:
    request = json.loads(REQUEST.model_dump_json())
    return {
        "no recipe at all": "",
        "another program's": '{"comfyui": {"workflow": [1, 2, 3]}}',
        "a list": '["wan-studio"]',
        "no object": '"wan-studio"',
        "broken json": '{"studio":"wan-studio", "request": {',
        "deep": '{"studio":"wan-studio","form":' + "[" * 30_000 + "]" * 30_000 + "}",
        "huge number": '{"studio":"wan-studio","version":' + "9" * 20_000 + "}",
        "long prompt": changed(request={**request, "prompt": "x" * 20_000}),
        "too long": "x",  # replaced below: longer than our own writer allows
        "evil prompt": changed(request={**request, "prompt": "a\u0000b"}),
        "evil form": changed(form={**FORM, "prompt": "a\u0007b"}),
        "unknown model": changed(request={**request, "model": "../../etc"}),
        "wrong size": changed(request={**request, "width": 100_000}),
        "nan": RECIPE.text().replace('"guidance_scale":3.0', '"guidance_scale":NaN'),
        "nested form": changed(form={**FORM, "prompt": {"$ne": None}}),
        "form is a list": changed(form=[FORM]),
        "form number is text": changed(form={**FORM, "seed": ["1"]}),
        "future version": changed(version="x"),
        "no request": '{"studio":"wan-studio","form":{}}',
        "extra in request": changed(request={**request, "__class__": "os"}),
    }[case]


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_gets_a_clear_word(case: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    if case == "too long":
        # 10 MB of prompt, written past our own limit by ffmpeg itself from a metadata file.
        film(tmp_path / "plain.mp4", "{}")
        text = changed(form={**FORM, "prompt": "x" * 10_000_000})
        (tmp_path / "meta").write_text(
            ";FFMETADATA1\ncomment=" + text.replace("=", "\\=").replace(";", "\\;")
        )
        subprocess.run(
            [ffmpeg.program(), "-v", "error", "-i", tmp_path / "plain.mp4", "-f", "ffmetadata", "-i",
             tmp_path / "meta", "-map_metadata", "1", "-c", "copy", path],
            check=True,
        )  # fmt: skip
        assert path.stat().st_size > 9_000_000
    else:
        film(path, comment(case))
    with pytest.raises(MediaError) as caught:
        read_recipe(path)
    assert caught.value.code == BAD[case]
    for language in LANGUAGES:
        assert 5 < len(say(caught.value.notice, language)) < 120


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.mp4", b"", "file_empty"),
        ("text.mp4", b'{"studio":"wan-studio"}' * 100, "not_a_video"),
        (
            "lying.mp4",
            b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + b"\x00" * 500,
            "not_a_video",
        ),
        ("picture.mp4", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100, "not_a_video"),
    ],
)
def test_what_is_no_film(name: str, content: bytes, code: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError) as caught:
        read_recipe(tmp_path / name)
    assert caught.value.code == code


def test_a_file_of_many_gigabytes_is_not_even_opened(tmp_path: Path) -> None:
    with (tmp_path / "big.mp4").open("wb") as file:
        file.truncate(3_000_000_000)
    with pytest.raises(MediaError) as caught:
        read_recipe(tmp_path / "big.mp4")
    assert caught.value.code == "file_too_big"
    assert "500" in say(caught.value.notice, "en")
