"""Starting and ending: `python app.py` from anywhere, clear refusals, an orderly end; and `studio.demo`."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import main
from studio import demo
from studio.lock import WorkerLock
from studio.media.probe import probe
from studio.recipe import read_recipe
from studio.settings import ENV_NAMES, Settings
from tests.running_app import RunningApp, free_port, running_app

ROOT = Path(__file__).resolve().parents[2]


def run(
    argv: list[str], home: Path, *, cwd: Path = ROOT, timeout: float = 60, **env: str
) -> "subprocess.CompletedProcess[str]":
    """Run a program with settings of its own; LANG decides the language it speaks."""
    own = {"STUDIO_HOME": str(home), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, *argv], env=os.environ | own | env, cwd=cwd, capture_output=True, text=True,
        timeout=timeout, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("home"), LOCAL_WORKER="0") as app:
        yield app


def test_importing_the_app_starts_nothing(tmp_path: Path) -> None:
    code = "import app, sys; print(sorted({'gradio', 'torch'} & set(sys.modules)))"
    done = run(["-c", code], tmp_path / "home")
    assert done.stdout.strip() == "[]", done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_asks_no_other_host(language: str, app: RunningApp) -> None:
    answer = httpx.get(f"{app.address}/{language}/", headers={"accept-encoding": "br, gzip"})
    assert answer.status_code == 200
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in answer.text
    for tag in re.findall(r"<(?:script|link|meta|img|iframe)\b[^>]*>", answer.text):
        address = re.search(r"""(?:src|href|content)=["']((?:https?:)?//[^"'/]+)""", tag)
        assert address is None or address[1] == app.address, tag


def test_the_start_leads_to_the_page_in_the_readers_language(app: RunningApp) -> None:
    headers = {"accept-language": "zh-CN"}
    answer = httpx.get(f"{app.address}/?job=x", headers=headers, follow_redirects=True)
    assert str(answer.url) == f"{app.address}/zh/?job=x"
    assert answer.status_code == 200
    assert httpx.get(f"{app.address}/zh", headers=headers, follow_redirects=True).status_code == 200


def test_gradios_own_doors_stand_behind_ours(app: RunningApp) -> None:
    evil = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    files = {"files": ("a.txt", b"x")}
    upload = f"{app.address}/en/gradio_api/upload"
    assert httpx.post(upload, files=files, headers=evil).status_code == 403
    assert httpx.post(upload, files=files).status_code == 200
    assert list((app.home / "tmp" / "uploads").rglob("a.txt")) != []
    for path in ("docs", "openapi.json"):
        assert httpx.get(f"{app.address}/en/{path}").status_code == 404
    for file in ("/etc/passwd", app.home / "studio.db", app.home / "secret.key", app.home / "media"):
        assert httpx.get(f"{app.address}/en/gradio_api/file={file}").status_code in (403, 404), file


def test_the_web_process_has_no_torch(app: RunningApp) -> None:
    assert "torch" not in Path(f"/proc/{app.process.pid}/maps").read_text()


def test_the_log_says_where_the_page_is(app: RunningApp) -> None:
    assert app.address in app.log()
    assert "Traceback" not in app.log()


def test_a_file_that_nobody_uploaded_is_not_opened(app: RunningApp) -> None:
    """Behind the test of the log: what is refused here leaves its trace there."""
    config = httpx.get(f"{app.address}/en/config").json()
    takers = [
        event["id"]
        for event in config["dependencies"]
        if any(
            part["type"] == "uploadbutton" for part in config["components"] if part["id"] in event["inputs"]
        )
    ]
    assert len(takers) >= 2
    secret = app.home / "secret.key"
    assert secret.is_file()
    for number in takers:
        told = {"path": str(secret), "meta": {"_type": "gradio.FileData"}}
        call = {"fn_index": number, "data": [told], "session_hash": "x"}
        answer = httpx.post(f"{app.address}/en/gradio_api/run/predict", json=call)
        assert answer.status_code == 500
    uploads = (app.home / "tmp" / "uploads").rglob("*")
    assert [path.name for path in uploads if path.name == "secret.key"] == []
    assert secret.is_file()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_told_from_anywhere(number: int, tmp_path: Path) -> None:
    """Started in another folder, with an open stream; it ends at once, with code 0 and without a trace."""
    port = free_port()
    env = {"STUDIO_HOME": str(tmp_path / "home"), "PORT": str(port), "LOCAL_WORKER": "0"}
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "app.py")], cwd=tmp_path, env=os.environ | env, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    # First the warning that the certificate is self-made, then where it is open.
    assert "C2PA_CERT" in process.stdout.readline()
    assert f"http://127.0.0.1:{port}" in process.stdout.readline()
    until = time.monotonic() + 90
    while time.monotonic() < until:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz")
            break
        except httpx.TransportError:
            time.sleep(0.1)
    with httpx.stream("GET", f"http://127.0.0.1:{port}/en/gradio_api/heartbeat/abc", timeout=30) as stream:
        next(stream.iter_raw(), b"")
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    assert "Traceback" not in process.stdout.read()


