"""The vehicles and things of the world as paper figures, facing right.

Ground things stand at y = 0.86, vessels have their water line at y = 0.4, fliers are centred.
"""

from __future__ import annotations

import math

from .silhouettes import DARK, LIGHT, MAIN, SECOND, Pen, wave


def boat(pen: Pen, p: float) -> None:
    flutter = 0.05 * wave(p)
    pen.line(DARK, 0.06, (-0.05, 0.2), (-0.05, -0.9))
    pen.blob(LIGHT, (0.02, -0.82), (0.3 + flutter, -0.4), (0.66 + flutter, 0.08), (0.3, 0.1), (0.02, 0.1))
    pen.poly(SECOND, (-0.12, -0.66), (-0.12, 0.1), (-0.58, 0.1))
    pen.poly(SECOND, (-0.05, -0.92), (-0.05, -0.76), (-0.3, -0.84 + flutter))
    pen.blob(
        MAIN,
        (-0.86, 0.14),
        (-0.4, 0.2),
        (0.4, 0.2),
        (0.92, 0.1),
        (0.7, 0.42),
        (0.4, 0.56),
        (-0.4, 0.56),
        (-0.68, 0.42),
    )
    pen.line(LIGHT, 0.05, (-0.7, 0.31), (0.74, 0.29))


def sailing_ship(pen: Pen, p: float) -> None:
    s = 0.03 * wave(p)
    for x, top in ((-0.5, -0.7), (0.02, -0.94), (0.5, -0.7)):
        pen.line(DARK, 0.05, (x, 0.2), (x, top))
        rows = (
            ((top + 0.06, 0.2), (top + 0.36, 0.25), (top + 0.68, 0.27))
            if top < -0.8
            else ((top + 0.06, 0.17), (top + 0.38, 0.21))
        )
        for y, half in rows:
            pen.blob(
                LIGHT,
                (x - half * 0.8, y),
                (x + half * 0.8, y),
                (x + half + 0.05 + s, y + 0.14),
                (x + half * 0.9, y + 0.27),
                (x, y + 0.23),
                (x - half * 0.9, y + 0.27),
                (x - half + 0.05 + s, y + 0.14),
            )
    pen.line(DARK, 0.04, (0.7, 0.14), (0.98, -0.12))
    pen.poly(LIGHT, (0.96, -0.1), (0.66, 0.08), (0.6, -0.24))
    pen.poly(SECOND, (0.02, -0.98), (-0.24, -0.92 + s), (0.02, -0.86))
    pen.poly(
        MAIN,
        (-0.92, -0.08),
        (-0.6, -0.04),
        (-0.56, 0.14),
        (0.5, 0.14),
        (0.6, 0.04),
        (0.92, 0.06),
        (0.7, 0.56),
        (-0.74, 0.56),
    )
    pen.line(SECOND, 0.06, (-0.8, 0.24), (0.78, 0.24))
    for x in (-0.56, -0.28, 0, 0.28, 0.54):
        pen.dot(LIGHT, x, 0.35, 0.05)


def rocket(pen: Pen, p: float) -> None:
    flame = 0.1 * wave(p)
    pen.blob(SECOND, (-0.15, 0.5), (0.15, 0.5), (0.1, 0.76), (0.0, 0.96 + 0.04 * wave(p)), (-0.1, 0.76))
    pen.blob(LIGHT, (-0.08, 0.5), (0.08, 0.5), (0.0, 0.76 + flame))
    pen.poly(DARK, (-0.2, 0.16), (-0.46, 0.5), (-0.44, 0.66), (-0.16, 0.5))
    pen.poly(DARK, (0.2, 0.16), (0.46, 0.5), (0.44, 0.66), (0.16, 0.5))
    pen.blob(
        MAIN,
        (0, -0.96),
        (0.18, -0.68),
        (0.26, -0.2),
        (0.2, 0.5),
        (0, 0.54),
        (-0.2, 0.5),
        (-0.26, -0.2),
        (-0.18, -0.68),
    )
    pen.blob(SECOND, (0, -0.98), (0.12, -0.8), (0.19, -0.58), (0, -0.54), (-0.19, -0.58), (-0.12, -0.8))
    pen.dot(DARK, 0, -0.24, 0.15)
    pen.dot(LIGHT, 0, -0.24, 0.11)
    pen.line(SECOND, 0.07, (-0.2, 0.36), (0.2, 0.36))


