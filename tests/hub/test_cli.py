"""`python -m pipelines.models`: what it prints, its exit codes, and that it stops when told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import errands
from pipelines.fetch import Hub
from studio import models_cli
from tests.hub.kit import LARGE, SPEC, WEIGHTS, Repo

ROOT = Path(__file__).resolve().parents[2]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    monkeypatch.setattr("studio.models_cli.terminal_language", lambda: "en")

    def go(*arguments: str) -> tuple[int, str, str]:
        before = signal.getsignal(signal.SIGTERM)
        try:
            code = models_cli.main(arguments)
        finally:
            signal.signal(signal.SIGTERM, before)
        told = capsys.readouterr()
        return code, told.out, told.err

    return go


def test_from_nothing_to_a_checked_model_and_back(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("list")
    assert code == 0
    lines = {line.split()[0]: line for line in out.splitlines()}
    assert "comes with the studio" in lines["sketch"]
    assert "not here" in lines[SPEC.name]
    code, out, err = run("download", SPEC.name)
    assert (code, out.strip()) == (0, str(tmp_path / "models" / SPEC.name))
    assert f"{SPEC.name}: 99 %" in err
    code, out, _ = run("verify", SPEC.name)
    assert code == 0
    assert out.splitlines()[-1] == "All 10 files are byte for byte the hub's."
    code, out, _ = run("show", SPEC.name)
    assert code == 0
    assert SPEC.repo in out
    assert "Apache-2.0" in out
    code, out, _ = run("delete", SPEC.name)
    assert (code, "free again" in out) == (0, True)
    assert run("delete", SPEC.name)[0] == 1


def test_a_damaged_file_is_named_with_an_exit_code(run: Run, tmp_path: Path) -> None:
    run("download", SPEC.name)
    file = tmp_path / "models" / SPEC.name / LARGE
    file.write_bytes(b"x" * file.stat().st_size)
    code, out, err = run("verify", SPEC.name)
    assert code == 1
    assert f"BAD  {LARGE}" in out
    assert "bytes differ" in err


def test_what_can_not_be_done_is_said(run: Run, tmp_path: Path, repo: Repo) -> None:
    code, _, err = run("show", "nothing")
    assert (code, "There is no model “nothing”" in err) == (2, True)
    code, _, err = run("link", SPEC.name, str(tmp_path / "nowhere"))
    assert (code, "There is no folder" in err) == (1, True)
    repo.token = "hf_needed"
    code, _, err = run("download", SPEC.name)
    assert (code, "HF_TOKEN" in err) == (1, True)
    assert errands.wanted(tmp_path) == [], "no studio goes on with what failed here"
    with pytest.raises(SystemExit) as caught:
        run("nonsense")
    assert caught.value.code == 2


def test_a_folder_is_linked_into_another_home(run: Run, published: Path, tmp_path: Path) -> None:
    code, out, _ = run("--home", str(tmp_path / "other"), "link", SPEC.name, str(published))
    assert (code, out.strip()) == (0, str(tmp_path / "other" / "models" / SPEC.name))
    assert Path(out.strip()).resolve() == published


def test_the_command_needs_no_torch_and_stops_by_ctrl_c(repo: Repo, hub: Hub, tmp_path: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipelines.models", "--home", str(tmp_path), "list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert SPEC.name in listed.stdout
    assert not any(line.rsplit("|", 1)[-1].strip() == "torch" for line in listed.stderr.splitlines())
    size = len(repo.files()[LARGE])
    repo.pause[LARGE] = size // 2
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.models", "--home", str(tmp_path), "download", SPEC.name],
        cwd=ROOT,
        env=os.environ | {"HF_ENDPOINT": hub.endpoint},
        stderr=subprocess.DEVNULL,
        # Whoever runs the tests in the background has Ctrl+C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    part = tmp_path / "models" / f".{SPEC.name}.partial" / f"{LARGE}.part"
    until = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size >= size // 2 - 4096):
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    repo.go.set()
    assert process.wait(30) == models_cli.INTERRUPTED
    assert part.is_file()
    assert errands.wanted_work(WEIGHTS, tmp_path) is None
