"""The cloud's models asked over the wire: ordered once, looked after, fetched whole, whatever goes wrong."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from pipelines.dashscope import DashScope, body_of, fixed_key, key_in
from pipelines.dashscope_wire import Patience, Service
from pipelines.models import MODELS
from pipelines.request import Cancelled, GenerationRequest, Inputs, ModelError, Progress
from tests import dashscope_faults as faults
from tests.dashscope_faults import Cloud, cloud
from tests.dashscope_wire import film

QUICK = Patience(
    first_look=0.01,
    longest_look=0.02,
    first_pause=0.01,
    longest_pause=0.05,
    order=5.0,
    silence=5.0,
    task=5.0,
    answer=2.0,
)


@pytest.fixture
def service() -> Iterator[Cloud]:
    with cloud(fps=30) as running:
        yield running


def asked(**changes: object) -> GenerationRequest:
    form = {"model": "wan2.2-t2v-plus", "width": 624, "height": 624, "seed": 7, **changes}
    return GenerationRequest(prompt="a red boat at sea", **form)


@dataclass
class Try:
    """One attempt at a clip: what was reported, and what came of it."""

    service: Cloud
    folder: Path
    patience: Patience = QUICK
    credentials: Callable[[], str] | None = None
    told: list[Progress] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def video(self, request: GenerationRequest) -> DashScope:
        credentials = self.credentials or fixed_key(self.service.key)
        where = Service(self.service.address, credentials, patience=self.patience)
        self.made = DashScope(request.spec, where, folder=self.folder)
        return self.made

    def make(self, request: GenerationRequest, token: str = "") -> list[np.ndarray]:
        inputs = Inputs(resume_token=token)
        video = self.video(request)
        return list(video.generate(request, self.told.append, self.stop.is_set, inputs))

    def fails(self, request: GenerationRequest, token: str = "") -> str:
        with pytest.raises(ModelError) as caught:
            self.make(request, token)
        return caught.value.notice.code

    @property
    def tokens(self) -> list[str]:
        """What was to be kept, each change once."""
        kept = [one.resume_token for one in self.told if one.resume_token is not None]
        return [token for at, token in enumerate(kept) if at == 0 or kept[at - 1] != token]


@pytest.fixture
def trial(service: Cloud, tmp_path: Path) -> Try:
    return Try(service, tmp_path)


def test_a_clip_is_ordered_once_and_read_frame_by_frame(trial: Try) -> None:
    trial.service.actual_prompt = "A small red boat rocks on a calm sea."
    frames = trial.make(asked())
    assert len(frames) == 151
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {((624, 624, 3), "uint8")}
    promise, task = trial.tokens
    assert promise.startswith(f"{trial.made.service.host} ?")
    assert task == f"{trial.made.service.host} {next(iter(trial.service.tasks))}"
    assert trial.told[0].resume_token == promise, "the promise is kept before anything is sent"
    stages = [one.stage for one in trial.told]
    assert list(dict.fromkeys(stages)) == ["waiting", "denoising", "decoding"]
    assert trial.told[-1].actual_prompt == "A small red boat rocks on a calm sea."
    assert trial.service.count("submit") == 1
    assert list(trial.folder.iterdir()) == []


def test_what_is_sent_is_what_the_service_takes(trial: Try) -> None:
    request = asked(negative_prompt="blur")
    assert request.spec.cloud is not None
    assert body_of(request, request.spec.cloud) == {
        "model": "wan2.2-t2v-plus",
        "input": {"prompt": "a red boat at sea", "negative_prompt": "blur"},
        "parameters": {"seed": 7, "watermark": False, "prompt_extend": True, "size": "624*624"},
    }
    single = GenerationRequest(model="wan2.6-t2v", prompt="a boat", num_frames=301, seed=1)
    assert single.spec.cloud is not None
    parameters = body_of(single, single.spec.cloud)["parameters"]
    assert parameters["shot_type"] == "single"
    assert (parameters["size"], parameters["duration"]) == ("1280*720", 10)
    newer = GenerationRequest(model="wan2.7-t2v", prompt="a boat", width=1080, height=1920, seed=1)
    assert newer.spec.cloud is not None
    parameters = body_of(newer, newer.spec.cloud)["parameters"]
    assert (parameters["resolution"], parameters["ratio"], parameters["duration"]) == ("1080P", "9:16", 5)
    assert "size" not in parameters


def test_the_pictures_keep_the_clips_own_clock_and_colours(trial: Try) -> None:
    """A film of 16 frames a second becomes one of 30: each moment shows what was seen then."""
    trial.service.fps = 16
    frames = trial.make(asked())
    # The film's red grows by 4 with each of its frames; half a frame's time in, this one is seen.
    left = [int(frame[300, 2, 0]) for frame in frames[:40]]
    expected = [4 * int((number + 0.5) / 30 * 16) for number in range(40)]
    assert max(abs(one - other) for one, other in zip(left, expected, strict=True)) <= 3
    assert abs(int(frames[0][300, 300, 2]) - 96) <= 4


def test_a_busy_service_is_asked_again_and_billed_once(trial: Try) -> None:
    trial.service.fault("submit", faults.throttled(), faults.throttled(retry_after=0.1), faults.broken())
    trial.service.fault("fetch", faults.broken(503), faults.throttled(), faults.not_json(), faults.hung_up())
    assert len(trial.make(asked())) == 151
    assert len(trial.service.tasks) == 1
    assert trial.service.count("submit") == 4
    assert "" in trial.tokens, "each refused order takes its promise back"


def test_a_service_that_stays_busy_is_given_up_and_nothing_is_promised(trial: Try) -> None:
    trial.patience = Patience(order=0.1, first_pause=0.02, longest_pause=0.02)
    trial.service.fault("submit", *[faults.throttled()] * 50)
    assert trial.fails(asked()) == "cloud_busy"
    assert trial.tokens[-1] == ""


@pytest.mark.parametrize(
    ("status", "code", "told"),
    [
        (400, "DataInspectionFailed", "cloud_rejected"),
        (400, "Arrearage", "cloud_account"),
        (403, "AccessDenied", "cloud_denied"),
        (400, "InvalidParameter", "cloud_refused"),
    ],
)
def test_a_refusal_is_final_and_explained(trial: Try, status: int, code: str, told: str) -> None:
    trial.service.fault("submit", faults.refused(status, code, "because"))
    assert trial.fails(asked()) == told
    assert trial.service.count("submit") == 1
    assert trial.tokens[-1] == ""


def test_a_rejected_picture_is_final(trial: Try) -> None:
    trial.service.course = ["RUNNING", "FAILED"]
    assert trial.fails(asked()) == "cloud_rejected"
    trial.service.code, trial.service.message = "InternalError.Timeout", "worker lost"
    assert trial.fails(asked()) == "cloud_failed"
    assert trial.tokens[-1] == ""


def test_an_order_that_may_have_arrived_is_not_sent_again(trial: Try) -> None:
    trial.service.fault("submit", faults.accepted_but_hung_up())
    assert trial.fails(asked()) == "cloud_unsure"
    assert (trial.service.count("submit"), len(trial.service.tasks)) == (1, 1)
    assert trial.tokens[-1] == "", "who tries again then does so knowingly"


def test_somebody_elses_page_is_no_answer_to_an_order(trial: Try) -> None:
    trial.service.fault("submit", faults.not_json())
    assert trial.fails(asked()) == "cloud_unsure"


def test_a_second_try_goes_on_with_the_task_and_pays_nothing(trial: Try) -> None:
    trial.service.course = ["RUNNING"]
    trial.patience = Patience(first_look=0.01, longest_look=0.01, task=0.05)
    assert trial.fails(asked()) == "cloud_slow"
    token = trial.tokens[-1]
    next(iter(trial.service.tasks.values())).course = ["RUNNING", "SUCCEEDED"]
    again = Try(trial.service, trial.folder)
    assert len(again.make(asked(), token)) == 151
    assert trial.service.count("submit") == 1


def test_a_broken_promise_and_a_forgotten_task_are_told_not_paid_again(trial: Try) -> None:
    host = trial.service.address.removeprefix("http://")
    assert trial.fails(asked(), f"{host} ?1234") == "cloud_unsure"
    assert trial.fails(asked(), f"{host} no-such-task") == "cloud_forgotten"
    assert trial.fails(asked(), "elsewhere.example a-task") == "cloud_forgotten"
    assert trial.service.count("submit") == 0
    assert trial.tokens[-1] == ""


def test_a_task_that_was_cancelled_unpaid_is_ordered_anew(trial: Try) -> None:
    trial.make(asked())
    (task,) = trial.service.tasks.values()
    task.course, task.looks = ["CANCELED"], 0
    again = Try(trial.service, trial.folder)
    assert len(again.make(asked(), trial.tokens[-1])) == 151
    assert trial.service.count("submit") == 2


def test_stopping_leaves_the_task_and_cancelling_lets_go_of_what_has_not_begun(trial: Try) -> None:
    trial.service.course = ["PENDING"]
    threading.Timer(0.3, trial.stop.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        trial.make(asked())
    assert time.monotonic() - began < 10
    assert trial.service.count("cancel") == 0
    assert trial.made.cancel()
    trial.stop.clear()
    trial.service.course = ["RUNNING"]
    threading.Timer(0.3, trial.stop.set).start()
    with pytest.raises(Cancelled):
        trial.make(asked())
    assert not trial.made.cancel(), "it has begun, and is paid"


def test_a_film_that_does_not_come_whole_is_fetched_again(trial: Try) -> None:
    whole = len(film(624, 624, 5, 30))
    trial.service.fault(
        "download",
        faults.cut(1000),
        faults.short(whole // 2),
        faults.other_type(),
        faults.broken(503),
    )
    assert len(trial.make(asked())) == 151
    assert trial.service.count("download") == 5
    assert trial.service.count("submit") == 1


def test_a_film_that_never_comes_whole_can_be_fetched_later(trial: Try) -> None:
    trial.service.fault("download", *[faults.cut(1000)] * 9)
    assert trial.fails(asked()) == "cloud_download"
    assert trial.tokens[-1].endswith(next(iter(trial.service.tasks))), "kept: it is paid"
    assert list(trial.folder.iterdir()) == []


@pytest.mark.parametrize(
    "place",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/film.mp4",
        "https://films.example/film.mp4",
        "https://aliyuncs.com.example/film.mp4",
        "file:///etc/passwd",
    ],
)
def test_a_film_is_fetched_from_nowhere_else(trial: Try, place: str) -> None:
    trial.service.fault("download", faults.sent_on(place))
    assert trial.fails(asked()) == "cloud_download"
    assert trial.service.count("download") == 1


def test_a_film_too_large_is_not_fetched(trial: Try, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.dashscope_wire.MAX_FILM_BYTES", 1_000_000)
    trial.service.fault("download", faults.endless(50_000_000))
    assert trial.fails(asked()) == "cloud_download"


def test_a_film_of_another_size_or_length_is_told(trial: Try) -> None:
    trial.service.video = film(640, 360, 5, 30)
    assert trial.fails(asked()) == "cloud_wrong_clip"
    trial.service.video = film(624, 624, 2, 30)
    assert trial.fails(asked()) == "cloud_wrong_clip"
    trial.service.video = b"this is no film" * 1000
    assert trial.fails(asked()) == "cloud_download"


def test_an_expired_film_is_told(trial: Try) -> None:
    trial.service.fault("download", faults.refused(403, "AccessDenied"))
    assert trial.fails(asked()) == "cloud_expired"


def test_a_key_in_a_file_is_read_anew_and_a_refused_one_tried_once_more(trial: Try, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("sk-old\n")
    trial.credentials = key_in(path)
    assert trial.fails(asked()) == "cloud_key"
    keys = iter(["sk-old", trial.service.key])
    trial.credentials = lambda: next(keys, trial.service.key)
    assert len(trial.make(asked())) == 151
    path.write_text(f"{trial.service.key}\n")
    trial.credentials = key_in(path)
    assert len(trial.make(asked())) == 151
    path.unlink()
    assert trial.fails(asked()) == "cloud_no_token"
    assert all("sk-" not in str(one) for one in trial.told)
    assert "sk-" not in repr(trial.made.service)


def test_the_key_goes_to_nobody_but_the_service(trial: Try) -> None:
    trial.make(asked())
    carried = ["authorization" in seen for seen in trial.service.seen]
    assert carried[:-1] == [True] * (len(carried) - 1)
    assert not carried[-1], "the film's own address says whose it is"


def test_a_closed_port_is_unreachable_and_nothing_is_promised(tmp_path: Path) -> None:
    told: list[Progress] = []
    patience = Patience(order=0.1, first_pause=0.02, longest_pause=0.02)
    where = Service("http://127.0.0.1:9", fixed_key("sk"), patience=patience)
    video = DashScope(MODELS["wan2.2-t2v-plus"], where, folder=tmp_path)
    with pytest.raises(ModelError) as caught:
        next(iter(video.generate(asked(), told.append, lambda: False)))
    assert caught.value.notice.code == "cloud_unreachable"
    assert told[-1].resume_token == ""
