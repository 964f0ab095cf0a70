"""For tests that publish stand-ins: the seal of one real small clip, under the numbers they need."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from studio import db
from studio.exporting import Exporter, Finished
from studio.library import Standing
from studio.media.clip import write_clip
from studio.settings import Settings


def finished(export_id: str, standing: Standing = "public") -> Finished:
    """What publishing asks for, as if the file of that number had been made, checked and sealed."""
    one = _one()
    return replace(one, begun=replace(one.begun, id=export_id), standing=standing)


@cache
def _one() -> Finished:
    with TemporaryDirectory() as folder:
        settings = Settings(studio_home=Path(folder))
        settings.make_folders()
        engine = db.engine(settings.database_url)
        db.migrate(engine)
        exporter = Exporter(settings, engine)
        begun = exporter.begin("first", "clip")
        path = Path(folder) / "first.mp4"
        frames = (np.full((192, 320, 3), 90 + at, np.uint8) for at in range(9))
        told = {"comment": begun.comment("{}"), "tags": begun.tags, "label": begun.label}
        write_clip(frames, path=path, fps=8, expected_frames=9, mark=begun.mark_frames(), **told)
        made = exporter.finish(begun, path, model="sketch", revision="abc", prompt="a boat")
        engine.dispose()
        return made
