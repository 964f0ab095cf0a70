"""The animals and monsters of the world as paper figures, facing right.

Ground animals stand at y = 0.86, water animals have their water line at y = 0.4, fliers are centred.
"""

from __future__ import annotations

import itertools
import math

from .silhouettes import DARK, LIGHT, MAIN, SECOND, Pen, wave


def _four_legs(
    pen: Pen, p: float, hips: tuple[float, float], top: float, width: float, stride: float
) -> None:
    for i, x in enumerate((hips[0], hips[0] + 0.14, hips[1] - 0.14, hips[1])):
        swing = stride * wave(p, (0, 0.5, 0.45, 0.95)[i])
        role = DARK if i in (1, 2) else MAIN
        pen.curve(
            role,
            (width * 1.5, width, width),
            (x, top),
            (x + swing * 0.5 - 0.02, (top + 0.8) / 2),
            (x + swing, 0.82 - 0.08 * max(0.0, wave(p, 0.25 + i * 0.25))),
        )


def bird(pen: Pen, p: float) -> None:
    flap = 0.2 + 0.8 * wave(p, 0.25)
    pen.blob(
        DARK,
        (0.12, -0.02),
        (-0.06, -0.4 * flap - 0.02),
        (-0.2, -0.72 * flap),
        (-0.38, -0.5 * flap),
        (-0.22, 0.05),
    )
    pen.blob(
        MAIN,
        (0.66, -0.12),
        (0.5, -0.28),
        (0.24, -0.2),
        (-0.2, -0.1),
        (-0.5, 0.06),
        (-0.1, 0.26),
        (0.3, 0.2),
        (0.56, 0.04),
    )
    pen.poly(MAIN, (-0.36, 0), (-0.92, -0.06), (-0.78, 0.1), (-0.9, 0.24), (-0.3, 0.14))
    pen.poly(SECOND, (0.66, -0.2), (0.92, -0.08), (0.64, -0.02))
    pen.blob(LIGHT, (0.5, 0.04), (0.2, 0.06), (-0.1, 0.18), (0.1, 0.24), (0.34, 0.18))
    pen.blob(
        MAIN,
        (0.26, -0.08),
        (0.14, -0.5 * flap - 0.06),
        (-0.06, -0.9 * flap),
        (-0.34, -0.7 * flap),
        (-0.28, 0.04),
        (0, 0.08),
    )
    pen.blob(DARK, (0.04, -0.5 * flap), (-0.06, -0.9 * flap), (-0.34, -0.7 * flap), (-0.2, -0.48 * flap))
    pen.dot(DARK, 0.52, -0.14, 0.05)


def crane(pen: Pen, p: float) -> None:
    flap = 0.2 + 0.8 * wave(p, 0.25)
    pen.line(DARK, 0.05, (-0.4, 0.1), (-0.96, 0.2))
    pen.line(DARK, 0.05, (-0.4, 0.14), (-0.9, 0.3))
    pen.blob(DARK, (0.1, 0.02), (0.0, -0.46 * flap), (-0.2, -0.8 * flap), (-0.42, -0.5 * flap), (-0.2, 0.1))
    pen.blob(MAIN, (0.32, -0.02), (0.1, -0.1), (-0.3, 0), (-0.52, 0.1), (-0.2, 0.22), (0.16, 0.16))
    pen.curve(MAIN, (0.17, 0.1, 0.09), (0.2, 0.06), (0.42, -0.04), (0.52, -0.22), (0.68, -0.34))
    pen.dot(MAIN, 0.7, -0.34, 0.09)
    pen.dot(SECOND, 0.69, -0.41, 0.065, 0.05)
    pen.poly(DARK, (0.76, -0.39), (0.99, -0.3), (0.74, -0.28))
    pen.blob(
        MAIN,
        (0.24, 0.02),
        (0.18, -0.5 * flap),
        (0.0, -0.94 * flap),
        (-0.36, -0.66 * flap),
        (-0.34, 0.06),
        (0, 0.12),
    )
    pen.blob(DARK, (0.08, -0.62 * flap), (0.0, -0.94 * flap), (-0.38, -0.68 * flap), (-0.26, -0.46 * flap))


