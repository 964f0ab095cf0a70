"""Where and when a shot plays, and in what weather: from its words and from the shots before."""

from collections.abc import Sequence

from studio.text.clause import Clause
from studio.text.holding import Setting, turn_to
from studio.text.places import Earlier, environment_of, is_within, scene_of
from studio.text.told import Told
from studio.text.when import thoughts_out, time_of, weather_of


def setting_of(
    told: Told, clauses: Sequence[Clause], around: str, past: Sequence[Setting], earlier: Earlier
) -> Setting:
    """Place, time and weather of a shot; what it does not name may hold on from those before (`past`)."""
    text = " ".join(part for part in told.sentences if not part.rstrip("”\"' ").endswith(("?", "？")))
    last = past[-1].environment if past else ()
    scene = scene_of(around)
    environment = environment_of(text, clauses, scene, last, earlier)
    text = thoughts_out(text)
    new = scene[0] if scene and not is_within(scene[0], last) else ""
    turn = turn_to(text, around, environment, new, past)
    time = time_of(text, around, turn, bool(scene))
    outside = earlier.outside if turn.cues["goes_out"] else ()
    weather = weather_of(text, around, time, turn, outside)
    return Setting(tuple(environment), tuple(time), tuple(weather))
