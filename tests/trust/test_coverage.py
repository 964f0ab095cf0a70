"""The page says what is checked by a machine and what is not."""

from studio.settings import Settings
from studio.trust import nudity
from studio.trust.coverage import Coverage, coverage
from studio.trust.texts import CATEGORIES
from studio.words import LANGUAGES, say


def _coverage(**environment: str) -> Coverage:
    return coverage(Settings.from_env(environment))


def _sentences(found: Coverage) -> dict[str, str]:
    for language in LANGUAGES:
        for notice in found.notices:
            sentence = say(notice, language)
            assert sentence != say("generic", language)
            assert "{" not in sentence
    return {notice.code: say(notice, "en") for notice in found.notices}


def test_alone_the_studio_looks_for_nudity_and_says_that_violence_is_not_looked_for() -> None:
    found = _coverage()
    assert found.checked == {"sexual": ("opennsfw",)}
    assert set(found.unchecked) == set(CATEGORIES) - {"sexual"}
    told = _sentences(found)
    assert "nudity" in told["pictures_checked"]
    assert "violence, gore" in told["pictures_unchecked"]
    assert "nudity" not in told["pictures_unchecked"]
    assert "24" in told["pictures_sampled"]
    assert "texts_checked" not in told
    assert "暴力" in say(next(n for n in found.notices if n.code == "pictures_unchecked"), "zh")


def test_with_a_vision_model_nothing_is_left_out() -> None:
    found = _coverage(
        VISION_BASE_URL="https://models.example/v1", VISION_API_KEY="hush", VISION_MODEL="qwen-vl"
    )
    assert found.unchecked == ()
    assert found.checked["violence"] == ("vision",)
    assert found.checked["sexual"] == ("opennsfw", "vision")
    told = _sentences(found)
    assert "qwen-vl (models.example)" in told["pictures_checked"]
    assert "hush" not in str(told) + repr(found)


def test_a_moderation_service_is_named() -> None:
    told = _sentences(_coverage(MODERATION_BASE_URL="https://mod.example/v1", MODERATION_API_KEY="hush"))
    assert "mod.example" in told["texts_checked"]
    assert "hush" not in str(told)


def test_a_checker_that_is_not_installed_checks_nothing() -> None:
    found = _coverage(PICTURE_CHECKERS="nudenet")
    told = _sentences(found)
    assert ("checker_missing" in told) == (not nudity.installed("nudenet"))
    assert found.checked["sexual"][0] == "opennsfw"


def test_asking_loads_no_model() -> None:
    nudity.release()
    _coverage(PICTURE_CHECKERS="nudenet", VISION_BASE_URL="http://127.0.0.1:1/v1")
    assert not nudity.loaded()