@pytest.mark.slow
def test_its_worker_ends_with_it(tmp_path: Path) -> None:
    with running_app(tmp_path / "home") as app:
        until = time.monotonic() + 90
        while app.worker_pid() is None and time.monotonic() < until:
            time.sleep(0.2)
        assert app.worker_pid() is not None, app.log()
        app.process.send_signal(signal.SIGTERM)
        assert app.process.wait(timeout=60) == 0
        assert app.worker_pid() is None
        assert "Traceback" not in app.log()


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The environment of a new studio for a program run inside the test; its home."""
    for name in ENV_NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path / "home"))
    before = signal.getsignal(signal.SIGTERM)
    yield tmp_path / "home"
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"HOST": "0.0.0.0"}, "ACCESS_PASSWORD"),
        ({"SHARE": "1"}, "OPEN_DEMO=1"),
        ({"PORT": "http"}, "PORT is “http”"),
        ({"MODEL": "wan9"}, "wan2.2-t2v-a14b"),
        ({"HOST": "203.0.113.7", "OPEN_DEMO": "1"}, "203.0.113.7 is no address of this machine"),
        ({"HOST": "no such host", "OPEN_DEMO": "1"}, "no such host is no address of this machine"),
        ({"STUDIO_HOME": "/dev/null/home"}, "STUDIO_HOME"),
    ],
)
def test_it_says_why_it_does_not_start(
    env: dict[str, str], said: str, own_settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert main() == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (own_settings / "studio.db").exists()


def test_a_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run(["app.py"], tmp_path / "home", PORT=str(other.getsockname()[1]))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "is taken" in done.stderr
    assert not (tmp_path / "home" / "studio.db").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--prompt", "  ", "--out", "x.mp4"], "The prompt is empty"),
        (["--prompt", "x" * 3000, "--out", "x.mp4"], "2000 is the most"),
        (["--prompt", "a", "--out", "x.mp4", "--seed", "-5"], "Seed takes a whole number"),
        (["--prompt", "a", "--out", "x.mp4", "--style", "rococo"], "There is no style “rococo”"),
        (["--prompt", "a", "--out", "."], "can't be written"),
        (["--prompt", "a", "--out", "/dev/null/x.mp4"], "can't be written"),
    ],
)
def test_the_command_line_refuses_clearly_and_queues_nothing(
    arguments: list[str], said: str, own_settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(own_settings.parent)
    assert demo.main(arguments) == 2
    assert said in capsys.readouterr().err
    assert list(own_settings.glob("workers/*")) == []
    assert [path.name for path in own_settings.parent.iterdir()] == ["home"]


@pytest.mark.slow
def test_the_main_job_without_a_browser(tmp_path: Path) -> None:
    out = tmp_path / "new folder" / "海.mp4"
    arguments = [
        "--prompt",
        "夜晚的海上,一只小船向左航行",
        "--out",
        str(out),
        "--seconds",
        "2",
        "--quality",
        "draft",
    ]
    done = run(["-m", "studio.demo", *arguments], tmp_path / "home", timeout=200, LC_ALL="C.UTF-8")
    assert done.returncode == 0, done.stderr
    assert f"{out} is made" in done.stdout
    facts = probe(out)
    assert (facts.frames, facts.width, facts.height, facts.codec) == (17, 320, 192, "h264")
    assert read_recipe(out).form["prompt"] == "夜晚的海上,一只小船向左航行"
    assert [path.name for path in out.parent.iterdir()] == ["海.mp4"]
    settings = Settings(studio_home=tmp_path / "home")
    assert WorkerLock(settings.studio_home, settings.worker_id).holder() is None, "its worker ended with it"