def horse(pen: Pen, p: float) -> None:
    bob = 0.03 * wave(p, 0.1)
    _four_legs(pen, p, (-0.48, 0.42), 0.2, 0.11, 0.24)
    pen.curve(DARK, (0.16, 0.16, 0.05), (-0.56, -0.06 + bob), (-0.8, 0.04 - bob), (-0.92, 0.36))
    pen.blob(
        MAIN,
        (-0.6, -0.14 + bob),
        (-0.3, -0.2 + bob),
        (0.1, -0.14 + bob),
        (0.44, -0.22 + bob),
        (0.54, 0.1 + bob),
        (0.2, 0.28 + bob),
        (-0.3, 0.26 + bob),
        (-0.62, 0.16 + bob),
    )
    pen.poly(MAIN, (0.2, -0.12 + bob), (0.5, -0.72 + bob), (0.72, -0.62 + bob), (0.56, 0.06 + bob))
    pen.blob(
        MAIN,
        (0.5, -0.76 + bob),
        (0.66, -0.78 + bob),
        (0.96, -0.44 + bob),
        (0.9, -0.34 + bob),
        (0.64, -0.46 + bob),
    )
    pen.poly(MAIN, (0.5, -0.7 + bob), (0.54, -0.94 + bob), (0.64, -0.74 + bob))
    pen.curve(
        DARK,
        (0.1, 0.18, 0.1),
        (0.58, -0.84 + bob),
        (0.38, -0.6 + bob),
        (0.24, -0.3 + bob),
        (0.12, -0.14 + bob),
    )
    pen.dot(LIGHT, 0.7, -0.62 + bob, 0.04)


def deer(pen: Pen, p: float) -> None:
    _four_legs(pen, p, (-0.42, 0.32), 0.24, 0.09, 0.18)
    pen.poly(LIGHT, (-0.5, -0.02), (-0.68, -0.14), (-0.6, 0.12))
    pen.blob(
        MAIN, (-0.56, -0.06), (-0.2, -0.06), (0.2, -0.1), (0.44, 0), (0.36, 0.26), (0, 0.32), (-0.4, 0.32)
    )
    pen.poly(MAIN, (0.16, -0.04), (0.36, -0.48), (0.54, -0.44), (0.44, 0.14))
    pen.blob(MAIN, (0.32, -0.5), (0.5, -0.58), (0.8, -0.38), (0.76, -0.3), (0.5, -0.34))
    pen.poly(MAIN, (0.36, -0.5), (0.16, -0.56), (0.34, -0.42))
    for side in (-1, 1):
        x = 0.44 + 0.06 * side
        pen.curve(SECOND, (0.08, 0.06, 0.04), (x, -0.54), (x + 0.14 * side, -0.74), (x + 0.08 * side, -0.97))
        pen.line(SECOND, 0.05, (x + 0.13 * side, -0.74), (x + 0.34 * side, -0.88))
        pen.line(SECOND, 0.05, (x + 0.05 * side, -0.64), (x + 0.26 * side, -0.66))
    for x, y in ((-0.34, 0.04), (-0.16, 0.12), (0.0, 0.02), (0.16, 0.12)):
        pen.dot(LIGHT, x, y, 0.045)
    pen.dot(DARK, 0.76, -0.36, 0.05)


