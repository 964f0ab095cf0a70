"""The card's bench runs from end to end where there is no card."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.gpu", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=220, check=True)
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("parts", [("ladder", "peaks"), ("clip", "queue")])
def test_every_part_runs_on_a_tiny_model(parts: tuple[str, ...]) -> None:
    told = _run("--tiny", "--rounds", "1", "--jobs", "1", "--parts", *parts)
    rows = [line for line in told.splitlines() if line.startswith("|") and "---" not in line]
    if "ladder" in parts:
        assert "one forward of one expert" in told
        errors = [float(row.split("|")[5]) for row in rows if "native" in row or "exact" in row]
        assert errors
        assert max(errors) < 1e-4, "every rung gives eager's answer"
        assert sum("not measured" in row for row in rows) == 6, "six plans, predicted and not measured"
    else:
        assert "embedded prompt to playable MP4" in told
        (queue,) = [row for row in rows if row.endswith("not measured |")]
        assert queue.split("|")[1].strip() == "1", "the job came through checks, encoder and seal"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_nothing_is_claimed() -> None:
    assert "not measured" in _run()
