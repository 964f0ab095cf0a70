"""Takes of a film made larger and smoother before it is cut: by networks, streamed, kept, and never twice."""

import json
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from pipelines.request import Cancelled, GenerationRequest
from studio import film_finish
from studio.card import Card
from studio.claims import Attempt
from studio.core import Studio
from studio.estimates import PastFilm, film_by, film_rest
from studio.film_finish import Means
from studio.filming import FilmMaker
from studio.hands import Orders
from studio.media import film as films
from studio.media.clip import write_clip
from studio.media.cut import stretches
from studio.media.ffmpeg import MediaError
from studio.media.label import LabelStyle
from studio.media.probe import comment, probe
from studio.media.timeline import FilmCut, Piece, ShotCut
from studio.media.whole import is_unfinished
from studio.settings import Settings
from studio.story.film_plan import FilmPlan
from studio.ui.context import Page
from studio.ui.story import film as film_form
from tests.film_kit import film, render, shot, submit, take
from tests.pipelines.networks_kit import compact, ifnet, put
from tests.queue_kit import Desk, wait_for
from tests.story.kit import ANNA, TEXT, make_clip

WIDE = {"format": "16:9", "level": "film"}


def clip(folder: Path, name: str, *, frames: int = 9, fps: int = 8, label: LabelStyle | None = None) -> Path:
    """A white bar that moves to the right, 160x96."""
    path = folder / name

    def pictures() -> object:
        for number in range(frames):
            frame = np.full((96, 160, 3), 40, np.uint8)
            frame[20:70, 10 + 4 * number : 30 + 4 * number] = 200
            yield frame

    write_clip(
        pictures(),  # type: ignore[arg-type]
        path=path,
        fps=fps,
        comment="{}",
        label=label or LabelStyle(shown=False),
        expected_frames=frames,
    )
    return path


def cut_of(*pieces: Piece, seconds: float = 1.0, height: int = 144, fps: int = 16, **more: bool) -> FilmCut:
    shots = tuple(ShotCut((piece,), seconds, **more) for piece in pieces)  # type: ignore[arg-type]
    return FilmCut(shots, "16:9", height, fps, label=LabelStyle(shown=False), comment="{}")


def means(**more: object) -> Means:
    return Means(Card(), "cpu", **more)  # type: ignore[arg-type]


def both(home: Path) -> tuple[object, object]:
    put(home, "larger", "realesr-tiny.pth", {"params": compact(scale=2)})
    put(home, "smoother", "flownet.pkl", ifnet())
    plan = film([shot(1)], larger="network", smoother="network")
    return film_finish.networks(plan, home)


