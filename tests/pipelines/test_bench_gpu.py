"""The card's bench runs from end to end where there is no card."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipelines.placement import ORDER

ROOT = Path(__file__).resolve().parents[2]


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "bench.gpu", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=True)
    return done.stdout


@pytest.mark.slow
def test_all_parts_in_one_run_on_a_tiny_model_to_its_end() -> None:
    told = _run("--tiny", "--rounds", "1", "--jobs", "1")
    assert [line for line in told.splitlines() if line.startswith("###")] == [
        "### tiny 64p9: one forward of one expert, median of 1",
        "### tiny: four steps, embedded prompt to playable MP4",
        "### tiny: a queue of 1 four-step jobs",
        "### tiny: peak memory of each plan",
    ]
    rows = [line for line in told.splitlines() if line.startswith("|") and "---" not in line]
    errors = [float(row.split("|")[5]) for row in rows if "native" in row or "exact:" in row]
    assert len(errors) == 3
    assert max(errors) < 1e-4, "every rung gives eager's answer"
    (queue,) = [row for row in rows if row.endswith("not measured |")]
    assert queue.split("|")[1].strip() == "1", "the job came through checks, encoder and seal"
    plans = [row.split("|")[1].strip() for row in rows if "| not measured | –" in row]
    assert plans == [kind for kind in ORDER if kind not in ("resident", "gguf")], "predicted, not measured"


def test_a_run_that_fails_says_so_and_ends() -> None:
    command = [sys.executable, "-m", "bench.gpu", "--tiny", "--parts", "nothing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "invalid choice" in done.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_without_a_card_nothing_is_claimed() -> None:
    assert "not measured" in _run()
