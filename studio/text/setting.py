"""Where and when a shot plays, and in what weather: from its words and from the shot before."""

from collections.abc import Sequence
from dataclasses import dataclass

from studio.text.clause import Clause
from studio.text.places import Earlier, environment_of, is_indoors, is_within, scene_of
from studio.text.told import Told
from studio.text.when import thoughts_out, time_of, weather_of


@dataclass(frozen=True)
class Setting:
    environment: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    weather: tuple[str, ...] = ()


def setting_of(
    told: Told, clauses: Sequence[Clause], around: str, last: Setting, earlier: Earlier
) -> Setting:
    """Place, time and weather of a shot; what it does not name holds on from the one before (`last`)."""
    text = " ".join(part for part in told.sentences if not part.rstrip("”\"' ").endswith(("?", "？")))
    scene = scene_of(around)
    environment = environment_of(text, clauses, scene, last.environment, earlier)
    inside, was_inside = any(map(is_indoors, environment)), any(map(is_indoors, last.environment))
    roofed = inside and not was_inside
    held = earlier.outside if was_inside and not inside and not last.weather else last.weather
    new_scene = bool(scene) and not is_within(scene[0], last.environment)
    text = thoughts_out(text)
    time = time_of(text, around, bool(scene), last.time)
    weather = weather_of(
        text,
        around,
        held,
        time=time,
        ended=roofed or new_scene,
        moved=environment != list(last.environment),
    )
    return Setting(tuple(environment), tuple(time), tuple(weather))
