"""Downloads with the real client against a small hub: whole, resumed, refused; what is left each time."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from diffusers import WanPipeline

from pipelines import errands, fetch, loader
from pipelines import hub as room
from pipelines.fetch import Hub
from pipelines.intact import faults
from pipelines.repos import read_manifest
from pipelines.request import Cancelled, ModelError, Notice
from tests.hub.kit import COMMIT, LARGE, SPEC, WEIGHTS, Repo, other, serving


def refused(home: Path, hub: Hub, weights=WEIGHTS) -> Notice:
    with pytest.raises(ModelError) as caught:
        room.download(weights, home, hub)
    assert not weights.place(home).exists()
    return caught.value.notice


def test_a_model_comes_whole_with_what_is_needed_and_nothing_else(
    repo: Repo, hub: Hub, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    folder = room.download(WEIGHTS, tmp_path, hub, on_bytes=lambda *at: told.append(at))
    assert folder == tmp_path / "models" / SPEC.name
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    needed = {name for name in repo.files() if WEIGHTS.needs(name)}
    assert names == needed | {"hub.json"}
    assert not any("fp16" in name or name.endswith((".bin", ".md", ".png")) for name in names)
    for name in needed:
        assert (folder / name).read_bytes() == repo.files()[name]
    manifest = read_manifest(folder)
    assert manifest is not None
    assert (manifest.revision, manifest.size) == (COMMIT, sum(len(repo.files()[n]) for n in needed))
    assert told[-1] == (manifest.size, manifest.size)
    left = {path.name for path in folder.parent.iterdir()}
    assert left == {SPEC.name, f".{SPEC.name}.lock", "pins.json"}
    shelf = room.shelf(WEIGHTS, tmp_path)
    assert (shelf.state, shelf.revision, shelf.activity) == ("installed", COMMIT, None)


def test_a_second_download_asks_nobody(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    room.download(WEIGHTS, tmp_path, hub)
    before = len(repo.asked)
    room.download(WEIGHTS, tmp_path, hub)
    assert len(repo.asked) == before


def test_what_was_downloaded_loads_without_a_network(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = room.download(WEIGHTS, tmp_path, hub)

    def no_network(*_: object) -> None:
        raise AssertionError("a request was made")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    assert loader.find(SPEC, tmp_path) == tmp_path / "models" / SPEC.name
    assert loader.revision(SPEC, home=tmp_path) == COMMIT
    assert all(one.notice is None and one.compared for one in room.verify(WEIGHTS, tmp_path))
    assert WanPipeline.from_pretrained(folder, local_files_only=True).transformer_2 is None


@pytest.mark.parametrize(
    "script",
    [[500, 503], [429], ["short"], ["short", 500, "short"], ["other"], ["short", "whole"]],
    ids=lambda script: "-".join(map(str, script)),
)
def test_what_goes_wrong_in_between_is_made_good(
    repo: Repo, hub: Hub, tmp_path: Path, script: list[object]
) -> None:
    repo.faults[LARGE] = list(script)
    folder = room.download(WEIGHTS, tmp_path, hub)
    assert (folder / LARGE).read_bytes() == repo.files()[LARGE]
    assert not list(folder.rglob("*.part"))


def test_a_broken_line_goes_on_at_the_byte_where_it_broke(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    repo.faults[LARGE] = ["short"]
    room.download(WEIGHTS, tmp_path, hub)
    first, second = repo.gets(LARGE)
    size = len(repo.files()[LARGE])
    assert (first.range, second.range) == ("", f"bytes={size // 2}-")


def test_bytes_that_are_never_right_are_not_kept(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    repo.faults[LARGE] = ["other"] * 9
    notice = refused(tmp_path, hub)
    assert (notice.code, notice.values["file"]) == ("download_damaged", LARGE)
    assert room.shelf(WEIGHTS, tmp_path).state == "partial"
    activity = errands.activity_of(WEIGHTS, tmp_path)
    assert activity is not None
    assert (activity.live, activity.wanted, activity.notice) == (False, False, notice)
    repo.faults.clear()
    room.download(WEIGHTS, tmp_path, hub)


def test_a_hub_that_stays_broken_is_named_and_the_errand_stays(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    repo.faults[LARGE] = [503] * 20
    notice = refused(tmp_path, hub)
    assert (notice.code, notice.values["host"]) == ("download_busy", "127.0.0.1")
    assert errands.wanted(tmp_path) == [WEIGHTS]


def test_a_hub_that_is_not_there(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = Hub(f"http://127.0.0.1:{taken.getsockname()[1]}", first_pause=0.01)
        assert refused(tmp_path, away).code == "download_unreachable"


def test_a_listing_that_fails_is_asked_for_again_later(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    repo.listing = [500] * 10
    assert refused(tmp_path, hub).code == "download_busy"


def test_offline_mode_is_said(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert refused(tmp_path, hub).code == "download_offline"


@pytest.mark.parametrize("gated", [False, True])
def test_a_repository_that_asks_who_one_is(tiny: Path, tmp_path: Path, gated: bool) -> None:
    repo = Repo(tiny, token="hf_secret", gated=gated)
    with serving(repo) as hub:
        stranger = Hub(hub.endpoint, first_pause=0.01)
        notice = refused(tmp_path, stranger)
        assert notice.code == "download_forbidden"
        assert room.download(WEIGHTS, tmp_path, hub).is_dir()
    kept = "".join(path.read_text("utf-8", "ignore") for path in tmp_path.rglob("*.json"))
    assert "hf_secret" not in kept + repr(hub)


def test_the_token_does_not_travel_to_another_host(tiny: Path, tmp_path: Path) -> None:
    store = Repo(tiny)
    with serving(store) as far:
        repo = Repo(tiny, token="hf_secret", redirect=far.endpoint.replace("127.0.0.1", "localhost"))
        with serving(repo) as hub:
            room.download(WEIGHTS, tmp_path, hub)
    assert {one.token for one in repo.asked} == {"hf_secret"}
    assert {one.token for one in store.asked} == {""}
    assert store.gets(LARGE)


def test_a_commit_that_is_gone_and_a_repository_that_is_unknown(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    assert refused(tmp_path, hub, other(revision="ab" * 20)).code == "download_gone"
    assert refused(tmp_path, hub, other(repo="nobody/nothing")).code in ("download_unknown", "download_gone")


def test_a_mirror_that_answers_with_another_commit_is_refused(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    repo.repo, repo.commit = WEIGHTS.repo, "cd" * 20
    assert refused(tmp_path, hub).code == "download_gone"


def test_without_a_known_commit_the_first_one_is_kept_to(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    loose = other(revision=None)
    room.download(loose, tmp_path, hub)
    assert json.loads((tmp_path / "models" / "pins.json").read_text()) == {WEIGHTS.repo: COMMIT}
    room.delete(loose, tmp_path)
    repo.commit = "ef" * 20
    assert refused(tmp_path, hub, loose).code == "download_gone"


def test_a_mirror_that_tells_no_sizes_is_asked_file_by_file(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    repo.bare = True
    folder = room.download(WEIGHTS, tmp_path, hub)
    assert all(one.notice is None for one in room.verify(WEIGHTS, tmp_path))
    assert (folder / LARGE).is_file()


HOSTILE = [
    "../../evil.json",
    "/etc/evil.json",
    "vae/../../evil.json",
    "vae\\..\\evil.json",
    "C:/evil.json",
    "vae/a\nb",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_listing_with_names_that_lead_out_is_refused(
    repo: Repo, hub: Hub, tmp_path: Path, name: str
) -> None:
    repo.extra = [name]
    assert refused(tmp_path, hub).code == "download_names"
    assert not list(tmp_path.rglob("*evil*"))


def test_a_link_that_was_put_in_the_way_is_not_followed(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    partial = tmp_path / "models" / f".{SPEC.name}.partial"
    partial.mkdir(parents=True)
    (partial / "vae").symlink_to(outside)
    assert refused(tmp_path, hub).code == "download_names"
    assert list(outside.iterdir()) == []


def test_a_disk_too_small_is_said_before_anything_is_fetched(
    repo: Repo, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: usage._replace(free=1_500_000_000))
    notice = refused(tmp_path, hub)
    assert (notice.code, notice.values["needs_gb"], notice.values["has_gb"]) == ("download_no_room", 2.0, 1.5)
    assert repo.gets(LARGE) == []


def test_a_repository_without_a_model_is_refused(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "README.md").write_text("nothing here")
    repo.folder = bare
    notice = refused(tmp_path, hub)
    assert (notice.code, notice.values["file"]) == ("download_lacks", "model_index.json")


def test_stopping_keeps_what_came_and_the_next_try_goes_on(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    size = len(repo.files()[LARGE])
    repo.pause[LARGE] = size // 2
    stop = threading.Event()
    ended: list[BaseException] = []

    def run() -> None:
        try:
            room.download(WEIGHTS, tmp_path, hub, should_stop=stop.is_set)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    part = tmp_path / "models" / f".{SPEC.name}.partial" / f"{LARGE}.part"
    wait_for(lambda: part.is_file() and part.stat().st_size >= size // 2 - 4096)
    assert errands.is_taken(WEIGHTS, tmp_path)
    with pytest.raises(ModelError) as caught:
        room.download(WEIGHTS, tmp_path, hub)
    assert caught.value.notice.code == "download_running"
    stop.set()
    repo.go.set()
    thread.join()
    assert isinstance(ended[0], Cancelled)
    assert errands.wanted(tmp_path) == [WEIGHTS], "whoever starts next goes on"
    had = part.stat().st_size
    room.download(WEIGHTS, tmp_path, hub)
    assert repo.gets(LARGE)[-1].range == f"bytes={had}-"


def wait_for(true, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_an_errand_taken_back_stops_it(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    repo.pause[LARGE] = 4096
    ended: list[BaseException] = []

    def run() -> None:
        try:
            room.download(WEIGHTS, tmp_path, hub)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_for(lambda: repo.gets(LARGE))
    errands.unwant(WEIGHTS, tmp_path)
    time.sleep(0.6)
    repo.go.set()
    thread.join()
    assert isinstance(ended[0], Cancelled)
    assert not errands.is_taken(WEIGHTS, tmp_path)
    assert errands.wanted(tmp_path) == []
    assert room.shelf(WEIGHTS, tmp_path).state == "partial"


COMMAND = """
import sys
from pathlib import Path
from pipelines import hub, repos
from pipelines.fetch import Hub
assert "torch" not in sys.modules
hub.download(repos.named(sys.argv[1], Path(sys.argv[2])), Path(sys.argv[2]), Hub(sys.argv[3]))
"""


def test_a_killed_download_goes_on_in_the_middle_of_a_file(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    size = len(repo.files()[LARGE])
    repo.pause[LARGE] = size // 2
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, SPEC.name, str(tmp_path), hub.endpoint], cwd=root
    )
    part = tmp_path / "models" / f".{SPEC.name}.partial" / f"{LARGE}.part"
    wait_for(lambda: part.is_file() and part.stat().st_size >= size // 2 - 4096, 60)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    had = part.stat().st_size
    assert 0 < had < size
    activity = errands.activity_of(WEIGHTS, tmp_path)
    assert activity is not None
    assert (activity.live, activity.wanted) == (False, True)
    assert [one.name for one in errands.wanted(tmp_path)] == [SPEC.name]
    repo.go.set()
    repo.asked.clear()
    folder = room.download(WEIGHTS, tmp_path, hub)
    assert repo.gets(LARGE)[0].range == f"bytes={had}-"
    assert not any(one.path.startswith("/api/") for one in repo.asked), "what it consists of is written down"
    assert (folder / LARGE).read_bytes() == repo.files()[LARGE]
    assert faults(WEIGHTS, folder) == []


def test_a_part_that_is_longer_than_the_file_begins_anew(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    part = tmp_path / "models" / f".{SPEC.name}.partial" / f"{LARGE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * (len(repo.files()[LARGE]) + 1))
    room.download(WEIGHTS, tmp_path, hub)
    assert repo.gets(LARGE)[0].range == ""


def test_rubbish_in_a_part_is_noticed(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    part = tmp_path / "models" / f".{SPEC.name}.partial" / f"{LARGE}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 5000)
    room.download(WEIGHTS, tmp_path, hub)
    assert [one.range for one in repo.gets(LARGE)] == ["bytes=5000-", ""]


def test_only_what_is_damaged_is_fetched_again(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    folder = room.download(WEIGHTS, tmp_path, hub)
    (folder / LARGE).write_bytes((folder / LARGE).read_bytes()[:-100])
    assert room.shelf(WEIGHTS, tmp_path).state == "broken"
    repo.asked.clear()
    room.download(WEIGHTS, tmp_path, hub)
    assert {one.path.rpartition("/")[2] for one in repo.asked} == {LARGE.rpartition("/")[2]}
    assert room.shelf(WEIGHTS, tmp_path).state == "installed"
