"""Pictures that clips begin with: what is taken in, what is refused, what holds a job, when one goes."""

import io
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from PIL import Image

from pipelines.models import MODELS, Size
from pipelines.request import Notice
from studio.access import Visitor
from studio.core import Studio
from studio.db import utc_now, writing
from studio.library import Asset, new_id, places
from studio.media import still
from studio.media.clip import write_clip
from studio.media.label import LabelStyle
from studio.picture_rows import picture_table, place_of
from studio.pictures import cut_off, size_for
from studio.refusal import Refused
from studio.settings import Settings

ANN = Visitor(owner="ann", admin=False)
CAN = "wan2.2-ti2v-5b"


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(studio_home=tmp_path, local_worker=False))


def picture(width: int = 160, height: int = 96, **changes: object) -> bytes:
    """Red above, blue below."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, :, 0] = pixels[height // 2 :, :, 2] = 200
    return saved(Image.fromarray(pixels), **changes)


def saved(image: Image.Image, kind: str = "PNG", **more: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def refused(studio: Studio, data: bytes) -> Notice:
    with pytest.raises(Refused) as error:
        studio.keep_picture(ANN, data)
    assert not list((studio.settings.studio_home / "inputs").glob("*"))
    return error.value.notices[0]


def test_a_picture_is_kept_by_what_it_shows(studio: Studio) -> None:
    kept = studio.keep_picture(ANN, picture())
    path = place_of(studio.settings.studio_home, kept.id)
    assert (kept.width, kept.height, kept.held) == (160, 96, False)
    with Image.open(path) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (160, 96))
    assert studio.keep_picture(ANN, picture(compress_level=1)).id == kept.id, "other bytes, the same picture"
    assert studio.keep_picture(ANN, picture(162)).id != kept.id
    assert len(list(path.parent.iterdir())) == 2
    assert studio.pictures.find(kept.id) is not None
    for other in ("", "x", "0" * 64, "../" * 20, None, 5):
        assert studio.pictures.find(other) is None


def test_what_a_camera_writes_beside_the_pixels_is_gone_and_the_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    found = still.normal(picture(kind="JPEG", exif=exif.tobytes(), quality=95))
    assert (found.width, found.height) == (96, 160)
    with Image.open(io.BytesIO(found.png)) as image:
        assert not image.info
        assert not image.getexif()
        light = np.asarray(image).astype(int)
    assert light[80, 90, 0] > 150, "turned to the right"
    assert light[80, 5, 2] > 150


def test_what_one_can_see_through_lies_on_white_and_sixteen_bits_become_eight() -> None:
    clear = Image.new("RGBA", (80, 80), (255, 0, 0, 0))
    with Image.open(io.BytesIO(still.normal(saved(clear)).png)) as image:
        assert image.getpixel((9, 9)) == (255, 255, 255)
    deep = Image.fromarray(np.full((80, 80), 32896, np.uint16))
    with Image.open(io.BytesIO(still.normal(saved(deep)).png)) as image:
        assert image.getpixel((9, 9)) == (128, 128, 128)
    for mode in ("L", "P", "CMYK", "1"):
        kind = "JPEG" if mode == "CMYK" else "PNG"
        assert still.normal(saved(Image.new("RGB", (80, 80), "red").convert(mode), kind)).width == 80


def test_a_larger_picture_becomes_as_large_as_a_model_could_use() -> None:
    found = still.normal(picture(4000, 1000))
    assert (found.width, found.height) == (2560, 640)


def test_what_is_no_still_picture_is_refused_in_words(studio: Studio) -> None:
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "blue")]
    moving = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    whole = picture(kind="JPEG")
    codes = {
        "file_empty": b"",
        "picture_bad": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "still_animated": moving,
        "picture_small": picture(200, 40),
        "still_heic": b"\x00\x00\x00\x24ftypheic" + bytes(40),
        "still_too_big": bytes(still.MAX_BYTES + 1),
    }
    assert {code: refused(studio, data).code for code, data in codes.items()} == {c: c for c in codes}
    as_gif = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
    assert refused(studio, as_gif).code == "still_animated"
    for broken in (whole[: len(whole) // 2], picture()[:60], b"GIF89a" + bytes(40), b"#EXTM3U\nfile:///etc"):
        assert refused(studio, broken).code == "picture_bad"


def test_a_bomb_is_never_decoded(studio: Studio) -> None:
    head = b"\x89PNG\r\n\x1a\n"

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    for side in (8000, 60000):
        size = side.to_bytes(4, "big") * 2
        data = (
            head + chunk(b"IHDR", size + b"\x08\x02\x00\x00\x00") + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        )
        assert refused(studio, data).code == "still_too_big"


def test_a_size_is_suggested_from_the_pictures_shape(studio: Studio) -> None:
    spec = MODELS["wan2.2-i2v-a14b"]
    sizes = {
        (1600, 900): Size(1280, 720),
        (900, 1600): Size(720, 1280),
        (800, 800): Size(624, 624),
        (1664, 960): Size(832, 480),
    }
    for (width, height), size in sizes.items():
        kept = studio.keep_picture(ANN, picture(width, height))
        assert size_for(kept, spec) == size
        assert cut_off(kept, size) < 0.01
    assert cut_off(kept, Size(480, 832)) == pytest.approx(1 - (480 / 832) ** 2, abs=0.01)


def test_a_clip_is_asked_for_by_the_hash_of_a_picture(studio: Studio) -> None:
    kept = studio.keep_picture(ANN, picture())
    job = studio.jobs.get(studio.generate(ANN, prompt="a boat", model=CAN, first_frame=kept.id))
    assert job is not None
    assert job.request is not None
    assert (job.request.first_frame, job.form["first_frame"], job.state) == (kept.id, kept.id, "queued")
    found = studio.pictures.inputs(job.request)
    assert found.first_frame == place_of(studio.settings.studio_home, kept.id)
    again = studio.jobs.get(studio.again(ANN, job.id))
    assert again is not None
    assert again.request is not None
    assert again.request.first_frame == kept.id


@pytest.mark.parametrize(
    ("model", "given", "code"),
    [
        (CAN, "f" * 64, "first_frame_gone"),
        (CAN, "../../etc/passwd", "string_pattern_mismatch"),
        ("sketch", "kept", "first_frame_not_here"),
        ("wan2.2-i2v-a14b", "", "first_frame_needed"),
    ],
)
def test_a_picture_that_is_not_here_or_not_for_this_model(
    studio: Studio, model: str, given: str, code: str
) -> None:
    kept = studio.keep_picture(ANN, picture())
    with pytest.raises(Refused) as error:
        studio.generate(ANN, prompt="a boat", model=model, first_frame=kept.id if given == "kept" else given)
    assert error.value.notices[0].code == code
    assert not studio.jobs.list()


def judged(studio: Studio, monkeypatch: pytest.MonkeyPatch, score: float) -> None:
    """A checker that is as sure as this that it sees nudity, whatever it is shown."""
    from studio.trust import pictures
    from studio.trust.pictures import Score

    class Sure:
        name, categories = "sure", frozenset({"sexual"})

        def scores(self, seen: object, _: object) -> list[Score]:
            return [Score("sexual", score, 0.0)]

    monkeypatch.setattr(pictures, "checkers", lambda settings: (Sure(),))


def test_a_picture_that_may_not_be_shown_is_not_even_kept(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(studio, monkeypatch, 0.95)
    assert refused(studio, picture()).code == "picture_sexual"


def test_a_picture_in_doubt_holds_the_job_until_a_person_has_seen_it(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(studio, monkeypatch, 0.6)
    kept = studio.keep_picture(ANN, picture())
    assert kept.held
    job_id = studio.generate(ANN, prompt="a boat", model=CAN, first_frame=kept.id)
    job = studio.jobs.get(job_id)
    assert job is not None
    assert job.error is not None
    assert (job.state, job.error.code) == ("held", "held_picture")
    admin = Visitor(owner="boss", admin=True)
    item = studio.reviews.waiting(admin)[0]
    assert (item.picture, item.reasons[0].code) == (kept.id, "picture_sexual")
    studio.reviews.decide(admin, "text", job_id, "approve", name="Boss")
    freed = studio.jobs.get(job_id)
    assert freed is not None
    assert freed.state == "queued"


def clip(studio: Studio, *, frames: int = 9, look: str = "", label: LabelStyle | None = None) -> Asset:
    """A clip that gets lighter frame by frame, in the library."""
    asset_id = new_id()
    place, thumbnail = places(asset_id, ".webp")
    path = studio.settings.studio_home / place
    path.parent.mkdir(parents=True, exist_ok=True)
    light = (np.full((192, 320, 3), 40 + 20 * at, np.uint8) for at in range(frames))
    style = label or LabelStyle(shown=False)
    facts = write_clip(light, path=path, fps=8, comment="{}", expected_frames=frames, label=style)
    request, form = studio._resolve({"prompt": "a boat", "model": "sketch", "seed": 7})
    asset = Asset(
        id=asset_id,
        job_id=new_id(),
        owner="ann",
        path=place,
        thumbnail=thumbnail,
        request=request.model_copy(update={"look": look}),
        form=form,
        model="sketch",
        model_revision="",
        width=320,
        height=192,
        seconds=facts.seconds,
        fps=8,
        frames=frames,
        bytes=1,
        sha256="",
        render_seconds=1.0,
        created=utc_now(),
        label={name: getattr(style, name) for name in LabelStyle.__dataclass_fields__},
    )
    studio.assets.add(asset)
    return asset


def test_a_clip_is_gone_on_from_its_third_frame_from_the_end(studio: Studio) -> None:
    asset = clip(studio)
    form = studio.goes_on(ANN, asset.id, CAN)
    kept = studio.pictures.find(form["first_frame"])
    assert kept is not None
    assert (kept.asset_id, kept.frame, kept.width, kept.height) == (asset.id, 6, 320, 192)
    with Image.open(studio.pictures.file(kept)) as image:
        assert np.abs(np.asarray(image).astype(int) - (40 + 20 * 6)).max() <= 3, "the seventh of nine"
    assert (form["prompt"], form["seed"], form["size"], form["model"]) == ("a boat", 8, "832x480", CAN)
    assert studio.goes_on(ANN, asset.id, CAN) == form
    request, _ = studio._resolve(form)
    source = studio.pictures.source(request)
    assert source is not None
    assert source.id == asset.id
    with pytest.raises(Refused):
        studio.goes_on(ANN, asset.id, "sketch")


def test_the_label_of_a_clip_does_not_stand_in_the_next_one(studio: Studio) -> None:
    from studio.trust.policy import Policy

    label = Policy().label.style("AI生成")
    asset = clip(studio, label=replace(label, shown=True))
    with Image.open(studio.pictures.file(studio.pictures.keep_frame(asset))) as image:
        light = np.asarray(image).astype(int)
    assert np.abs(light - 160).max() < 12, "drawn over with what is around it"


def test_a_look_that_the_frame_has_already_is_not_laid_over_it_again(studio: Studio) -> None:
    from studio.styles import STYLES

    style = next(style for style in STYLES.values() if style.look)
    form = studio.goes_on(ANN, clip(studio, look=style.look).id, CAN) | {"style": style.name}
    request, _ = studio._resolve(form)
    assert request.look == ""
    plain = studio.goes_on(ANN, clip(studio, frames=10).id, CAN) | {"style": style.name}
    assert studio._resolve(plain)[0].look == style.look


def test_what_is_held_or_gone_can_not_be_gone_on(studio: Studio) -> None:
    asset = clip(studio)
    studio.assets.file(asset).unlink()
    with pytest.raises(Refused):
        studio.goes_on(ANN, asset.id, CAN)
    with pytest.raises(Refused):
        studio.goes_on(ANN, clip(studio, frames=2).id, CAN)


def test_a_picture_stays_while_something_names_it_and_goes_a_day_later(studio: Studio) -> None:
    named, lone, new = (studio.keep_picture(ANN, picture(width)) for width in (160, 170, 180))
    job_id = studio.generate(ANN, prompt="a boat", model=CAN, first_frame=named.id)
    stray = place_of(studio.settings.studio_home, "e" * 64)
    stray.write_bytes(b"x")

    def aged(*ids: str) -> None:
        with writing(studio.engine) as connection:
            old = sa.update(picture_table).where(picture_table.c.id.in_(ids))
            connection.execute(old.values(used=utc_now() - timedelta(days=2)))

    aged(named.id, lone.id)
    assert studio.pictures.sweep() == 1
    assert [studio.pictures.find(one.id) is not None for one in (named, lone, new)] == [True, False, True]
    assert not place_of(studio.settings.studio_home, lone.id).exists()
    assert stray.exists(), "it was written just now"
    studio.jobs.delete(job_id)
    assert studio.pictures.sweep() == 1
    assert studio.pictures.find(named.id) is None


def test_a_picture_that_is_asked_for_again_is_fresh(studio: Studio) -> None:
    kept = studio.keep_picture(ANN, picture())
    with writing(studio.engine) as connection:
        connection.execute(sa.update(picture_table).values(used=utc_now() - timedelta(days=2)))
    studio._resolve({"prompt": "a boat", "model": CAN, "first_frame": kept.id})
    assert studio.pictures.sweep() == 0
