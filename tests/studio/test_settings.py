"""Settings: read once, refused clearly, documented, and never told to anybody."""

import os
import re
import stat
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from studio.settings import ENV_NAMES, Settings, SettingsError, quiet_libraries
from studio.words import LANGUAGES, say

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_needs_to_be_set() -> None:
    settings = Settings.from_env({})
    assert (settings.host, settings.port, settings.model) == ("127.0.0.1", 7860, "sketch")
    assert settings.studio_home == Path.home() / ".wan-studio"
    assert settings.database_url == f"sqlite:///{settings.studio_home}/studio.db"
    assert settings.worker_id
    assert settings.local_worker
    assert settings.private


def test_our_names_win_over_gradios() -> None:
    both = {"HOST": "10.0.0.1", "GRADIO_SERVER_NAME": "0.0.0.0", "PORT": "1", "GRADIO_SERVER_PORT": "2"}
    assert Settings.from_env(both).host == "10.0.0.1"
    assert Settings.from_env(both).port == 1
    gradio = {name: value for name, value in both.items() if name.startswith("GRADIO")}
    assert (Settings.from_env(gradio).host, Settings.from_env(gradio).port) == ("0.0.0.0", 2)


@pytest.mark.parametrize("word", ["1", "true", "YES", "on"])
def test_a_switch_is_on(word: str) -> None:
    assert Settings.from_env({"SHARE": word}).share