def _wheel(pen: Pen, x: float, y: float, r: float, p: float) -> None:
    pen.dot(DARK, x, y, r)
    pen.dot(LIGHT, x, y, r * 0.55)
    a = -math.pi / 2 * p
    pen.line(
        DARK,
        r * 0.25,
        (x - r * 0.5 * math.cos(a), y - r * 0.5 * math.sin(a)),
        (x + r * 0.5 * math.cos(a), y + r * 0.5 * math.sin(a)),
    )


def car(pen: Pen, p: float) -> None:
    bob = 0.015 * wave(p)
    pen.blob(
        MAIN,
        (-0.9, 0.32 + bob),
        (-0.82, 0.14 + bob),
        (-0.52, 0.06 + bob),
        (-0.34, -0.28 + bob),
        (0.2, -0.3 + bob),
        (0.48, 0.06 + bob),
        (0.86, 0.18 + bob),
        (0.94, 0.46 + bob),
        (0.8, 0.62 + bob),
        (-0.84, 0.62 + bob),
    )
    pen.poly(LIGHT, (-0.4, 0.06 + bob), (-0.28, -0.2 + bob), (-0.06, -0.21 + bob), (-0.06, 0.06 + bob))
    pen.poly(LIGHT, (0.02, 0.06 + bob), (0.02, -0.21 + bob), (0.18, -0.2 + bob), (0.36, 0.06 + bob))
    pen.line(SECOND, 0.06, (-0.86, 0.42 + bob), (0.9, 0.42 + bob))
    pen.dot(LIGHT, 0.86, 0.3 + bob, 0.07)
    for x in (-0.5, 0.5):
        _wheel(pen, x, 0.62, 0.24, p)


def train(pen: Pen, p: float) -> None:
    # A steam engine with one wagon; the steam says which way it goes.
    puff = 0.05 * wave(p)
    for x, y, r in (
        (0.46, -0.6 - puff, 0.14),
        (0.24, -0.74 + puff, 0.17),
        (-0.06, -0.8 - puff, 0.15),
        (-0.34, -0.82 + puff, 0.11),
    ):
        pen.dot(LIGHT, x, y, r)
    pen.poly(SECOND, (-0.98, -0.1), (-0.3, -0.1), (-0.3, 0.62), (-0.98, 0.62))
    pen.poly(DARK, (-1.0, -0.18), (-0.26, -0.18), (-0.28, -0.06), (-0.98, -0.06))
    for x in (-0.88, -0.58):
        pen.poly(LIGHT, (x, 0.06), (x + 0.2, 0.06), (x + 0.2, 0.3), (x, 0.3))
    pen.line(DARK, 0.07, (-0.3, 0.56), (-0.16, 0.56))
    pen.poly(MAIN, (-0.18, -0.34), (0.16, -0.34), (0.16, 0.62), (-0.18, 0.62))
    pen.poly(DARK, (-0.24, -0.42), (0.22, -0.42), (0.2, -0.3), (-0.22, -0.3))
    pen.poly(LIGHT, (-0.09, -0.2), (0.08, -0.2), (0.08, 0.08), (-0.09, 0.08))
    pen.blob(MAIN, (0.1, 0.0), (0.4, 0.0), (0.74, 0.02), (0.8, 0.28), (0.74, 0.54), (0.1, 0.58))
    pen.poly(DARK, (0.44, 0.04), (0.38, -0.36), (0.66, -0.36), (0.6, 0.04))
    pen.poly(SECOND, (0.7, 0.5), (0.98, 0.78), (0.6, 0.78))
    pen.dot(LIGHT, 0.78, 0.2, 0.08)
    for x, r in ((-0.84, 0.14), (-0.46, 0.14), (0.0, 0.2), (0.36, 0.17), (0.66, 0.14)):
        _wheel(pen, x, 0.84 - r, r, p)


