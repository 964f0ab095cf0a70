"""The closed world that the `sketch` model draws: every attribute, its values and what is natural for whom.

No torch here: the page shows these tables, and captions and pictures are both made from them.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

COLOURS: tuple[str, ...] = ("default", "red", "blue", "yellow", "green", "white", "black", "pink")
BACKDROPS: tuple[str, ...] = (
    "sea",
    "mountains",
    "desert",
    "forest",
    "city",
    "grassland",
    "river",
    "space",
    "village",
    "snowfield",
)
TIMES: tuple[str, ...] = ("dawn", "day", "sunset", "night")
WEATHERS: tuple[str, ...] = ("clear", "rain", "snow", "storm", "fog")
ACTIONS: tuple[str, ...] = ("left", "right", "up", "down", "stand", "grow", "fade_in")
STYLES: tuple[str, ...] = ("paper-cut", "ink", "neon", "mono", "mythic", "watercolour")
CAMERAS: tuple[str, ...] = ("still", "pan_left", "pan_right", "zoom_in", "zoom_out")


@dataclass(frozen=True)
class Nature:
    """What a subject does when the words do not say: where it is and how it moves.

    `home` is the line it keeps to: "ground" (its feet), "water" (its water line, where there is water)
    or "sky" (its middle). `verb` names the family of verbs that fits it, `size` makes flat figures bigger.
    """

    backdrop: str
    action: str
    home: str
    verb: str
    size: float = 1.0


NATURES: dict[str, Nature] = {
    "person": Nature("grassland", "right", "ground", "walk", 1.05),
    "woman with umbrella": Nature("village", "stand", "ground", "walk", 1.05),
    "child with kite": Nature("grassland", "right", "ground", "run", 1.1),
    "old man": Nature("village", "right", "ground", "walk", 1.05),
    "hunter with bow": Nature("forest", "stand", "ground", "walk", 1.05),
    "dancer": Nature("village", "stand", "ground", "dance"),
    "boat": Nature("sea", "right", "water", "sail", 1.12),
    "sailing ship": Nature("sea", "right", "water", "sail", 1.12),
    "bird": Nature("mountains", "right", "sky", "fly", 1.25),
    "crane": Nature("river", "right", "sky", "fly", 1.3),
    "horse": Nature("grassland", "right", "ground", "run", 1.12),
    "deer": Nature("forest", "right", "ground", "run", 1.05),
    "cat": Nature("grassland", "stand", "ground", "walk", 1.15),
    "fish": Nature("river", "right", "water", "swim", 1.2),
    "whale": Nature("sea", "right", "water", "swim", 1.2),
    "sea monster": Nature("sea", "up", "water", "swim", 1.15),
    "scorpion": Nature("desert", "right", "ground", "walk", 1.2),
    "dragon": Nature("mountains", "right", "sky", "fly", 1.4),
    "rocket": Nature("space", "up", "sky", "fly"),
    "car": Nature("city", "right", "ground", "drive", 1.15),
    "train": Nature("mountains", "right", "ground", "drive", 1.15),
    "bicycle": Nature("village", "right", "ground", "ride", 1.08),
    "balloon": Nature("grassland", "up", "sky", "float"),
    "lantern": Nature("village", "up", "sky", "float"),
    "flower": Nature("grassland", "grow", "ground", "bloom"),
    "product bottle": Nature("desert", "stand", "ground", "stay"),
    "constellation": Nature("space", "fade_in", "sky", "float", 1.3),
    "none": Nature("mountains", "stand", "ground", "stay"),
}
SUBJECTS: tuple[str, ...] = tuple(NATURES)

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "subject": SUBJECTS,
    "colour": COLOURS,
    "backdrop": BACKDROPS,
    "time": TIMES,
    "weather": WEATHERS,
    "action": ACTIONS,
    "style": STYLES,
    "camera": CAMERAS,
}

DEFAULTS: dict[str, dict[str, str]] = {
    subject: {
        "colour": "default",
        "backdrop": nature.backdrop,
        "time": "day",
        "weather": "clear",
        "action": nature.action,
        "style": "paper-cut",
        "camera": "still",
    }
    for subject, nature in NATURES.items()
}
"""DEFAULTS[subject][attribute]: the value that holds when a caption does not say otherwise."""


@dataclass(frozen=True)
class Scene:
    """One clip in words; the same scene always gives the same pixels.

    Nothing is left to chance: a backdrop has one shape, and where a figure stands follows from the words.
    What the words do not say, a small model draws as the average of all that it may be: as haze.
    """

    subject: str
    colour: str
    backdrop: str
    time: str
    weather: str
    action: str
    style: str
    camera: str


def is_held_out(scene: Scene) -> bool:
    """Whether the scene's (subject, backdrop, time) is kept out of training, about 1 combination in 8.

    A subject in its natural place by day is always trained on: that is what a two-word prompt asks for.
    """
    default = DEFAULTS[scene.subject]
    if (scene.backdrop, scene.time) == (default["backdrop"], default["time"]):
        return False
    text = f"{scene.subject}|{scene.backdrop}|{scene.time}"
    return hashlib.blake2b(text.encode(), digest_size=4).digest()[0] % 8 == 0


def sample_scene(rng: random.Random, *, held_out: bool | None = None) -> Scene:
    """Draw a scene; `held_out` True or False keeps to that side of the split, None takes both.

    Defaults are drawn more often than the rest, as in what people write.
    """
    while True:
        scene = _draw(rng)
        if held_out is None or is_held_out(scene) == held_out:
            return scene


def _draw(rng: random.Random) -> Scene:
    def pick(name: str, default: str, share: float) -> str:
        return default if rng.random() < share else rng.choice(ATTRIBUTES[name])

    # A landscape without a subject is drawn a little more often than any one subject: it is the easy part.
    subject = "none" if rng.random() < 0.05 else rng.choice(SUBJECTS)
    default = DEFAULTS[subject]
    lone = subject == "none"
    backdrop = rng.choice(BACKDROPS) if lone else pick("backdrop", default["backdrop"], 0.3)
    # There is no weather in space, so that no word there is without effect.
    weather = "clear" if backdrop == "space" else pick("weather", "clear", 0.45)
    return Scene(
        subject=subject,
        colour="default" if lone else pick("colour", "default", 0.4),
        backdrop=backdrop,
        time=pick("time", "day", 0.15),
        weather=weather,
        action="stand" if lone else pick("action", default["action"], 0.2),
        style=pick("style", "paper-cut", 0.35),
        camera=pick("camera", "still", 0.6),
    )