def pictures(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as file:
        return [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]


def test_a_plan_names_networks_only_for_a_film_that_needs_them(tmp_path: Path) -> None:
    take = GenerationRequest(prompt="a boat", model="wan2.2-t2v-a14b", width=832, height=480, seed=1)

    def told(*, wanted: bool = True, **more: object) -> tuple[str, str]:
        values = {**WIDE, "height": 1080, "fps": 24, **more}
        plan: FilmPlan = film_finish.asked(film([shot(1, take)], **values), tmp_path, wanted=wanted)
        return plan.larger, plan.smoother

    assert told() == ("lanczos", "blend"), "none is here"
    both(tmp_path)
    assert told() == ("network", "network")
    assert told(wanted=False) == told(level="animatic") == ("lanczos", "blend")
    assert told(height=480) == ("lanczos", "network")
    assert told(height=480, fps=take.fps) == ("lanczos", "blend")


def test_a_network_that_was_asked_for_and_is_gone_is_said(tmp_path: Path) -> None:
    plan = film([shot(1)], larger="network")
    with pytest.raises(MediaError) as error:
        film_finish.networks(plan, tmp_path)
    assert error.value.notice.code == "network_gone"


def test_stretches_get_the_films_size_and_a_frame_for_each_of_its_own(tmp_path: Path) -> None:
    cut = cut_of(Piece(clip(tmp_path, "a.mp4")))
    finer = film_finish.finer(cut, tmp_path / "work", both(tmp_path), means())
    (part,) = stretches(cut.shots[0], 1, 16)
    made = finer.of(part)
    facts = probe(made.piece.path)
    # 160x96 fills 256x144 at 1.6 times its size; 17 frames of the film reach from its first to its last one.
    assert (facts.width, facts.height, facts.frames) == (256, 154, 17)
    assert (made.count, made.frames, made.first, made.piece.label) == (17, part.frames, 0, None)
    assert not list((tmp_path / "work").glob("*bare*"))
    film_path = tmp_path / "film.mp4"
    facts_of_film = films.make_film(cut, film_path, work=tmp_path / "work", finer=finer)
    assert (facts_of_film.width, facts_of_film.height, facts_of_film.frames) == (256, 144, 16)


def test_without_a_network_nothing_is_made_before_the_cut(tmp_path: Path) -> None:
    cut = cut_of(Piece(clip(tmp_path, "a.mp4")))
    finer = film_finish.finer(cut, tmp_path / "work", (None, None), means())
    (part,) = stretches(cut.shots[0], 1, 16)
    assert (finer.by, finer.of(part)) == ("", part)
    assert not (tmp_path / "work").exists()


def test_the_smoother_alone_keeps_the_pictures_and_lets_the_cut_enlarge_them(tmp_path: Path) -> None:
    cut = cut_of(Piece(clip(tmp_path, "a.mp4")))
    _, smoother = both(tmp_path)
    finer = film_finish.finer(cut, tmp_path / "work", (None, smoother), means())  # type: ignore[arg-type]
    (part,) = stretches(cut.shots[0], 1, 16)
    made = finer.of(part)
    assert (made.facts.width, made.facts.height, made.facts.fps) == (160, 96, 16)
    before, after = pictures(part.piece.path), pictures(made.piece.path)
    # What falls on a frame of the take is that frame: the first and the last one.
    for at in (0, -1):
        assert np.abs(before[at].astype(int) - after[at]).mean() < 3


def test_a_pace_of_its_own_and_a_label_are_kept_out_of_it(tmp_path: Path) -> None:
    path = clip(tmp_path, "a.mp4", label=LabelStyle(stacked=False))
    piece = Piece(path, start=0.5, seconds=0.6, speed=0.8, label=LabelStyle(stacked=False))
    cut = cut_of(piece, seconds=0.7, keep_sound=True)
    finer = film_finish.finer(cut, tmp_path / "work", both(tmp_path), means())  # type: ignore[arg-type]
    (part,) = stretches(cut.shots[0], 1, 16)
    made = finer.of(part)
    # Five frames at 8 x 0.8 a second reach over 4 / 6.4 s: to the film's eleventh frame.
    assert (part.count, made.count) == (5, 11)
    assert (made.piece.speed, made.piece.label) == (1.0, None)
    done = films.make_film(cut, tmp_path / "film.mp4", work=tmp_path / "work", finer=finer)
    assert done.frames == round(0.7 * 16)


def test_what_is_finished_is_not_made_again_after_a_stop(tmp_path: Path) -> None:
    cut = cut_of(Piece(clip(tmp_path, "a.mp4")), Piece(clip(tmp_path, "b.mp4", frames=8)))
    makers, work, told = both(tmp_path), tmp_path / "work", list[tuple[int, int]]()

    def stop() -> bool:
        # In the middle of the second stretch.
        return bool(told) and told[-1][0] > 20

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    with pytest.raises(Cancelled):
        film_finish.finer(cut, work, makers, means(should_stop=stop, on_frame=tell))  # type: ignore[arg-type]
    (first,) = work.iterdir()
    before = first.stat().st_mtime_ns
    assert told[-1][1] == 34
    told.clear()
    film_finish.finer(cut, work, makers, means(on_frame=tell))  # type: ignore[arg-type]
    assert told[0] == (1, 17), "only the second one is made"
    assert first.stat().st_mtime_ns == before
    assert len(list(work.iterdir())) == 2
    told.clear()
    finer = film_finish.finer(cut, work, makers, means(on_frame=tell))  # type: ignore[arg-type]
    films.make_film(cut, tmp_path / "film.mp4", work=work, finer=finer)
    for made in work.glob("take-*"):
        made.unlink()
    film_finish.finer(cut, work, makers, means(on_frame=tell))  # type: ignore[arg-type]
    assert told == [], "a shot that is cut already needs no take"


def test_another_network_is_another_film(tmp_path: Path) -> None:
    cut = cut_of(Piece(clip(tmp_path, "a.mp4")))
    larger, _ = both(tmp_path)
    work = tmp_path / "work"
    one = film_finish.finer(cut, work, (larger, None), means())  # type: ignore[arg-type]
    put(tmp_path, "larger", "realesr-tiny.pth", {"params": compact(scale=4)})
    two = film_finish.finer(cut, work, (larger, None), means())  # type: ignore[arg-type]
    assert json.loads(one.by)["larger"]["name"] == json.loads(two.by)["larger"]["name"]
    assert one.by != two.by
    assert len(list(work.glob("take-*"))) == 2


def test_a_stretch_that_is_as_smooth_as_the_film_is_left_alone(tmp_path: Path) -> None:
    cut = cut_of(Piece(clip(tmp_path, "a.mp4", fps=16, frames=17)))
    _, smoother = both(tmp_path)
    finer = film_finish.finer(cut, tmp_path / "work", (None, smoother), means())  # type: ignore[arg-type]
    (part,) = stretches(cut.shots[0], 1, 16)
    assert finer.of(part) is part


@pytest.mark.slow
def test_a_film_that_was_killed_while_its_takes_were_enlarged_goes_on_there(tmp_path: Path) -> None:
    desk = Desk(Settings(studio_home=tmp_path / "home", worker_id="w1", device="cpu"))
    put(desk.settings.studio_home, "larger", "realesr-tiny.pth", {"params": compact(scale=2)})
    asked = film(
        [shot(1, take("a boat")), shot(2, take("a kite"))], level="film", larger="network", height=480
    )
    job_id = submit(desk.jobs, asked)
    stopping = Orders()
    maker = FilmMaker(desk.settings, desk.engine, desk.jobs.tickets, stopping)
    claims = desk.claims()

    def attempt_of(ticket: str) -> Attempt:
        found = claims.begin(claims.claim(ticket, "film") or "", ticket)
        assert found is not None
        return found

    first = attempt_of("one")
    maker.takes.ask(first, asked.requests())
    for number in (1, 2):
        render(desk, number)
    work = maker.work / "story"

    def whole() -> dict[Path, int]:
        made = [path for path in work.glob("take-*.mp4") if not is_unfinished(path)]
        return {path: path.stat().st_mtime_ns for path in made}

    def stop_soon() -> None:
        wait_for(lambda: bool(whole()), 60)
        stopping.stopping.set()

    watcher = threading.Thread(target=stop_soon)
    watcher.start()
    with pytest.raises(Cancelled):
        maker.make(first)
    watcher.join()
    kept = whole()
    assert kept
    claims.give_back("film")
    again = FilmMaker(desk.settings, desk.engine, desk.jobs.tickets, Orders())
    assert again.make(attempt_of("two"))
    assert kept.items() <= whole().items()
    job = desk.job(job_id)
    assert [notice.code for notice in job.notices] == ["film_larger"]
    asset = desk.library.get(job.asset_id or "")
    assert asset is not None
    told = json.loads(comment(desk.library.file(asset)))
    assert told["networks"]["larger"]["name"] == "realesr-tiny"
    assert told["plan"]["larger"] == "network"
    assert (asset.width, asset.height) == (480, 480)
    desk.close()


def test_the_page_says_what_will_do_it_and_can_leave_it(tmp_path: Path) -> None:
    studio = Studio(Settings(studio_home=tmp_path / "home"))
    view, page = studio.stories.new(ANNA, TEXT), Page(studio, "en")
    shown = film_form.render(page, ANNA, view)
    assert "Lanczos makes it larger" in shown
    assert "Blending" in shown
    assert ">4K<" in shown
    assert "story_networks" not in shown
    both(studio.settings.studio_home)
    shown = film_form.render(page, ANNA, view)
    assert "The network realesr-tiny makes it larger" in shown
    assert "The network flownet makes it smoother" in shown
    assert 'data-name="fps_mode"' not in shown
    view = studio.stories.change(ANNA, view.id, "update_look", networks=False)
    shown = film_form.render(page, ANNA, view)
    assert "Lanczos makes it larger" in shown
    assert "story_networks" in shown


def test_how_long_networks_take_is_learned_from_films_that_they_worked_on(tmp_path: Path) -> None:
    plain, network = PastFilm(1000, 2.0), PastFilm(1000, 50.0, film_by("network", "blend"))
    assert film_rest(1000, [plain, network]) == 2.0
    assert film_rest(1000, [plain, network], "larger") == 50.0
    assert film_rest(1000, [plain], "larger") is None
    studio = Studio(Settings(studio_home=tmp_path / "home"))
    view = studio.stories.new(ANNA, TEXT)
    studio.stories.change(ANNA, view.id, "approve_all")
    for shown in studio.stories.get(ANNA, view.id).shots:
        for request in studio.stories._desk.requests(studio.stories._known(view.id), shown.shot, "film"):
            make_clip(studio, request)
    assert studio.stories.estimate(ANNA, view.id, "film").seconds is not None
    both(studio.settings.studio_home)
    assert studio.stories.estimate(ANNA, view.id, "film").seconds is None, "nobody knows yet"