def bicycle(pen: Pen, p: float) -> None:
    for x in (-0.5, 0.52):
        pen.dot(DARK, x, 0.5, 0.36)
        pen.dot(0, x, 0.5, 0.26)
        for k in range(3):
            a = math.pi * (k / 3 - p / 3)
            pen.line(
                DARK,
                0.035,
                (x - 0.28 * math.cos(a), 0.5 + 0.28 * math.sin(a)),
                (x + 0.28 * math.cos(a), 0.5 - 0.28 * math.sin(a)),
            )
    a = 2 * math.pi * p
    foot = (-0.02 - 0.13 * math.sin(a) * -1, 0.5 + 0.13 * math.cos(a))
    pen.line(MAIN, 0.08, (-0.5, 0.5), (-0.2, 0.06), (0.34, 0.04), (0.0, 0.5), (-0.5, 0.5))
    pen.line(MAIN, 0.08, (0.0, 0.5), (-0.22, 0.0))
    pen.line(MAIN, 0.08, (0.52, 0.5), (0.32, -0.14), (0.46, -0.18))
    pen.line(DARK, 0.15, (-0.22, -0.1), (0.1, 0.12), foot)
    pen.blob(
        SECOND, (-0.34, -0.04), (-0.28, -0.34), (-0.04, -0.58), (0.1, -0.46), (0.0, -0.2), (-0.14, -0.02)
    )
    pen.line(SECOND, 0.12, (0.0, -0.44), (0.16, -0.22), (0.42, -0.2))
    pen.dot(LIGHT, 0.12, -0.72, 0.17)
    pen.blob(DARK, (0.3, -0.78), (0.12, -0.94), (-0.08, -0.78), (0.02, -0.66), (0.1, -0.78))


def balloon(pen: Pen, p: float) -> None:
    s = 0.02 * wave(p)
    for x in (-0.14, 0.14):
        pen.line(DARK, 0.035, (x * 1.9, 0.3), (x + s, 0.7))
    pen.blob(
        MAIN,
        (0, -0.96),
        (0.42, -0.84),
        (0.64, -0.44),
        (0.54, -0.02),
        (0.24, 0.38),
        (0, 0.42),
        (-0.24, 0.38),
        (-0.54, -0.02),
        (-0.64, -0.44),
        (-0.42, -0.84),
    )
    pen.blob(
        SECOND,
        (0, -0.96),
        (0.16, -0.8),
        (0.24, -0.4),
        (0.2, 0),
        (0.1, 0.4),
        (-0.1, 0.4),
        (-0.2, 0),
        (-0.24, -0.4),
        (-0.16, -0.8),
    )
    pen.blob(LIGHT, (-0.42, -0.66), (-0.32, -0.62), (-0.4, -0.3), (-0.5, -0.2), (-0.5, -0.46))
    pen.poly(DARK, (-0.18 + s, 0.66), (0.18 + s, 0.66), (0.14 + s, 0.94), (-0.14 + s, 0.94))
    pen.line(LIGHT, 0.05, (-0.16 + s, 0.75), (0.16 + s, 0.75))


def lantern(pen: Pen, p: float) -> None:
    s = 0.05 * wave(p)
    pen.line(DARK, 0.04, (0, -0.94), (0, -0.6))
    pen.poly(SECOND, (-0.24, -0.68), (0.24, -0.68), (0.28, -0.54), (-0.28, -0.54))
    pen.blob(
        MAIN,
        (-0.3, -0.54),
        (0.3, -0.54),
        (0.6, -0.2),
        (0.6, 0.06),
        (0.3, 0.38),
        (-0.3, 0.38),
        (-0.6, 0.06),
        (-0.6, -0.2),
    )
    g = 0.02 * wave(p, 0.1)
    pen.blob(
        LIGHT, (0, -0.42 - g), (0.2, -0.2), (0.22 + g, 0.04), (0, 0.28 + g), (-0.22 - g, 0.04), (-0.2, -0.2)
    )
    pen.poly(SECOND, (-0.28, 0.36), (0.28, 0.36), (0.24, 0.5), (-0.24, 0.5))
    pen.curve(SECOND, (0.1, 0.08), (0, 0.48), (s * 0.4, 0.7), (s, 0.96))
    for x in (-0.14, 0.14):
        pen.curve(SECOND, (0.05, 0.04), (x, 0.48), (x + s * 0.4, 0.66), (x + s, 0.84))