def cat(pen: Pen, p: float) -> None:
    s = wave(p)
    _four_legs(pen, p, (-0.4, 0.34), 0.42, 0.12, 0.12)
    pen.curve(
        MAIN,
        (0.16, 0.13, 0.1),
        (-0.5, 0.34),
        (-0.78, 0.12),
        (-0.72 - 0.06 * s, -0.22),
        (-0.88 - 0.1 * s, -0.44),
    )
    pen.blob(
        MAIN, (-0.56, 0.22), (-0.2, 0.12), (0.2, 0.16), (0.46, 0.12), (0.48, 0.46), (0.1, 0.56), (-0.5, 0.56)
    )
    pen.blob(MAIN, (0.16, -0.2), (0.5, -0.34), (0.82, -0.18), (0.84, 0.06), (0.5, 0.24), (0.2, 0.08))
    pen.poly(MAIN, (0.16, -0.14), (0.2, -0.6), (0.46, -0.3))
    pen.poly(MAIN, (0.54, -0.3), (0.8, -0.6), (0.84, -0.12))
    for x in (-0.34, -0.12, 0.1):
        pen.line(SECOND, 0.07, (x, 0.17), (x - 0.02, 0.36))
    pen.dot(LIGHT, 0.4, -0.08, 0.07)
    pen.dot(LIGHT, 0.66, -0.08, 0.07)
    pen.dot(DARK, 0.42, -0.08, 0.035, 0.065)
    pen.dot(DARK, 0.68, -0.08, 0.035, 0.065)
    pen.poly(SECOND, (0.48, 0.04), (0.6, 0.04), (0.54, 0.1))


def fish(pen: Pen, p: float) -> None:
    s = 0.12 * wave(p)
    pen.poly(SECOND, (-0.42, 0), (-0.94, -0.38 + s), (-0.8, 0.02 + s), (-0.94, 0.42 + s))
    pen.poly(SECOND, (0.2, -0.28), (-0.1, -0.64), (-0.34, -0.2))
    pen.poly(SECOND, (0.1, 0.26), (-0.14, 0.52), (-0.2, 0.18))
    pen.blob(
        MAIN,
        (0.86, 0.02),
        (0.6, -0.26),
        (0.16, -0.4),
        (-0.3, -0.22),
        (-0.56, 0),
        (-0.3, 0.24),
        (0.16, 0.38),
        (0.6, 0.28),
    )
    pen.blob(LIGHT, (0.8, 0.12), (0.4, 0.14), (-0.2, 0.12), (-0.1, 0.24), (0.2, 0.34), (0.56, 0.26))
    pen.curve(SECOND, (0.05, 0.05), (0.36, -0.3), (0.46, 0), (0.36, 0.28))
    pen.curve(SECOND, (0.05, 0.05), (0.06, -0.28), (0.14, 0), (0.06, 0.28))
    pen.dot(LIGHT, 0.62, -0.08, 0.1)
    pen.dot(DARK, 0.64, -0.08, 0.06)


def whale(pen: Pen, p: float) -> None:
    s = 0.06 * wave(p)
    pen.blob(
        MAIN,
        (-0.62, 0.1),
        (-0.8, -0.2 + s),
        (-0.98, -0.5 + s),
        (-0.72, -0.46 + s),
        (-0.66, -0.3 + s),
        (-0.5, -0.54 + s),
        (-0.34, -0.5 + s),
        (-0.5, -0.2 + s),
        (-0.4, 0.1),
    )
    pen.blob(
        MAIN,
        (0.94, 0.12),
        (0.86, -0.2),
        (0.5, -0.38),
        (0.1, -0.34),
        (-0.3, -0.1),
        (-0.68, 0.12),
        (-0.5, 0.42),
        (0, 0.54),
        (0.6, 0.5),
        (0.9, 0.36),
    )
    pen.blob(LIGHT, (0.92, 0.2), (0.5, 0.22), (0, 0.26), (-0.3, 0.3), (0, 0.5), (0.6, 0.48), (0.88, 0.36))
    pen.poly(DARK, (0.3, 0.24), (0.02, 0.66), (0.02, 0.3))
    pen.dot(LIGHT, 0.66, 0.0, 0.06)
    pen.dot(DARK, 0.67, 0.0, 0.04)
    high = -0.84 - 0.1 * wave(p, 0.2)
    pen.curve(SECOND, (0.06, 0.1), (0.4, -0.36), (0.38, -0.66), (0.16, high), (0.04, high + 0.2))
    pen.curve(SECOND, (0.06, 0.1), (0.42, -0.36), (0.46, -0.66), (0.66, high), (0.78, high + 0.2))


