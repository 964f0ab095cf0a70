"""Every colour of the world: sky, land and figures by time, weather and style. RGB in [0, 1], no torch."""

from __future__ import annotations

from .world import Scene

RGB = tuple[float, float, float]


def mix(a: RGB, b: RGB, share: float) -> RGB:
    """`a` with `share` (0..1) of it replaced by `b`."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def times(a: RGB, b: RGB) -> RGB:
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def light(c: RGB) -> float:
    """Luminance in [0, 1]."""
    return 0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2]


def _hex(text: str) -> RGB:
    return (int(text[0:2], 16) / 255, int(text[2:4], 16) / 255, int(text[4:6], 16) / 255)


def _row(text: str) -> tuple[RGB, ...]:
    return tuple(_hex(word) for word in text.split())


# Top, middle and horizon of the sky.
SKIES: dict[str, tuple[RGB, ...]] = {
    "dawn": _row("8fa3d6 f2b7bd fde6b4"),
    "day": _row("4ba3dc 8fcdea dff2ea"),
    "sunset": _row("5a3b86 dd5f5c fcb050"),
    "night": _row("0a1034 17245a 36498a"),
}
SPACE_SKIES: dict[str, tuple[RGB, ...]] = {
    "dawn": _row("2c2a66 6b4a8f b9719c"),
    "day": _row("2f4a94 5263b4 7f8fd4"),
    "sunset": _row("3a1f5c 7d3468 c8574e"),
    "night": _row("05071a 0c1233 1a2050"),
}
SUN: dict[str, RGB] = {
    "dawn": _hex("fff1c4"),
    "day": _hex("fff3b0"),
    "sunset": _hex("ffdd6e"),
    "night": _hex("f6f0d2"),
}
CLOUD: dict[str, RGB] = {
    "dawn": _hex("fbdcd6"),
    "day": _hex("ffffff"),
    "sunset": _hex("f08a6a"),
    "night": _hex("33427c"),
}

# Per backdrop one row per layer from far to near: body, shade or accent, light (windows), dark detail.
LAND: dict[str, tuple[tuple[RGB, ...], ...]] = {
    "sea": (
        _row("7fb0c4 a9cdd4 fff0b0 5b8ca4"),
        _row("3f93bd 7cc1d8 ffffff 2c7aa8"),
        _row("2579a8 5fb2cf ffffff 1b6290"),
        _row("175f8f 4aa0c4 ffffff 0f4d78"),
    ),
    "mountains": (
        _row("7d93b8 eef4f8 fff0b0 6a7fa6"),
        _row("5d8a86 8bb09a fff0b0 3f6d6c"),
        _row("6fa35c 86b86a ffe08a 2f6b4a"),
    ),
    "desert": (
        _row("d99a62 c27c4c ffe7a0 a8643c"),
        _row("eab566 d1924a ffe7a0 b87838"),
        _row("f4cd83 dfae62 ffe7a0 5f8a4c"),
    ),
    "forest": (
        _row("7fae92 6a9c82 ffe9a0 5a8c74"),
        _row("46855f 397453 ffe9a0 2c6046"),
        _row("5f9b4c 7ab65c ffe9a0 1f5238"),
    ),
    "city": (
        _row("9db3c9 8ba3bc ffe08a 8299b5"),
        _row("6a7fa0 5a6f92 ffdf85 4c5f82"),
        _row("6b6f7d d8d3c4 ffe9b0 50535f"),
    ),
    "grassland": (
        _row("9cc3a0 86b08c fff0b0 7aa884"),
        _row("86be62 6fa84e fff0b0 4c8a46"),
        _row("9bd160 7fbb4a fff2b8 e8607a"),
    ),
    "river": (
        _row("86aab8 dce9e8 fff0b0 6f96a6"),
        _row("7fb274 66995e fff0b0 3f7a50"),
        _row("4fa3c0 90cfdc ffffff 3a8cac"),
        _row("3288aa 76bcd0 ffffff 247494"),
    ),
    "space": (
        _row("d98a6a f0b48a fff0c0 b46a58"),
        _row("8f86b8 7a70a6 fff0c0 665c92"),
        _row("aaa3c8 948cb6 fff0c0 766d9c"),
    ),
    "village": (
        _row("8fb0a8 7a9e98 fff0b0 6a8f88"),
        _row("e9dcc4 8a4a3c ffd978 5c3b38"),
        _row("c9b390 b39b78 ffe9b0 8f7a5e"),
    ),
    "snowfield": (
        _row("a8bfd8 f4f8fb fff0b0 8ca8c8"),
        _row("d3e1ee bdd0e2 fff0b0 4f7f7a"),
        _row("f3f7fa dde8f1 fff0b0 3f6f6c"),
    ),
}

# Per subject: main part, second part, light part, dark part.
FIGURES: dict[str, tuple[RGB, ...]] = {
    "person": _row("d9593d f2c14e f3c9a2 3b3550"),
    "woman with umbrella": _row("e0455a 5b6fb0 f6d0b0 3a2c3f"),
    "child with kite": _row("f0a020 3f8fc8 fbe6c8 46384c"),
    "old man": _row("8a6fa8 b98a52 f6e6d4 4a3b46"),
    "hunter with bow": _row("8a5a34 c98a3e f1c7a0 4a3a34"),
    "dancer": _row("e86a9a f6c350 f8d2b8 4a2f46"),
    "boat": _row("c4512f f2b84b fbf3df 5a3a2c"),
    "sailing ship": _row("8f5530 d9a441 fbf4e2 4f3426"),
    "bird": _row("f2784b f7c04a fbead0 7c3340"),
    "crane": _row("f7f5ef d8423c ffffff 3a3f4f"),
    "horse": _row("a8683a d9a868 fbe8cc 4c2c22"),
    "deer": _row("c98645 8a5a36 fdf0d6 5c3a28"),
    "cat": _row("f0a050 c46a2c fdf6d8 3b2b2b"),
    "fish": _row("f0703c f8b84a fdeecb 3b2b3c"),
    "whale": _row("3f62a8 d6ecf6 eef5fa 2a447c"),
    "sea monster": _row("2f8f7a f0b03c f4f0c8 1d4b4c"),
    "scorpion": _row("8c2f3c f0a030 fdf0c0 4a1a2a"),
    "dragon": _row("d8402f f2b53a fdf0c4 6a1f2a"),
    "rocket": _row("f4f4f2 e2483c ffe9a0 4a5a86"),
    "car": _row("e2503f f6d05a dff1fa 34364a"),
    "train": _row("c8433a 3f7f9c fbf4e2 34303c"),
    "bicycle": _row("e0563f 3f87b8 f4cba6 34303c"),
    "balloon": _row("e8563f f8c84e fdf0d8 7a4a30"),
    "lantern": _row("e0402f f2b43c ffe98a 6a2a2a"),
    "flower": _row("e85a86 5fae5a ffe07a 3f8a4c"),
    "product bottle": _row("3fa89a e8c36a fdf8ea 34405a"),
    "constellation": _row("fff0b0 b8c8f0 ffffff 8fa0d8"),
}
COLOUR_WORDS: dict[str, RGB] = {
    "red": _hex("e2322f"),
    "blue": _hex("2f6fe0"),
    "yellow": _hex("fbd22e"),
    "green": _hex("35a948"),
    "white": _hex("fafaf7"),
    "black": _hex("1d1c26"),
    "pink": _hex("f78fc0"),
}

_FURRED = ("bird", "cat", "fish", "dragon", "horse", "deer", "whale", "scorpion", "sea monster")

# How light each time is, for greys that have no colour of their own.
_LEVEL = {"dawn": 0.86, "day": 1.0, "sunset": 0.66, "night": 0.30}


def _timed(c: RGB, time: str) -> RGB:
    """A daylight colour at another time of day."""
    if time == "dawn":
        return mix(times(c, (1.0, 0.86, 0.88)), (0.98, 0.80, 0.76), 0.22)
    if time == "sunset":
        return mix(times(c, (0.86, 0.50, 0.52)), (0.45, 0.17, 0.37), 0.34)
    if time == "night":
        return mix(times(c, (0.30, 0.39, 0.64)), (0.09, 0.13, 0.31), 0.30)
    return c


def _weathered(c: RGB, scene: Scene, depth: float) -> RGB:
    """Weather takes colour out of the land; `depth` is 0 for near and 1 for far."""
    level = _LEVEL[scene.time]
    grey = (light(c),) * 3
    if scene.weather == "rain":
        return mix(
            times(mix(c, grey, 0.45), (0.80, 0.84, 0.90)),
            times((0.60, 0.66, 0.74), (level,) * 3),
            0.3 * depth,
        )
    if scene.weather == "storm":
        return mix(
            times(mix(c, grey, 0.4), (0.52, 0.53, 0.63)), times((0.20, 0.20, 0.30), (level,) * 3), 0.4 * depth
        )
    if scene.weather == "snow":
        return mix(c, times((0.93, 0.95, 0.99), (0.12 + 0.88 * level,) * 3), 0.5 + 0.15 * depth)
    if scene.weather == "fog":
        return mix(c, fog(scene), 0.35 + 0.4 * depth)
    return c


def fog(scene: Scene) -> RGB:
    """The colour of mist at this time of day."""
    return mix(times((0.88, 0.90, 0.91), (0.12 + 0.88 * _LEVEL[scene.time],) * 3), SKIES[scene.time][2], 0.25)


def _ramp(c: RGB, *stops: RGB) -> RGB:
    """The colour's luminance looked up on a ramp of evenly spaced colours."""
    at = min(max(light(c), 0.0), 0.9999) * (len(stops) - 1)
    k = int(at)
    return mix(stops[k], stops[k + 1], at - k)


