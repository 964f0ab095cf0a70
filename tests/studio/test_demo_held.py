"""The command line stops where a person has to decide, and says why."""

from pathlib import Path

import pytest

from studio import demo
from studio.access import Visitor
from studio.core import Studio
from studio.settings import Settings


def test_held_words_end_the_command_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    Studio(Settings(studio_home=home)).reviews.set_policy(Visitor("root", True), {"names": ["Jay Chou"]})
    for name, value in {"STUDIO_HOME": str(home), "LOCAL_WORKER": "0"}.items():
        monkeypatch.setenv(name, value)
    out = tmp_path / "a.mp4"
    assert demo.main(["--prompt", "Jay Chou sings on a roof", "--out", str(out)]) == 1
    assert "Jay Chou" in capsys.readouterr().err
    assert not out.exists()
