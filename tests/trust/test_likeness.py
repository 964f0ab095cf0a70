"""Facts about looks: a copy finds its asset, look-alikes come as a list, strangers find nothing."""

from pathlib import Path

import numpy as np
import pytest

from studio.media.export import export
from studio.trust.likeness import VIEWS, WORDS, Index, from_bytes, hashes_of, hashes_of_frames, to_bytes
from tests.trust.clips import attacked, clip, clouds


@pytest.fixture(scope="module")
def asset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("likeness") / "asset.mp4", 1, count=40)


@pytest.fixture(scope="module")
def index(asset: Path) -> Index:
    """The asset among strangers."""
    made = Index()
    made.add("asset", hashes_of(asset))
    for seed in range(2, 12):
        made.add(f"other {seed}", hashes_of_frames(clouds(seed, 4)))
    rng = np.random.default_rng(0)
    for number in range(200):
        made.add(f"noise {number}", rng.integers(0, 2**64, (10, len(VIEWS), WORDS), dtype=np.uint64))
    return made


@pytest.mark.parametrize(
    "filters",
    [
        "",
        "scale=iw/2:ih/2",
        "drawbox=x=100:y=400:w=600:h=50:color=white:t=fill",
        "eq=brightness=0.08:contrast=1.1",
    ],
)
def test_a_copy_finds_its_asset_for_certain(asset: Path, index: Index, filters: str) -> None:
    answer = index.answer(hashes_of(attacked(asset, filters, crf=28)))
    assert answer.kind == "certain"
    assert [one.asset for one in answer.near] == ["asset"]


def test_a_cropped_copy_is_answered_with_its_asset(asset: Path, index: Index) -> None:
    for filters in ("crop=iw*0.95:ih*0.95", "crop=iw*0.9:ih*0.9"):
        answer = index.answer(hashes_of(attacked(asset, filters)))
        assert answer.kind != "none"
        assert [one.asset for one in answer.near] == ["asset"]


def test_a_copy_without_its_beginning_and_a_gif_find_their_asset(
    asset: Path, index: Index, tmp_path: Path
) -> None:
    export(asset, tmp_path / "asset.gif", "gif")
    for copy in (attacked(asset, ss=2), tmp_path / "asset.gif"):
        assert index.nearest(hashes_of(copy), 1)[0].asset == "asset"
        assert index.answer(hashes_of(copy)).kind == "certain"


def test_a_stranger_finds_nothing(index: Index) -> None:
    assert index.answer(hashes_of_frames(clouds(77, 4))).kind == "none"


def test_look_alikes_are_a_list_and_never_one_name(index: Index, asset: Path) -> None:
    hashes = hashes_of(asset)
    twin = hashes.copy()
    twin[:, :, 0] ^= np.uint64(0b111)
    index.add("twin", twin)
    try:
        answer = index.answer(hashes)
    finally:
        index.remove("twin")
    assert answer.kind == "candidates"
    assert [one.asset for one in answer.near] == ["asset", "twin"]
    assert answer.near[0].distance < answer.near[1].distance


def test_something_only_like_an_asset_is_a_candidate(index: Index, asset: Path) -> None:
    other = hashes_of(asset)
    other ^= np.uint64(0x1111_0101_0101_0101)
    answer = index.answer(other)
    assert answer.kind == "candidates"
    assert answer.near[0].asset == "asset"


def test_plain_pictures_look_like_nothing(tmp_path: Path, index: Index) -> None:
    plain = hashes_of_frames([np.full((192, 320, 3), 90, np.uint8)] * 3)
    assert len(plain) == 0
    assert index.answer(plain).kind == "none"
    lone = Index()
    lone.add("plain", plain)
    assert lone.nearest(hashes_of_frames(clouds(1, 2))) == []


def test_an_asset_that_is_removed_is_found_no_more() -> None:
    hashes = hashes_of_frames(clouds(1, 3))
    index = Index()
    assert index.answer(hashes).kind == "none"
    index.add("a", hashes)
    assert index.answer(hashes).kind == "certain"
    index.add("a", hashes_of_frames(clouds(2, 3)))
    assert index.answer(hashes).kind == "none"
    index.remove("a")
    index.remove("never there")
    assert len(index) == 0
    assert index.nearest(hashes) == []


def test_hashes_are_kept_as_bytes() -> None:
    hashes = hashes_of_frames(clouds(1, 3))
    assert hashes.shape == (3, len(VIEWS), WORDS)
    assert (from_bytes(to_bytes(hashes)) == hashes).all()
    assert len(from_bytes(b"")) == 0
    with pytest.raises(ValueError, match="hashes"):
        from_bytes(to_bytes(hashes)[:-1])
