"""Facts about tracing: what is of here is named by what proves it, look-alikes are a list, others nothing."""

import json
import secrets
import time
from dataclasses import asdict
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from studio.core import Studio
from studio.db import utc_now, writing
from studio.exporting import Exporter
from studio.media.clip import write_clip
from studio.media.export import export
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.settings import Settings
from studio.trust import exports
from studio.trust.__main__ import main
from studio.trust.exports import Registered
from studio.trust.likeness import VIEWS, WORDS, hashes_of, to_bytes
from studio.trust.trace import Named, Traced, Tracer
from studio.trust.visible import find_label, usual_styles
from tests.trust.clips import SIZE, attacked, clouds

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(Settings(studio_home=tmp_path_factory.mktemp("trace") / "home"))


@pytest.fixture(scope="module")
def clips(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three clips that went through the gate; the third looks as the second does."""
    folder = tmp_path_factory.mktemp("clips")
    return [made(studio, folder / f"asset-{n}.mp4", seed) for n, seed in enumerate((1, 2, 2))]


@pytest.fixture(scope="module")
def tracer(studio: Studio, clips: list[Path]) -> Tracer:
    return Tracer(studio.engine, studio.settings)


def made(studio: Studio, path: Path, seed: int) -> Path:
    exporter = Exporter(studio.settings, studio.engine)
    begun = exporter.begin(path.stem, "clip")
    told = {"comment": begun.comment("{}"), "tags": begun.tags, "label": begun.label}
    write_clip(clouds(seed), path=path, fps=8, expected_frames=24, mark=begun.mark_frames(), **told)
    finished = exporter.finish(begun, path, model="sketch", revision="r", prompt="clouds")
    row = registered(
        path.stem, begun.codeword, finished.hashes, sha256=finished.sealed.sha256, label=asdict(begun.label)
    )
    with writing(studio.engine) as connection:
        exports.register(connection, row)
    return path


def registered(name: str, codeword: int, hashes: bytes, **more: object) -> Registered:
    values = {"kind": "clip", "sha256": name, "label": asdict(LabelStyle()), "created": utc_now(), **more}
    return Registered(
        id=name, asset_id=name, job_id="job", owner="anna", codeword=codeword, hashes=hashes, **values
    )


def only(traced: Traced) -> Named:
    assert traced.answer == "certain"
    (named,) = traced.named
    return named


def test_the_very_file_is_named_by_everything(tracer: Tracer, clips: list[Path]) -> None:
    traced = tracer.trace(clips[0])
    assert only(traced).export.id == "asset-0"
    assert only(traced).by == ("file", "credentials", "fingerprint", "metadata", "look")
    assert not only(traced).kept, "the register knows it without the library"
    assert traced.label is not None
    assert traced.label.style == LabelStyle()
    assert (traced.metadata.state, traced.fingerprint.state) == ("ours", "known")
    assert (traced.credentials.state, traced.credentials.ours) == ("valid_untrusted", True)


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".mkv", ".avi", ".gif"])
def test_a_copy_in_any_format_is_named_by_its_mark(tracer: Tracer, clips: list[Path], suffix: str) -> None:
    """The one that looks the same is not named beside it."""
    copy = attacked(clips[1], "fps=8" if suffix == ".gif" else "", suffix=suffix)
    traced = tracer.trace(copy)
    assert only(traced).export.id == "asset-1"
    assert "fingerprint" in only(traced).by
    assert traced.credentials.state in ("absent", "unreadable")
    assert traced.label is not None


def test_without_mark_and_metadata_look_alikes_are_a_short_list(tracer: Tracer, tmp_path: Path) -> None:
    path = tmp_path / "alike.mp4"
    write_clip(clouds(2), path=path, fps=8, expected_frames=24, comment="{}", label=LabelStyle())
    traced = tracer.trace(path)
    assert traced.answer == "candidates"
    assert sorted(one.export.id for one in traced.named) == ["asset-1", "asset-2"]
    assert {one.by for one in traced.named} == {("look",)}


def test_a_look_that_only_one_has_names_it(tracer: Tracer, tmp_path: Path) -> None:
    path = tmp_path / "alike.mp4"
    write_clip(clouds(1), path=path, fps=8, expected_frames=24, comment="{}", label=LabelStyle())
    assert only(tracer.trace(path)).by == ("look",)


def test_the_same_picture_of_another_studio_is_never_named_for_certain(
    tracer: Tracer, tmp_path: Path
) -> None:
    elsewhere = Studio(Settings(studio_home=tmp_path / "elsewhere"))
    traced = tracer.trace(made(elsewhere, tmp_path / "theirs.mp4", 1))
    assert traced.answer == "candidates", "it looks like ours, and says whose it is"
    assert traced.credentials.state == "valid_untrusted"
    assert not traced.credentials.ours


def test_what_is_not_of_here_is_not_named(tracer: Tracer, tmp_path: Path) -> None:
    path = tmp_path / "other.mp4"
    write_clip(clouds(77), path=path, fps=8, expected_frames=24, comment="{}", label=LabelStyle(shown=False))
    traced = tracer.trace(path)
    assert (traced.answer, traced.named, traced.label) == ("none", (), None)
    assert (traced.metadata.state, traced.fingerprint.state) == ("absent", "absent")


def test_a_label_that_was_copied_from_another_file_names_nobody_else(
    studio: Studio, tracer: Tracer, clips: list[Path], tmp_path: Path
) -> None:
    """Anybody can take the metadata of one of our files and put it into a video."""
    begun = Exporter(studio.settings, studio.engine).begin("asset-0", "clip")
    told = {"comment": begun.comment("{}"), "tags": begun.tags, "label": LabelStyle()}
    foreign = tmp_path / "foreign.mp4"
    write_clip(clouds(78), path=foreign, fps=8, expected_frames=24, **told)
    traced = tracer.trace(foreign)
    assert traced.answer == "candidates", "it says so, but its pictures are others"
    assert [one.by for one in traced.named] == [("metadata",)]
    of_another = tmp_path / "of-another.mp4"
    export(clips[1], of_another, "h265", tags=begun.tags, comment=begun.comment("{}"))
    traced = tracer.trace(of_another)
    assert only(traced).export.id == "asset-1"
    assert traced.metadata.state == "copied"


def test_a_byte_changed_is_told_and_the_file_still_named(
    tracer: Tracer, clips: list[Path], tmp_path: Path
) -> None:
    content = bytearray(clips[0].read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "changed.mp4"
    path.write_bytes(content)
    traced = tracer.trace(path)
    assert traced.credentials.state == "tampered"
    assert only(traced).export.id == "asset-0"


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"#EXTM3U\nfile:///etc/passwd", b"\0\0\0\x20ftypisom" + b"x" * 99]
)
def test_what_is_no_video_is_an_error(tracer: Tracer, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError) as told:
        tracer.trace(path)
    assert told.value.notice.code in ("file_empty", "not_a_video")


def test_what_is_registered_later_is_known_too_whichever_thread_asks(
    studio: Studio, tracer: Tracer, tmp_path: Path
) -> None:
    path = made(studio, tmp_path / "later.mp4", 9)
    copies = [attacked(path, crf=20 + n).rename(tmp_path / f"{n}.mp4") for n in range(3)]
    found: list[Traced] = []
    threads = [Thread(target=lambda one=copy: found.append(tracer.trace(one))) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [only(traced).export.id for traced in found] == ["later"] * 3


@pytest.mark.parametrize(
    "filters", ["", "scale=iw*0.75:-2", "scale=iw/2:ih/2", "eq=brightness=0.08:contrast=1.1"]
)
@pytest.mark.parametrize("corner", ["bottom_right", "top_left"])
def test_a_visible_label_is_found_in_copies(tmp_path: Path, corner: str, filters: str) -> None:
    for seed, style in enumerate((LabelStyle(corner=corner), LabelStyle("AI生成", corner, 2.0))):
        path = tmp_path / f"{seed}.mp4"
        write_clip(clouds(seed + 20), path=path, fps=8, expected_frames=24, comment="{}", label=style)
        found = find_label(attacked(path, filters, crf=28), usual_styles())
        assert found is not None
        assert found.style.corner == corner


@pytest.mark.parametrize("turn", ["hflip", "vflip"])
@pytest.mark.parametrize("text", ["AI生成 · AI-generated", "AI生成"])
def test_a_mirrored_label_is_none(tmp_path: Path, text: str, turn: str) -> None:
    path, style = tmp_path / "one.mp4", LabelStyle(text, "bottom_left")
    write_clip(clouds(22), path=path, fps=8, expected_frames=24, comment="{}", label=style)
    assert find_label(path, usual_styles()) is not None
    assert find_label(attacked(path, turn, crf=23), usual_styles()) is None


def test_no_label_is_found_where_none_is(tmp_path: Path) -> None:
    for seed in range(30, 36):
        path = tmp_path / "plain.mp4"
        size = SIZE if seed % 2 else (320, 192)
        frames = clouds(seed, 8, size)
        write_clip(frames, path=path, fps=8, expected_frames=8, comment="{}", label=LabelStyle(shown=False))
        assert find_label(path, usual_styles()) is None


def test_ten_thousand_exports_are_searched_in_a_moment(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path / "home"))
    path = made(studio, tmp_path / "wanted.mp4", 5)
    rng = np.random.default_rng(0)
    with writing(studio.engine) as connection:
        for number in range(10_000):
            noise = to_bytes(rng.integers(0, 2**64, (16, len(VIEWS), WORDS), dtype=np.uint64))
            exports.register(connection, registered(f"noise-{number}", secrets.randbits(64), noise))
    tracer = Tracer(studio.engine, studio.settings)
    tracer.trace(path)
    copy = attacked(path)
    hashes = hashes_of(copy)
    began = time.perf_counter()
    near = tracer._register._index.nearest(hashes)
    print(f"nearest among 10,000: {1000 * (time.perf_counter() - began):.0f} ms")
    assert near[0].asset == "wanted"
    assert only(tracer.trace(copy)).export.id == "wanted"


# -- by hand -----------------------------------------------------------------------------------------------


@pytest.fixture
def by_hand(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(studio.settings.studio_home))
    for name in ("DATABASE_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("by_hand")
def test_a_file_is_traced_by_hand(
    clips: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["trace", str(clips[0])]) == 0
    assert "asset-0" in capsys.readouterr().out
    assert main(["trace", str(clips[0]), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["answer"], told["exports"][0]["owner"]) == ("certain", "anna")
    other = tmp_path / "other.mp4"
    write_clip(clouds(79), path=other, fps=8, expected_frames=24, comment="{}", label=LabelStyle())
    assert main(["trace", str(other)]) == 1
    other.write_bytes(b"no video")
    assert main(["trace", str(other)]) == 2
    assert main(["trace", str(tmp_path / "nowhere.mp4")]) == 2


@pytest.mark.usefixtures("by_hand")
def test_the_ledger_is_checked_by_hand(studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    from studio.trust import ledger

    key = studio.settings.sealing_key()
    with writing(studio.engine) as connection:
        for number in range(3):
            ledger.append(connection, "created", f"job {number}", key=key)
    ledger.note_last(studio.engine, studio.settings.studio_home)
    assert main(["verify-ledger"]) == 0
    assert "3" in capsys.readouterr().out
    with writing(studio.engine) as connection:
        connection.exec_driver_sql("UPDATE ledger SET who = 'nobody' WHERE number = 2")
    assert main(["verify-ledger"]) == 1
    assert "2" in capsys.readouterr().out


def test_where_no_studio_is_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(["verify-ledger"]) == 2
    assert capsys.readouterr().err
    assert not (tmp_path / "none").exists()