def flower(pen: Pen, p: float) -> None:
    s = 0.04 * wave(p)
    pen.curve(DARK, (0.1, 0.09), (0, 0.88), (0.03, 0.4), (s, -0.3))
    pen.blob(SECOND, (0.0, 0.7), (0.2, 0.4), (0.56, 0.26 + s), (0.46, 0.54), (0.2, 0.72))
    pen.blob(SECOND, (0.0, 0.78), (-0.22, 0.5), (-0.58, 0.4 - s), (-0.44, 0.66), (-0.2, 0.8))
    for k in range(6):
        a = math.pi / 3 * k + 0.3 + s
        pen.dot(MAIN, s + 0.34 * math.cos(a), -0.42 + 0.34 * math.sin(a), 0.235)
    pen.dot(LIGHT, s, -0.42, 0.2)
    pen.dot(DARK, s, -0.42, 0.08)


def product_bottle(pen: Pen, p: float) -> None:
    pen.poly(SECOND, (-0.74, 0.7), (0.74, 0.7), (0.82, 0.86), (-0.82, 0.86))
    pen.poly(DARK, (-0.18, -0.94), (0.18, -0.94), (0.18, -0.6), (-0.18, -0.6))
    pen.poly(SECOND, (-0.13, -0.62), (0.13, -0.62), (0.13, -0.46), (-0.13, -0.46))
    pen.blob(
        MAIN,
        (-0.12, -0.5),
        (0.12, -0.5),
        (0.38, -0.32),
        (0.42, 0.1),
        (0.42, 0.62),
        (0.3, 0.71),
        (-0.3, 0.71),
        (-0.42, 0.62),
        (-0.42, 0.1),
        (-0.38, -0.32),
    )
    pen.poly(LIGHT, (-0.28, -0.02), (0.28, -0.02), (0.28, 0.42), (-0.28, 0.42))
    pen.dot(MAIN, 0, 0.14, 0.1)
    pen.line(MAIN, 0.05, (-0.16, 0.32), (0.16, 0.32))
    # A highlight travels over the glass: the only thing that moves on a still life.
    x = -0.3 + 0.16 * p
    pen.line(LIGHT, 0.06, (x, -0.28), (x, -0.1))


def _star(pen: Pen, role: int, x: float, y: float, r: float) -> None:
    pen.poly(
        role,
        *[
            (
                x + (r if k % 2 == 0 else r * 0.42) * math.sin(math.pi * k / 5),
                y - (r if k % 2 == 0 else r * 0.42) * math.cos(math.pi * k / 5),
            )
            for k in range(10)
        ],
    )


def constellation(pen: Pen, p: float) -> None:
    # The Plough: seven stars that everyone knows, joined by lines.
    stars = (
        (-0.86, -0.34),
        (-0.5, -0.42),
        (-0.2, -0.16),
        (0.14, 0.02),
        (0.2, 0.46),
        (0.74, 0.5),
        (0.86, 0.02),
    )
    pen.line(SECOND, 0.05, *stars, stars[3])
    for k, (x, y) in enumerate(stars):
        _star(pen, MAIN, x, y, 0.15 + 0.035 * wave(p, k * 0.3))
        pen.dot(LIGHT, x, y, 0.045)


FIGURES = {
    "boat": boat,
    "sailing ship": sailing_ship,
    "rocket": rocket,
    "car": car,
    "train": train,
    "bicycle": bicycle,
    "balloon": balloon,
    "lantern": lantern,
    "flower": flower,
    "product bottle": product_bottle,
    "constellation": constellation,
}