@pytest.mark.parametrize("word", ["0", "false", "No", ""])
def test_a_switch_is_off(word: str) -> None:
    assert not Settings.from_env({"SHARE": word}).share
    assert Settings.from_env({"LOCAL_WORKER": word}).local_worker == (word == "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SHARE", "maybe"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PORT", "²"),
        ("GRADIO_SERVER_PORT", "-1"),
        ("MODEL", "wan9"),
        ("DEVICE", "gpu"),
        ("DEVICE", "cuda:x"),
        ("DATABASE_URL", "mysql://me:hush@db/studio"),
        ("LABEL_TEXT", ""),
        ("LABEL_TEXT", "Wan Studio"),
        ("LABEL_TEXT", "x" * 61),
        ("LABEL_TEXT", "a\nb"),
        ("SPEECH_KIND", "azure"),
        ("SPEECH_BASE_URL", "api.example.com/v1"),
        ("SPEECH_BASE_URL", "https://me:hush@example.com/v1"),
        ("SPEECH_BASE_URL", "https://example.com/v1?key=hush"),
        ("SPEECH_BASE_URL", "file:///etc/passwd"),
        ("SPEECH_API_KEY", "hush hush"),
        ("SPEECH_API_KEY", "hush\nhush"),
        ("LLM_BASE_URL", "api.example.com/v1"),
        ("HF_ENDPOINT", "hf-mirror.com"),
        ("LLM_BASE_URL", "https://me:hush@example.com/v1"),
        ("LLM_API_KEY", "hush hush"),
        ("PRICE_PER_GPU_HOUR", "cheap"),
        ("PRICE_PER_GPU_HOUR", "-1"),
        ("PRICE_PER_GPU_HOUR", "nan"),
        ("CURRENCY", "dollars"),
    ],
)
def test_a_bad_value_is_named_and_worded(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert name in str(caught.value)
    assert "hush" not in str(caught.value)
    for language in LANGUAGES:
        assert name in say(caught.value.notice, language)


def test_an_hour_has_a_price_only_where_one_is_set() -> None:
    assert Settings.from_env({}).price_per_gpu_hour is None
    priced = Settings.from_env({"PRICE_PER_GPU_HOUR": "2.5", "CURRENCY": "eur"})
    assert (priced.price_per_gpu_hour, priced.currency) == (2.5, "EUR")


def test_secrets_stay_out_of_the_repr() -> None:
    names = ("ACCESS_PASSWORD", "ADMIN_TOKEN", "SECRET_KEY", "HF_TOKEN", "SPEECH_API_KEY", "LLM_API_KEY")
    settings = Settings.from_env(
        {**dict.fromkeys(names, "hush-hush"), "DATABASE_URL": "postgresql://me:hush@db/x"}
    )
    assert "hush" not in repr(settings) + str(settings)
    assert settings.admin_token == "hush-hush"


@pytest.mark.parametrize(
    ("env", "allowed"),
    [
        ({}, True),
        ({"HOST": "::1"}, True),
        ({"HOST": "localhost"}, True),
        ({"HOST": "127.0.0.2"}, True),
        ({"HOST": "0.0.0.0"}, False),
        ({"HOST": "::"}, False),
        ({"HOST": "studio.example"}, False),
        ({"SHARE": "1"}, False),
        ({"SHARE": "1", "ADMIN_TOKEN": "t"}, False),
        ({"HOST": "0.0.0.0", "ACCESS_PASSWORD": "p"}, True),
        ({"SHARE": "1", "OPEN_DEMO": "1"}, True),
    ],
)
def test_nobody_is_let_in_from_outside_by_accident(
    env: dict[str, str], allowed: bool, tmp_path: Path
) -> None:
    problem = Settings.from_env({**env, "STUDIO_HOME": str(tmp_path)}).problem()
    assert (problem is None) == allowed
    if problem:
        assert all("ACCESS_PASSWORD" in say(problem, language) for language in LANGUAGES)


@pytest.mark.parametrize(
    "env", [{"ACCESS_PASSWORD": "p"}, {"OPEN_DEMO": "1"}, {"ADMIN_TOKEN": "t"}, {"SHARE": "1"}]
)
def test_what_is_shared_makes_nobody_an_admin(env: dict[str, str]) -> None:
    assert not Settings.from_env(env).private


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    problem = Settings(studio_home=tmp_path / "file" / "home").problem()
    assert problem is not None
    assert str(tmp_path / "file" / "home") in say(problem, "zh")


def test_the_home_is_made(tmp_path: Path) -> None:
    settings = Settings(studio_home=tmp_path / "a" / "b")
    assert settings.problem() is None
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["logs", "media", "tmp"]
    assert list(settings.tmp.iterdir()) == []


def test_the_signing_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    key = Settings(studio_home=tmp_path).signing_key()
    assert len(key) > 40
    assert Settings(studio_home=tmp_path).signing_key() == key
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    assert Settings(studio_home=tmp_path, secret_key="mine").signing_key() == "mine"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1


def test_every_variable_is_documented_and_every_read_one_is_listed() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert [name for name in ENV_NAMES if f"`{name}`" not in table] == []
    source = (ROOT / "studio" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env(?:\.get)?[(,]\s*"([A-Z_]+)"|_switch\(env, "([A-Z_]+)"', source))
    assert {name for pair in read for name in pair if name} <= set(ENV_NAMES)


def test_the_real_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "PORT", "7999")
    assert Settings.from_env().port == 7999


def test_numpy_keeps_to_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY", "GRADIO_TEMP_DIR"):
        monkeypatch.setenv(name, "")
    assert np.ones(2).sum() == 2, "it is there already, as in the real process"
    with threadpool_limits(2, user_api="blas"):
        quiet_libraries(uploads=tmp_path)
        assert {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"} == {1}
    assert Settings(studio_home=tmp_path).worker_environment()["OPENBLAS_NUM_THREADS"] == "1"


def test_a_worker_keeps_a_cards_memory_in_one_piece_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTORCH_ALLOC_CONF", raising=False)
    settings = Settings(studio_home=tmp_path)
    assert settings.worker_environment()["PYTORCH_ALLOC_CONF"] == "expandable_segments:True"
    monkeypatch.setenv("PYTORCH_ALLOC_CONF", "backend:native")
    assert settings.worker_environment()["PYTORCH_ALLOC_CONF"] == "backend:native"