def sea_monster(pen: Pen, p: float) -> None:
    s = wave(p)
    # A horned serpent out of the water, a coil behind it and two tentacles: nothing else here looks like it.
    pen.curve(
        MAIN,
        (0.2, 0.24, 0.2),
        (-0.98, 0.9),
        (-0.84, 0.3 + 0.06 * s),
        (-0.6, 0.1 + 0.06 * s),
        (-0.36, 0.3),
        (-0.3, 0.9),
    )
    for x, y in ((-0.84, 0.16), (-0.62, -0.02), (-0.4, 0.14)):
        pen.poly(
            SECOND, (x - 0.1, y + 0.06 + 0.06 * s), (x, y - 0.18 + 0.06 * s), (x + 0.1, y + 0.06 + 0.06 * s)
        )
    pen.curve(
        MAIN,
        (0.4, 0.32, 0.26, 0.26),
        (0.02, 0.98),
        (-0.06, 0.4),
        (0.0 + 0.04 * s, -0.1),
        (0.2 + 0.04 * s, -0.5),
    )
    for x, y in ((-0.26, 0.3), (-0.22, -0.02), (-0.1, -0.34)):
        pen.poly(SECOND, (x + 0.1, y - 0.12), (x - 0.14, y - 0.08), (x + 0.06, y + 0.12))
    x = 0.04 * s
    pen.blob(
        MAIN,
        (0.08 + x, -0.62),
        (0.3 + x, -0.8),
        (0.6 + x, -0.74),
        (0.94 + x, -0.56),
        (0.9 + x, -0.46),
        (0.5 + x, -0.42),
        (0.2 + x, -0.34),
    )
    pen.blob(
        MAIN,
        (0.3 + x, -0.4),
        (0.56 + x, -0.32),
        (0.84 + x, -0.24),
        (0.78 + x, -0.16),
        (0.4 + x, -0.2),
        (0.16 + x, -0.3),
    )
    for tx in (0.52, 0.66, 0.8):
        pen.poly(LIGHT, (tx + x - 0.05, -0.46), (tx + x + 0.05, -0.46), (tx + x, -0.34))
    pen.curve(SECOND, (0.1, 0.05), (0.26 + x, -0.76), (0.14 + x, -0.9), (-0.06 + x, -0.94))
    pen.curve(SECOND, (0.1, 0.05), (0.38 + x, -0.76), (0.3 + x, -0.92), (0.14 + x, -0.99))
    pen.dot(LIGHT, 0.48 + x, -0.62, 0.08)
    pen.dot(DARK, 0.5 + x, -0.62, 0.045)
    pen.curve(
        MAIN, (0.2, 0.14, 0.06), (0.5, 0.98), (0.66, 0.5), (0.56 + 0.05 * s, 0.24), (0.76 + 0.05 * s, 0.04)
    )
    pen.curve(LIGHT, (0.12, 0.1), (0.12, 0.9), (0.08, 0.4), (0.12 + x, 0.0), (0.24 + x, -0.28))


def scorpion(pen: Pen, p: float) -> None:
    s = wave(p)
    for i in range(4):
        x = -0.3 + 0.18 * i
        lift = 0.06 * (s if i % 2 else -s)
        pen.line(DARK, 0.07, (x, 0.5), (x + 0.02, 0.28 - lift * 0.3), (x + 0.1, 0.82 + min(0.0, lift)))
    pen.curve(
        MAIN,
        (0.26, 0.22, 0.16, 0.12),
        (-0.36, 0.5),
        (-0.76, 0.3),
        (-0.84, -0.16),
        (-0.56, -0.54),
        (-0.2, -0.58 + 0.04 * s),
    )
    pen.poly(
        SECOND,
        (-0.3, -0.72 + 0.04 * s),
        (-0.02, -0.6 + 0.04 * s),
        (0.06, -0.3 + 0.04 * s),
        (-0.2, -0.46 + 0.04 * s),
    )
    for x, y in ((-0.68, 0.34), (-0.84, 0.04), (-0.74, -0.32)):
        pen.dot(SECOND, x, y, 0.06)
    pen.blob(MAIN, (-0.46, 0.5), (-0.2, 0.34), (0.2, 0.36), (0.42, 0.5), (0.2, 0.66), (-0.24, 0.68))
    for x in (-0.2, 0.0, 0.2):
        pen.line(DARK, 0.04, (x, 0.4), (x, 0.62))
    for y, k in ((0.44, -1), (0.58, 1)):
        tip = 0.04 * s * k
        pen.line(MAIN, 0.1, (0.34, 0.5), (0.54, y - 0.16 + tip))
        cx, cy = 0.72 - 0.04 * k, y - 0.26 + 0.1 * k + tip
        pen.blob(
            MAIN,
            (cx - 0.18, cy),
            (cx, cy - 0.18),
            (cx + 0.26, cy - 0.16),
            (cx + 0.06, cy - 0.02),
            (cx + 0.26, cy + 0.1),
            (cx, cy + 0.14),
        )
    pen.dot(LIGHT, 0.32, 0.44, 0.05)


