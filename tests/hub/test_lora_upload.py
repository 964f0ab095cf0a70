"""LoRAs brought as files: streamed in, looked through by their header, kept by content, or nothing of it."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from starlette.testclient import TestClient

from pipelines import loras
from studio import lora_upload
from studio.access import Visitor
from studio.core import Studio
from studio.settings import Settings
from studio.ui import models
from studio.ui.context import Page
from studio.ui.models import Message
from tests.studio.web_kit import client_of
from tests.tiny_lora import write_lora

# Of Wan2.1-1.3B, and of both experts of A14B.
NARROW, WIDE = 1536, 5120


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(Settings(studio_home=tmp_path / "home"))


@pytest.fixture
def client(studio: Studio) -> TestClient:
    return client_of(studio)


@pytest.fixture
def high(tmp_path: Path) -> Path:
    return write_lora(tmp_path / "grain_high.safetensors", width=WIDE, layers=1)


@pytest.fixture
def low(tmp_path: Path) -> Path:
    return write_lora(tmp_path / "grain_low.safetensors", width=WIDE, layers=1, seed=1)


def bring(client: TestClient, name: str, *files: Path, lie: int = 0) -> tuple[int, dict[str, object]]:
    asked: dict[str, object] = {"name": name, "language": "en"}
    for kind, file in zip(("high", "low"), files, strict=False):
        asked |= {kind: file.name, f"{kind}_bytes": file.stat().st_size + lie}
    body = b"".join(file.read_bytes() for file in files)
    answer = client.post("/models/lora", params=asked, content=body)
    return answer.status_code, answer.json()


def why(found: tuple[int, dict[str, object]]) -> str:
    status, told = found
    assert status == 400, told
    errors = told["errors"]
    assert isinstance(errors, list)
    return str(errors[0]["code"])


def test_a_pair_is_kept_listed_and_deleted(studio: Studio, client: TestClient, high: Path, low: Path) -> None:
    home = studio.settings.studio_home
    assert bring(client, "grain", high, low) == (200, {"name": "grain", "swapped": False})
    lora = loras.find(home, "grain")
    assert lora is not None
    assert lora.low is not None
    assert (lora.high.read_bytes(), lora.low.read_bytes()) == (high.read_bytes(), low.read_bytes())
    assert (lora.header.hidden, lora.source) == (WIDE, "")
    admin, page = Visitor("anna", True), Page(studio, "en")
    shown = models.answer(page, admin, Message("lora_kept", "grain"))
    assert "“grain” is here now." in shown
    assert 'data-key="delete grain"' in shown
    assert "from a file · for Wan2.2 T2V-A14B, Wan2.2 I2V-A14B · a pair: high and low noise" in shown
    assert [one.name for one in studio.model_room.own_loras()] == ["grain"]
    models.answer(page, admin, Message("delete", "grain"))
    assert loras.find(home, "grain") is None
    assert list((home / "tmp").glob("lora-*")) == []


def test_the_same_content_is_not_kept_under_two_names(studio: Studio, client: TestClient, high: Path) -> None:
    assert bring(client, "one", high)[0] == 200
    assert why(bring(client, "two", high)) == "lora_here_as"
    assert why(bring(client, "one", high)) == "lora_there"
    assert [one.name for one in loras.listed(studio.settings.studio_home)] == ["one"]


def test_what_is_no_lora_is_named_as_it_was_called_and_nothing_of_it_stays(
    studio: Studio, client: TestClient, tmp_path: Path, high: Path
) -> None:
    broken = tmp_path / "model.safetensors"
    broken.write_bytes(b"\x80\x02\0\0\0\0\0\0{")
    status, told = bring(client, "bad", broken)
    assert (status, "“model.safetensors”" in str(told), "lora_file" in str(told)) == (400, True, True)
    other = tmp_path / "other.safetensors"
    import numpy as np

    save_file({"text_model.encoder.weight": np.zeros((2, 2), np.float32)}, other)
    assert why(bring(client, "bad", other)) == "lora_keys"
    strange = write_lora(tmp_path / "strange.safetensors", width=24)
    assert why(bring(client, "bad", strange)) == "lora_fits_none"
    narrow = write_lora(tmp_path / "narrow.safetensors", width=NARROW, layers=1)
    assert why(bring(client, "bad", high, narrow)) == "lora_pair"
    renamed = high.rename(high.with_suffix(".pt"))
    assert why(bring(client, "bad", renamed)) == "lora_pickle"
    home = studio.settings.studio_home
    assert loras.listed(home) == []
    assert list((home / "tmp").glob("lora-*")) == []
    assert [path.name for path in (home / "loras").glob(".*")] == []


@pytest.mark.parametrize("first", [b"\x80\x04cos\nsystem\n", b"PK\x03\x04archive/data.pkl"])
def test_a_pickle_under_another_name_is_called_one(client: TestClient, tmp_path: Path, first: bytes) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(first)
    assert why(bring(client, "bad", file)) == "lora_pickle"


@pytest.mark.parametrize("gone", ["lora_up", "lora_down"])
def test_a_matrix_without_its_partner_is_refused(
    studio: Studio, client: TestClient, tmp_path: Path, high: Path, gone: str
) -> None:
    tensors = load_file(high)
    del tensors[f"diffusion_model.blocks.0.self_attn.v.{gone}.weight"]
    file = tmp_path / "half.safetensors"
    save_file(tensors, file)
    assert why(bring(client, "half", file)) == "lora_half"
    assert loras.listed(studio.settings.studio_home) == []


@pytest.mark.parametrize(
    ("file", "stage"),
    [
        ("Wan2.2-T2V_high_noise_model.safetensors", "high"),
        ("grainHighNoise.safetensors", "high"),
        ("LOW-NOISE-v1.2.safetensors", "low"),
        ("grain_low_v2.safetensors", "low"),
        ("wan22_HIGH_rank64.safetensors", "high"),
        ("low_light.safetensors", ""),
        ("highres.safetensors", ""),
        ("slow_noise.safetensors", ""),
        ("high_noise_and_low_noise.safetensors", ""),
    ],
)
def test_a_files_name_tells_which_expert_it_is_for(file: str, stage: str) -> None:
    assert lora_upload.stage_of(file) == stage


def test_files_the_wrong_way_round_are_put_where_their_names_say_and_it_is_told(
    studio: Studio, client: TestClient, high: Path, low: Path
) -> None:
    assert bring(client, "grain", low, high) == (200, {"name": "grain", "swapped": True})
    lora = loras.find(studio.settings.studio_home, "grain")
    assert lora is not None
    assert lora.low is not None
    assert (lora.high.read_bytes(), lora.low.read_bytes()) == (high.read_bytes(), low.read_bytes())
    other = high.with_name("other_high.safetensors")
    other.write_bytes(low.read_bytes())
    assert why(bring(client, "twice", high, other)) == "lora_same_stage_high"


def test_half_of_a_pair_is_known_as_half_where_the_model_has_two_experts(
    studio: Studio, client: TestClient, tmp_path: Path, high: Path
) -> None:
    plain = write_lora(tmp_path / "plain.safetensors", width=WIDE, layers=1, seed=2)
    narrow = write_lora(tmp_path / "narrow_high.safetensors", width=NARROW, layers=1)
    for name, file in (("half", high), ("plain", plain), ("narrow", narrow)):
        assert bring(client, name, file)[0] == 200
    halves = {one.name: one.half for one in loras.listed(studio.settings.studio_home)}
    assert halves == {"half": "high", "plain": "", "narrow": ""}
    shown = models.answer(Page(studio, "en"), Visitor("anna", True), Message("lora_kept", "half"))
    assert "its low-noise half is missing. Without it this one file serves both." in shown
    assert "I2V-A14B · high noise only, its low-noise half is missing" in shown
    assert "for Wan2.1 T2V-1.3B · one file" in shown


@pytest.mark.parametrize("lie", [-5, 5])
def test_more_or_less_than_was_told_is_not_kept(client: TestClient, high: Path, lie: int) -> None:
    assert why(bring(client, "grain", high, lie=lie)) == "lora_cut_short"


def test_too_large_a_file_a_bad_name_or_none_is_refused_before_anything_is_read(
    client: TestClient, high: Path
) -> None:
    assert why(bring(client, "grain", high, lie=loras.MAX_BYTES)) == "lora_file"
    assert why(bring(client, "", high)) == "lora_no_name"
    assert why(bring(client, "../x", high)) == "lora_name"
    assert why(bring(client, "sketch", high)) == "lora_name"
    assert why(bring(client, "grain")) == "lora_file"


def test_what_would_be_refused_is_said_before_it_is_sent(client: TestClient) -> None:
    asked: dict[str, str | int] = {"name": "grain", "high": "a.ckpt", "high_bytes": 5}
    answer = client.get("/models/lora", params=asked)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "lora_pickle")
    asked["high"] = "a.safetensors"
    assert client.get("/models/lora", params=asked).json() == {}


def test_where_there_is_a_password_only_admins_bring_any(tmp_path: Path, high: Path) -> None:
    shared = Studio(Settings(studio_home=tmp_path / "home", open_demo=True, admin_token="secret"))
    assert why(bring(client_of(shared), "grain", high)) == "admin_only"
    drawn = models.render(Page(shared, "en"), Visitor("ben", False))
    assert "lora_upload" not in drawn
