"""A grid on real workers: they are killed, all becomes one sealed video, and each cell is made once."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.access import Visitor
from studio.core import Studio
from studio.grid_plan import GridPlan, read_lines
from studio.grid_view import GridView
from studio.media import probe
from studio.settings import Settings
from studio.trust import ledger
from studio.trust.certificate import known_certificates
from studio.trust.credentials import read
from tests.queue_kit import START, Desk, WorkerProcess, kill, kill_all, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ANN = Visitor("ann", False)
# Each worker imports torch and loads a model; four are started one after the other.
PATIENCE = 3 * START
SETTING = {"quality": "draft", "num_frames": 17, "size": "256x256", "num_inference_steps": 40}


@pytest.fixture
def studio(studio_home: Path) -> Iterator[Studio]:
    opened = Studio(Settings(studio_home=studio_home, worker_id="w1"))
    yield opened
    kill_all(studio_home)
    opened.jobs.tickets.close()
    opened.engine.dispose()


def test_a_grid_outlives_its_workers_and_the_web_process_and_becomes_one_video(studio: Studio) -> None:
    desk = Desk(studio.settings)
    plan = GridPlan(
        title="红船", lines=read_lines("a boat\na fox"), settings=(SETTING,), styles=("ink", "neon")
    )
    grid = studio.grids.submit(ANN, plan)

    def view() -> GridView:
        return studio.grids.view(ANN, grid)

    def done() -> int:
        return view().counts["done"]

    worker = WorkerProcess(studio.settings)
    wait_for(lambda: view().cells[0].progress is not None, PATIENCE, desk.log)
    kill(worker.process.pid, studio.settings)
    # The web process goes, too: another one finds all there is in the rows.
    again = Studio(studio.settings)
    assert again.grids.view(ANN, grid).counts["running"] == 1
    again.jobs.tickets.close()
    worker = WorkerProcess(studio.settings)
    wait_for(lambda: done() >= 2, PATIENCE, desk.log)
    kill(worker.process.pid, studio.settings)
    seen = {cell.number: cell.job for cell in view().cells if cell.state == "done"}
    worker = WorkerProcess(studio.settings)
    wait_for(lambda: done() == 4, PATIENCE, desk.log)
    for cell in view().cells:
        assert cell.job is not None
        assert cell.number not in seen or cell.job == seen[cell.number]
    clips = [cell.asset for cell in view().cells if cell.asset]
    assert len(studio.library(ANN)) == len({clip.id for clip in clips}) == 4

    job = studio.grids.export(ANN, grid, {cell.number: f"第 {cell.number} 个" for cell in view().cells})
    wait_for(lambda: desk.job(job).state != "queued", PATIENCE, desk.log)
    kill(worker.process.pid, studio.settings)
    worker = WorkerProcess(studio.settings)
    made = desk.wait(job, seconds=PATIENCE)
    assert worker.end(signal.SIGTERM) == 0
    assert view().export == made
    asset = studio.asset(ANN, made.asset_id or "")
    path = studio.library_file(asset)
    assert (asset.kind, asset.title, asset.standing, asset.owner) == ("grid", "红船", "public", "ann")
    assert probe.probe(path).frames == asset.frames
    told = json.loads(probe.comment(path))
    assert [tile["asset"] for tile in told["tiles"]] == [clip.id for clip in clips]
    assert "AIGC" in told
    credentials = read(path, known=known_certificates(studio.settings))
    assert credentials.state in ("valid", "valid_untrusted")
    assert [clip.id for clip in studio.assets.clips_of(asset.id)] == [clip.id for clip in clips]
    assert studio.trace(ANN, path).answer == "certain"
    key = studio.settings.sealing_key()
    assert ledger.verify(studio.engine, key=key, home=studio.settings.studio_home)[1] is None
    desk.close()
