"""Where and when a shot plays, and in what weather: from its words and from the shots before."""

from collections.abc import Sequence

from studio.text.grounds import is_within
from studio.text.holding import Setting, turn_to
from studio.text.places import scene_of
from studio.text.told import Told
from studio.text.when import thoughts_out, time_of, weather_of


def setting_of(
    told: Told, around: str, environment: tuple[str, ...], past: Sequence[Setting], outside: tuple[str, ...]
) -> Setting:
    """Time and weather of a shot in its place; what it does not name may hold on from those before (`past`).

    `outside` is the weather that was left when the story went indoors.
    """
    text = " ".join(part for part in told.sentences if not part.rstrip("”\"' ").endswith(("?", "？")))
    last = past[-1].environment if past else ()
    scene = scene_of(around)
    text = thoughts_out(text)
    new = scene[0] if scene and not is_within(scene[0], last) else ""
    turn = turn_to(text, around, environment, new, past)
    time = time_of(text, around, turn, bool(scene))
    left = outside if turn.cues["goes_out"] else ()
    weather = weather_of(text, around, time, turn, left)
    return Setting(environment, tuple(time), tuple(weather))
