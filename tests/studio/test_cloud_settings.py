"""The cloud's settings: out of the environment only, checked, and said by nobody."""

from pathlib import Path

import pytest

from pipelines.models import MODELS
from studio.settings import Settings, SettingsError


def test_a_key_opens_the_clouds_models_of_its_region() -> None:
    bare = Settings.from_env({})
    assert not bare.has_cloud
    assert bare.offers(MODELS["sketch"])
    assert not bare.offers(MODELS["wan2.2-t2v-plus"])
    cn = Settings.from_env({"DASHSCOPE_API_KEY": "sk-1"})
    assert (cn.cloud_region, cn.cloud_jobs) == ("cn", 3)
    assert cn.offers(MODELS["wan2.2-t2v-plus"])
    assert not cn.offers(MODELS["wan2.6-t2v-us"])
    us = Settings.from_env({"DASHSCOPE_API_KEY": "sk-1", "DASHSCOPE_REGION": "us"})
    assert us.offers(MODELS["wan2.6-t2v-us"])
    own = Settings.from_env({"DASHSCOPE_API_KEY": "k", "DASHSCOPE_BASE_URL": "http://127.0.0.1:7860/api/v1/"})
    assert (own.dashscope_base_url, own.cloud_region) == ("http://127.0.0.1:7860", None)
    assert own.offers(MODELS["wan2.6-t2v-us"]), "nobody knows what another server has"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DASHSCOPE_API_KEY", "sk 1"),
        ("DASHSCOPE_REGION", "mars"),
        ("DASHSCOPE_BASE_URL", "http://cloud.example"),
        ("DASHSCOPE_BASE_URL", "https://key@cloud.example"),
        ("CLOUD_JOBS", "0"),
        ("CLOUD_JOBS", "33"),
        ("CLOUD_JOBS", "many"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert caught.value.notice.values["name"] == name


def test_the_key_is_in_no_repr_and_reaches_the_worker(tmp_path: Path) -> None:
    given = {
        "STUDIO_HOME": str(tmp_path),
        "DASHSCOPE_API_KEY": "sk-secret",
        "DASHSCOPE_TOKEN_FILE": "/run/token",
        "CLOUD_JOBS": "5",
    }
    settings = Settings.from_env(given)
    assert "sk-secret" not in repr(settings)
    told = settings.worker_environment()
    assert {name: told[name] for name in given} == given
