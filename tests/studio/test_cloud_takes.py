"""A film whose takes the cloud makes, on SQLite and on Postgres, without a worker process."""

from pipelines.request import GenerationRequest
from studio.film_takes import FilmTakes
from studio.story.film_plan import key_of
from tests.film_kit import film, shot, submit, take
from tests.queue_kit import Desk


def test_takes_may_be_the_clouds_and_wait_in_its_line(desk: Desk) -> None:
    there = GenerationRequest(prompt="a boat", model="wan2.2-t2v-plus", seed=7)
    film_id = submit(desk.jobs, film([shot(1, there), shot(2, take("a kite"))]))
    found = desk.jobs.estimate_film("ann", film([shot(1, there), shot(2, take("a kite"))]))
    assert (found.to_render, found.cloud) == (2, (there,))
    claims = desk.claims()
    assert claims.claim("film-ticket", "film") == film_id
    attempt = claims.begin(film_id, "film-ticket")
    assert attempt is not None
    looker = FilmTakes(desk.engine, desk.library, b"key")
    assert attempt.job.plan is not None
    requests = attempt.job.plan.requests()
    assert looker.ask(attempt, requests).new == ("cloud", "clip")
    assert desk.jobs.outlook()[film_id] is not None
    job_id = claims.claim("cloud-ticket", "cloud")
    assert job_id is not None
    assert desk.job(job_id).parent == film_id
    made = claims.begin(job_id, "cloud-ticket")
    assert made is not None
    assert desk.publish(made)
    found_now = looker.look(attempt, requests)
    assert (set(found_now.clips), len(found_now.coming)) == ({key_of(there)}, 1)
    desk.beat()
    assert desk.jobs.cancel(film_id), "with the film goes what still waits for it"