_INK = _row("17171d 5c5b60 b3aea5 f5efe1")
_NEON = _row("080418 240a4e 4a1a86 7a3fc0")
_MYTHIC = _row("050a24 10215c 24468f 5a7fc0")


def styled(c: RGB, style: str) -> RGB:
    """The colour in another style; luminance keeps its order, so night stays darker than day."""
    if style == "ink":
        return mix(_ramp(c, *_INK), c, 0.08)
    if style == "mono":
        v = light(c)
        v = 0.06 + 0.94 * (v + 0.35 * (v * v * (3 - 2 * v) - v))
        return (v, v, v)
    if style == "neon":
        return mix(_ramp(c, *_NEON), c, 0.12)
    if style == "mythic":
        return mix(_ramp(c, *_MYTHIC), c, 0.06)
    if style == "watercolour":
        return mix(c, (0.99, 0.97, 0.93), 0.34)
    return c


def sky(scene: Scene) -> tuple[RGB, ...]:
    """Top, middle and horizon of this scene's sky."""
    stops = (SPACE_SKIES if scene.backdrop == "space" else SKIES)[scene.time]
    level = (_LEVEL[scene.time],) * 3
    overcast = {
        "rain": (((0.50, 0.56, 0.64), (0.62, 0.68, 0.74), (0.74, 0.78, 0.81)), 0.45),
        "storm": (((0.12, 0.12, 0.20), (0.22, 0.21, 0.32), (0.38, 0.36, 0.48)), 0.58),
        "snow": (((0.70, 0.76, 0.85), (0.82, 0.86, 0.91), (0.92, 0.94, 0.96)), 0.42),
    }.get(scene.weather)
    if overcast:
        stops = tuple(
            mix(c, times(grey, level), overcast[1]) for c, grey in zip(stops, overcast[0], strict=False)
        )
    if scene.weather == "fog":
        stops = tuple(mix(c, fog(scene), share) for c, share in zip(stops, (0.45, 0.7, 0.85), strict=False))
    if scene.backdrop == "desert" and scene.time == "day":
        stops = (*stops[:2], mix(stops[2], (0.99, 0.90, 0.72), 0.6))
    if scene.weather == "snow":
        # White flakes need a darker sky where the style is pale.
        deeper = {"ink": 0.62, "watercolour": 0.78, "mono": 0.82}.get(scene.style, 0.94)
        stops = tuple(times(c, (deeper,) * 3) for c in stops)
    elif scene.style == "ink":
        # The sky is the paper itself, more so the lighter the hour.
        stops = tuple(mix(c, (1.0, 1.0, 1.0), 0.55 * level[0]) for c in stops)
    return tuple(styled(c, scene.style) for c in stops)


