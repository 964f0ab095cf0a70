"""A film from its plan: takes, voice, cut, file. Each part is found again after a kill; none is made twice.

Runs in the worker beside the clips, and waits for those it needs without holding what renders them. No torch.
"""

import contextlib
import logging
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dbos import error as dbos_error
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from pipelines.request import Cancelled, GenerationRequest, Notice, Progress
from studio import cutting, film_finish, footage, joining, narrating
from studio.card import Card
from studio.claims import Attempt, Claims
from studio.cutting import Times
from studio.db import utc_now
from studio.exporting import Exporter
from studio.film_file import FilmFile
from studio.film_takes import FilmTakes, Found, TakeFailed
from studio.finishing import named
from studio.hands import Orders, own_tmp
from studio.library import Asset, Library, new_id
from studio.lock import file_name
from studio.media.probe import POSTER_SIDE, thumbnail
from studio.media.timeline import ShotCut, label_of
from studio.picture_rows import Picture
from studio.pictures import Pictures
from studio.recipe import film_recipe
from studio.refusal import Refused
from studio.reporter import Reporter
from studio.settings import Settings
from studio.story.film_plan import FilmPlan, PlannedShot, another, key_of, waits
from studio.tickets import Tickets

if TYPE_CHECKING:
    from studio.narrating import Speak
    from studio.voice.speak import Speech

POLL_SECONDS = 0.3
LISTEN_SECONDS = 0.05
RETRY_SECONDS = 1.0
# The shots that a story's films were cut from are kept so long after the last one: changing a shot is quick.
KEEP_WORK_SECONDS = 24 * 3600.0

log = logging.getLogger(__name__)


class FilmFailed(Exception):
    """A film can't be made as it was planned; `notice` says which shot is why."""

    def __init__(self, notice: Notice) -> None:
        super().__init__(f"{notice.code} {notice.values}")
        self.notice = notice