def dragon(pen: Pen, p: float) -> None:
    # A Chinese dragon: one long wave with a fringe of scales; the wave runs along it.
    path = []
    for k in range(13):
        x = -0.94 + 1.42 * k / 12
        path.append((x, 0.33 * math.sin(2 * math.pi * (1.6 * k / 12 - p)) * min(1.0, 0.3 + k / 6) + 0.12))
    path[-1] = (0.5, -0.12 + 0.05 * wave(p))
    path[-2] = (0.38, 0.5 * path[-2][1])
    for k in (4, 8):
        x, y = path[k]
        pen.line(SECOND, 0.09, (x, y), (x + 0.08, y + 0.26), (x + 0.24, y + 0.28))
    for (x, y), (x2, y2) in itertools.pairwise(path):
        # Fins stand on the back, square to the body.
        length = math.hypot(x2 - x, y2 - y)
        nx, ny = (y2 - y) / length, -(x2 - x) / length
        pen.poly(SECOND, (x - 0.02, y), ((x + x2) / 2 + nx * 0.24, (y + y2) / 2 + ny * 0.24), (x2 + 0.02, y2))
    pen.curve(MAIN, (0.05, 0.18, 0.23, 0.24, 0.24), *path)
    pen.curve(LIGHT, (0.02, 0.05, 0.06, 0.05), *[(x, y + 0.05) for x, y in path[1:]])
    hx, hy = path[-1]
    pen.blob(SECOND, (hx - 0.18, hy + 0.16), (hx - 0.24, hy - 0.24), (hx, hy - 0.34), (hx + 0.06, hy + 0.1))
    pen.blob(
        MAIN,
        (hx - 0.1, hy - 0.16),
        (hx + 0.1, hy - 0.24),
        (hx + 0.44, hy - 0.1),
        (hx + 0.42, hy + 0.0),
        (hx + 0.14, hy + 0.04),
        (hx + 0.34, hy + 0.14),
        (hx + 0.3, hy + 0.22),
        (hx, hy + 0.16),
    )
    pen.curve(LIGHT, (0.08, 0.05), (hx, hy - 0.2), (hx - 0.06, hy - 0.42), (hx - 0.26, hy - 0.54))
    pen.curve(LIGHT, (0.08, 0.05), (hx + 0.1, hy - 0.2), (hx + 0.06, hy - 0.4), (hx - 0.08, hy - 0.58))
    pen.curve(
        SECOND,
        (0.05, 0.04),
        (hx + 0.38, hy - 0.02),
        (hx + 0.44, hy + 0.2),
        (hx + 0.3, hy + 0.4 + 0.05 * wave(p)),
    )
    pen.dot(LIGHT, hx + 0.14, hy - 0.1, 0.06)
    pen.dot(DARK, hx + 0.16, hy - 0.1, 0.035)


FIGURES = {
    "bird": bird,
    "crane": crane,
    "horse": horse,
    "deer": deer,
    "cat": cat,
    "fish": fish,
    "whale": whale,
    "sea monster": sea_monster,
    "scorpion": scorpion,
    "dragon": dragon,
}