def sun(scene: Scene) -> RGB:
    """Sun or moon, gold in mythic scenes and red in ink, as on a seal."""
    special = {"ink": (0.80, 0.22, 0.16), "mythic": (0.97, 0.80, 0.38), "neon": (1.0, 0.36, 0.72)}
    c = SUN[scene.time]
    if scene.style in special and not (scene.style == "ink" and scene.time == "night"):
        return mix(special[scene.style], c, 0.1)
    return styled(c, scene.style) if scene.style != "mono" else (0.97, 0.97, 0.97)


def star(scene: Scene) -> RGB:
    gold = {"mythic": (0.98, 0.84, 0.48), "neon": (0.55, 0.95, 1.0)}
    return gold.get(scene.style, (0.97, 0.96, 0.88))


def rain(scene: Scene) -> RGB:
    """Streaks of rain: pale, but drawn with the brush in ink, and glowing in neon."""
    special = {
        "ink": (0.27, 0.27, 0.31),
        "neon": (0.45, 0.80, 0.98),
        "mythic": (0.86, 0.80, 0.62),
        "mono": (0.9, 0.9, 0.9),
    }
    c = special.get(scene.style, (0.80, 0.87, 0.95))
    if scene.style == "ink":
        return mix(c, (0.75, 0.75, 0.75), {"night": 1.0, "sunset": 0.2}.get(scene.time, 0.0))
    return times(c, ({"night": 0.66, "sunset": 0.88}.get(scene.time, 1.0),) * 3)


def cloud(scene: Scene) -> RGB:
    """Clouds of a clear sky, or the overcast that hangs at the top of a bad one."""
    top, middle, _ = sky(scene)
    if scene.weather in ("rain", "storm", "snow"):
        return mix(times(top, (0.82,) * 3), middle, 0.15)
    return mix(styled(CLOUD[scene.time], scene.style), middle, 0.15)