@dataclass
class _Making:
    """One attempt at one film."""

    attempt: Attempt
    plan: FilmPlan
    reporter: Reporter
    should_stop: Callable[[], bool]
    work: Path
    notices: list[Notice] = field(default_factory=list)
    spoke: float = 0.0
    got_on: bool = False

    def stop_if_asked(self) -> None:
        if self.should_stop():
            raise Cancelled

    def rest(self, seconds: float) -> None:
        """Do nothing for a while, unless asked to stop."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.stop_if_asked()
            time.sleep(min(seconds, LISTEN_SECONDS))

    def note(self, notice: Notice) -> None:
        if notice not in self.notices:
            self.notices.append(notice)


class FilmMaker:
    """Makes films, one at a time."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        tickets: Tickets,
        orders: Orders,
        *,
        speak: "Speak | None" = None,
        card: Card | None = None,
    ) -> None:
        self.settings = settings
        self.speak = speak or narrating.narrator(settings)
        self.orders, self.card = orders, card or Card()
        self.tickets = tickets
        self.claims = Claims(engine, settings.worker_id)
        self.library = Library(engine, settings.studio_home)
        self.exporter = Exporter(settings, engine)
        self.pictures = Pictures(engine, settings, self.library)
        self.takes = FilmTakes(engine, self.library, self.exporter.key)
        self.tmp = own_tmp(settings)
        self.work = settings.studio_home / "work"

    def make(self, attempt: Attempt) -> bool:
        """Make a film and publish it; False if it was not ours to publish any more.

        Cancelled if that is asked for, or the worker is to end: what is finished by then stays.
        """
        plan = attempt.job.plan
        if plan is None:
            raise RuntimeError(f"job {attempt.job.id} is no film")
        work = self.work / file_name(plan.story_id or attempt.job.id)
        began = time.monotonic()
        with Reporter(self.claims, attempt) as reporter:
            should_stop = reporter.stops_at(self.orders.stopping, self.orders.draining)
            film = _Making(attempt, plan, reporter, should_stop, work)
            shots, clips, waited = self._shots(film)
            return self._cut(film, shots, clips, began=began, tail_since=waited)

    def sweep(self) -> None:
        """Remove what films were cut from where none was for a day, and narration that none used for long."""
        narrating.sweep(self.settings.studio_home)
        before = time.time() - KEEP_WORK_SECONDS
        for folder in self.work.glob("*"):
            with contextlib.suppress(OSError):
                if folder.stat().st_mtime < before:
                    shutil.rmtree(folder)

    # -- what it is cut from -------------------------------------------------------------------------------

    def _shots(self, film: _Making) -> tuple[list[ShotCut], list[Asset], float]:
        """Every shot of the film, the clips in it, and when the last of them was there."""
        plan = film.plan
        self._check_places(plan)
        self._ask(film, plan.requests())
        speeches = self._speak(film)
        lengths: list[Times] = []
        needs: list[Sequence[GenerationRequest]] = []
        for shot, speech, overlap in zip(plan.shots, speeches, cutting.overlaps(plan), strict=True):
            length = cutting.times(shot.seconds, None if speech is None else speech.seconds, overlap)
            clips = [request.num_frames / request.fps for request in shot.requests]
            more = [another(shot.requests[-1])] if cutting.wants_another(length.seconds, clips) else []
            lengths.append(length)
            needs.append([*shot.requests, *more])
        needs = joining.with_pictures(
            plan,
            needs,
            ask=lambda requests: self._ask(film, requests),
            take=lambda request: self._wait(film, [[request]]).clips[key_of(request)],
            picture=lambda clip, number: self._picture(film, clip, number),
        )
        film.plan = joining.made_of(plan, needs)
        lengths = joining.shown_whole(lengths, needs, plan)
        found = self._wait(film, needs)
        waited = time.monotonic()
        shots = [
            self._shot(film, shot, length, [found.clips[key_of(request)] for request in need], speech)
            for shot, length, need, speech in zip(plan.shots, lengths, needs, speeches, strict=True)
        ]
        used = {
            found.clips[key_of(request)].id: found.clips[key_of(request)]
            for need in needs
            for request in need
        }
        return shots, list(used.values()), waited

    def _ask(self, film: _Making, requests: Sequence[GenerationRequest]) -> Found:
        """Let every take that is missing be made, but for those that go on from one that is not there."""
        requests = [request for request in requests if not waits(request)]
        found = self._found(film, lambda: self.takes.ask(film.attempt, requests))
        if found.new:
            try:
                for kind in set(found.new):
                    self.tickets.add(found.new.count(kind), kind)
            except (SQLAlchemyError, dbos_error.DBOSException):
                log.warning("no ticket could be made; a worker will make it", exc_info=True)
        return found

    def _wait(self, film: _Making, needs: Sequence[Sequence[GenerationRequest]]) -> Found:
        """Wait until every take is there; a worker that dies meanwhile does not die of this film."""
        wanted = list({key_of(request): request for need in needs for request in need}.values())
        found = self._ask(film, wanted)
        told = -1
        while len(found.clips) < len(wanted):
            if len(found.clips) > told:
                told = len(found.clips)
                film.reporter(Progress("takes", told, len(wanted)))
            self._got_on(film)
            film.rest(POLL_SECONDS)
            found = self._found(film, lambda: self.takes.look(film.attempt, wanted))
            if len(found.clips) + len(found.coming - found.clips.keys()) < len(wanted):
                found = self._ask(film, wanted)
        return found

    def _picture(self, film: _Making, clip: Asset, number: int) -> Picture:
        """What goes on from a take, for the shot of that number."""
        try:
            return self.pictures.keep_frame(clip, film.should_stop)
        except Refused as refused:
            why = {"number": number, "reason": refused.notices[0]}
            raise FilmFailed(Notice("shot_failed", why)) from refused

    def _found(self, film: _Making, look: Callable[[], Found]) -> Found:
        """What a look at the takes finds; a database that does not answer is asked again."""
        while True:
            try:
                return look()
            except TakeFailed as failed:
                raise FilmFailed(_why(film.plan, failed)) from failed
            except SQLAlchemyError:
                log.warning("film %s can't see its takes; trying again", film.attempt.job.id, exc_info=True)
                film.rest(RETRY_SECONDS)

    def _got_on(self, film: _Making) -> None:
        """A part of the film is there for good, so that its attempts are counted anew: once is enough."""
        if film.got_on or film.attempt.number == 1:
            return
        try:
            self.claims.got_on(film.attempt)
            film.got_on = True
        except SQLAlchemyError:
            log.warning("that film %s got on was not noted", film.attempt.job.id, exc_info=True)

    def _speak(self, film: _Making) -> "list[Speech | None]":
        """Each shot's narration. What was spoken before is found by its content."""
        plan = film.plan
        texts = [shot.narration if plan.narrate else "" for shot in plan.shots]
        speeches: list[Speech | None] = []
        for number, text in enumerate(texts):
            film.stop_if_asked()
            speech = None
            if text.strip():
                film.reporter(Progress("voice", number, len(texts)))
                began = time.monotonic()
                speech = self.speak(plan, text, film.should_stop)
                film.spoke += time.monotonic() - began
                self._got_on(film)
            for notice in () if speech is None else speech.notices:
                film.note(notice)
            speeches.append(speech)
        if film.spoke:
            narrating.release()
        return speeches

    def _shot(
        self,
        film: _Making,
        shot: PlannedShot,
        length: Times,
        clips: Sequence[Asset],
        speech: "Speech | None",
    ) -> ShotCut:
        shown = footage.of_clips(clips, self.library, self.settings)
        if joining.followed(film.plan)[shot.number - 1]:
            pieces = joining.up_to_the_joint(length.seconds, shown, clips)
            return cutting.shot_cut(film.plan, shot, length, pieces, speech)
        if shot.source is not None:
            path = footage.place_of(self.settings.studio_home, shot.source.path)
            if path is None:
                raise FilmFailed(Notice("shot_file_missing", {"shot": shot.number}))
            shown = [footage.of_source(shot.source, path, self.library, self.settings)]
        try:
            pieces, looped = cutting.fit(length.seconds, shown)
        except ValueError as error:
            lacks = {"shot": shot.number, "seconds": round(length.seconds, 1)}
            raise FilmFailed(Notice("shot_short", lacks)) from error
        if looped:
            film.note(Notice("shot_looped", {"number": shot.number}))
        return cutting.shot_cut(film.plan, shot, length, pieces, speech)

    def _check_places(self, plan: FilmPlan) -> None:
        """Nothing is asked for by a film that would lack a file in the end."""
        home = self.settings.studio_home
        for shot in plan.shots:
            if shot.source is not None and footage.place_of(home, shot.source.path) is None:
                raise FilmFailed(Notice("shot_file_missing", {"shot": shot.number}))
        for place in (plan.logo, plan.music if cutting.is_place(plan.music) else ""):
            if place and footage.place_of(home, place) is None:
                raise FilmFailed(Notice("story_file_gone"))

    # -- cutting and publishing ----------------------------------------------------------------------------

    def _cut(
        self,
        film: _Making,
        shots: Sequence[ShotCut],
        clips: Sequence[Asset],
        *,
        began: float,
        tail_since: float,
    ) -> bool:
        job, plan = film.attempt.job, film.plan
        networks = named(*film_finish.networks(plan, self.settings.studio_home))
        created = utc_now().isoformat(timespec="seconds")
        comment, left = film_recipe(plan, job=job.id, created=created, networks=networks)
        for purpose, network in networks.items():
            film.note(Notice(f"film_{purpose}", {"name": network["name"]}))
        if left:
            film.note(Notice("film_recipe_short"))
        home, asset_id = self.settings.studio_home, new_id()
        begun = self.exporter.begin(asset_id, "film", project=job.form.get("project"))
        cut = cutting.film_cut(
            plan, shots, home=home, label=begun.label, comment=begun.comment(comment), tags=begun.tags
        )
        begun = replace(begun, label=label_of(cut))
        path, still = self.tmp / f"{asset_id}.mp4", self.tmp / f"{asset_id}.webp"
        with contextlib.ExitStack() as left_over:
            for file in (path, still):
                left_over.callback(file.unlink, missing_ok=True)
            got_on = partial(self._got_on, film)
            room = (self.settings, self.card, film.work)
            facts = FilmFile(*room, film.reporter, film.should_stop, got_on).make(plan, cut, path, begun)
            finished = self.exporter.finish(
                begun,
                path,
                model=job.model,
                revision="",
                prompt="\n".join(request.prompt for request in plan.requests()),
                title=plan.title,
                ingredients=footage.ingredients(plan, clips, self.library, home),
            )
            still.write_bytes(thumbnail(path, side=POSTER_SIDE))
            took = time.monotonic() - began
            asset = finished.asset(
                job, facts, fps=plan.fps, took=took, kind="film", title=plan.title, plan=plan
            )
            return self.claims.publish(
                film.attempt,
                asset,
                [(path, asset.path), (still, asset.thumbnail)],
                self.library,
                finished,
                tail_seconds=film.spoke + time.monotonic() - tail_since,
                clips=[clip.id for clip in clips],
                notices=film.notices,
            )


def _why(plan: FilmPlan, failed: TakeFailed) -> Notice:
    """Which shot could not be made, and why."""
    number = 0
    for shot in plan.shots:
        made = [*shot.requests, *map(another, shot.requests[-1:])]
        if failed.key in map(key_of, made):
            number = shot.number
            break
    if failed.reason is None:
        return Notice("shot_cancelled", {"number": number})
    return Notice("shot_failed", {"number": number, "reason": failed.reason})