def land(scene: Scene) -> list[tuple[RGB, ...]]:
    """Per layer from far to near: body, accent, light, dark, edge line."""
    rows = LAND[scene.backdrop]
    horizon = (SPACE_SKIES if scene.backdrop == "space" else SKIES)[scene.time][2]
    out = []
    for k, row in enumerate(rows):
        depth = 1 - k / (len(rows) - 1)
        body = []
        for role, c in enumerate(row):
            lamp = role == 2 and scene.backdrop in ("city", "village", "mountains", "grassland", "forest")
            if lamp and scene.time not in ("night", "sunset") and scene.backdrop in ("city", "village"):
                c = mix(c, (0.42, 0.53, 0.66), 0.62)  # by day no light burns
            if lamp and scene.time in ("night", "sunset"):
                c = mix(c, (1.0, 0.72, 0.3), 0.15)  # lit windows stay bright whatever the hour
                c = styled(c, "mono") if scene.style == "mono" else c
            else:
                c = mix(_timed(c, scene.time), horizon, 0.32 * depth)
                c = _weathered(c, scene, depth)
                c = styled(c, scene.style)
            body.append(c)
        out.append((*body, edge(scene, body[0])))
    return out


def edge(scene: Scene, body: RGB) -> RGB:
    """The line along the top of a layer: a lit paper edge, a glow, or gold."""
    if scene.style == "neon":
        return mix((0.1, 0.85, 0.95), body, 0.1 if scene.time == "night" else 0.0)
    if scene.style == "mythic":
        return mix((0.93, 0.74, 0.34), body, 0.15)
    if scene.style == "ink":
        return mix(body, (0.10, 0.10, 0.12), 0.6)
    if scene.style == "watercolour":
        return mix(body, times(body, (0.72, 0.74, 0.8)), 0.8)
    return mix(body, (1.0, 0.98, 0.92), 0.25 if scene.time != "night" else 0.2)


def figure(scene: Scene) -> tuple[tuple[RGB, ...], RGB, RGB]:
    """The figure's four role colours, its outline and its shadow."""
    row = list(FIGURES[scene.subject])
    gilded = scene.style == "mythic"
    if gilded:
        row = [mix(c, t, 0.72) for c, t in zip(row, _row("f0c04e c98a34 fff2c4 5a3a1c"), strict=False)]
    glowing = scene.subject in ("constellation", "lantern")
    if scene.colour != "default" and scene.subject in _FURRED:
        # Stripes, wings and manes take after the coat, or a green cat would have orange stripes.
        coat = COLOUR_WORDS[scene.colour]
        row[1] = mix(row[1], times(coat, (0.62,) * 3), 0.75)
        row[3] = mix(row[3], times(coat, (0.30,) * 3), 0.75)
    out = []
    for role, c in enumerate(row):
        named = role == 0 and scene.colour != "default"
        if named:
            c = COLOUR_WORDS[scene.colour]
        if scene.time == "night" and not glowing:
            c = mix(times(c, (0.86, 0.87, 0.97)), (0.16, 0.20, 0.42), 0.10)
        elif scene.time == "sunset" and not glowing:
            c = mix(times(c, (1.0, 0.86, 0.82)), (0.5, 0.2, 0.3), 0.08)
        if scene.weather in ("fog", "storm") and not glowing:
            c = mix(c, fog(scene) if scene.weather == "fog" else (0.2, 0.2, 0.3), 0.2)
        # A colour that was asked for stays in every style: one red thing in a grey picture.
        if named:
            c = mix(c, styled(c, scene.style), 0.25)
        elif scene.style == "neon":
            c = mix(c, (0.98, 0.22, 0.66), 0.45) if role == 0 else mix(styled(c, "neon"), c, 0.5)
        elif not gilded:
            c = styled(c, scene.style)
        out.append(c)
    return tuple(out), _outline(scene, out[0]), _shade(scene)


def _outline(scene: Scene, main: RGB) -> RGB:
    if scene.style == "neon":
        return (0.25, 0.98, 1.0)
    if scene.style in ("ink", "watercolour"):
        return mix((0.12, 0.12, 0.16), main, 0.25 if scene.style == "ink" else 0.4)
    if scene.style == "mythic":
        return (0.06, 0.07, 0.20) if light(main) > 0.45 else (0.99, 0.88, 0.55)
    # Cream paper round a coloured figure, dark round a white one.
    cream = {"night": (0.86, 0.88, 0.97), "sunset": (1.0, 0.93, 0.84)}.get(scene.time, (1.0, 0.985, 0.94))
    return (0.20, 0.20, 0.32) if light(main) > 0.78 else cream


def _shade(scene: Scene) -> RGB:
    return (0.95, 0.15, 0.75) if scene.style == "neon" else (0.04, 0.04, 0.12)
