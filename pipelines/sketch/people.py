"""The people of the world as paper figures: feet at y = 0.86, facing right."""

from __future__ import annotations

from .silhouettes import DARK, LIGHT, MAIN, SECOND, Pen, wave


def _legs(pen: Pen, p: float, hip: float, stride: float, role: int = DARK) -> None:
    for sign in (1, -1):
        swing = sign * stride * wave(p, 0.08)
        lift = max(0.0, sign * wave(p, 0.33)) * 0.06
        pen.line(role, 0.17, (0, hip), (swing * 0.6 + 0.02, (hip + 0.8) / 2), (swing, 0.80 - lift))
        pen.line(role, 0.13, (swing, 0.80 - lift), (swing + 0.12, 0.81 - lift))


def _head(pen: Pen, x: float, y: float, r: float = 0.17) -> None:
    pen.dot(LIGHT, x, y, r)
    pen.blob(
        DARK,
        (x + r, y - 0.55 * r),
        (x, y - 1.18 * r),
        (x - 1.15 * r, y),
        (x - 0.5 * r, y + 0.6 * r),
        (x - 0.2 * r, y - 0.35 * r),
    )


def person(pen: Pen, p: float) -> None:
    _legs(pen, p, 0.2, 0.34)
    pen.line(SECOND, 0.12, (-0.05, -0.22), (-0.28 * wave(p, 0.08), 0.24))
    pen.blob(
        MAIN,
        (-0.22, -0.36),
        (0, -0.42),
        (0.2, -0.34),
        (0.22, 0),
        (0.3, 0.36),
        (0, 0.42),
        (-0.3, 0.36),
        (-0.24, 0),
    )
    pen.line(MAIN, 0.15, (0.06, -0.24), (0.12 + 0.14 * wave(p), 0), (0.10 + 0.34 * wave(p, 0.08), 0.2))
    pen.dot(LIGHT, 0.12 + 0.36 * wave(p, 0.08), 0.24, 0.08)
    _head(pen, 0.03, -0.62, 0.21)
    pen.line(SECOND, 0.15, (-0.16, -0.38), (0.17, -0.38))
    pen.curve(
        SECOND, (0.14, 0.1), (-0.14, -0.38), (-0.34, -0.32 + 0.05 * wave(p)), (-0.5, -0.36 - 0.06 * wave(p))
    )


def woman_with_umbrella(pen: Pen, p: float) -> None:
    sway = 0.035 * wave(p)
    pen.line(DARK, 0.1, (-0.07, 0.7), (-0.07, 0.84), (0.03, 0.85))
    pen.line(DARK, 0.1, (0.12, 0.7), (0.12, 0.84), (0.22, 0.85))
    pen.blob(
        SECOND,
        (-0.1, -0.2),
        (0.1, -0.2),
        (0.14, 0.12),
        (0.34 + sway, 0.66),
        (0.02, 0.74),
        (-0.3 + sway, 0.66),
        (-0.1, 0.12),
    )
    pen.line(DARK, 0.05, (0.26, 0.1), (0.2 + sway, -0.62))
    pen.line(LIGHT, 0.1, (0.04, -0.1), (0.26, 0.06))
    _head(pen, 0.0, -0.34, 0.16)
    x = 0.16 + sway
    pen.blob(
        MAIN,
        (x - 0.62, -0.42),
        (x - 0.5, -0.68),
        (x - 0.24, -0.86),
        (x, -0.91),
        (x + 0.24, -0.86),
        (x + 0.5, -0.68),
        (x + 0.62, -0.42),
        (x + 0.3, -0.49),
        (x, -0.46),
        (x - 0.3, -0.49),
    )
    pen.line(LIGHT, 0.025, (x, -0.88), (x - 0.3, -0.5))
    pen.line(LIGHT, 0.025, (x, -0.88), (x + 0.3, -0.5))
    pen.line(DARK, 0.05, (x, -0.9), (x, -0.96))


def child_with_kite(pen: Pen, p: float) -> None:
    # The child is small and low on the left, the kite high on the right: one big shape to recognise.
    for sign in (1, -1):
        swing = sign * 0.24 * wave(p, 0.08)
        pen.line(
            DARK, 0.12, (-0.5, 0.5), (-0.5 + swing * 0.5, 0.66), (-0.52 + swing, 0.82), (-0.44 + swing, 0.82)
        )
    pen.blob(SECOND, (-0.62, 0.1), (-0.38, 0.1), (-0.32, 0.54), (-0.5, 0.6), (-0.68, 0.54))
    pen.line(SECOND, 0.11, (-0.44, 0.2), (-0.2, 0.02))
    pen.dot(LIGHT, -0.18, 0.0, 0.06)
    _head(pen, -0.48, -0.1, 0.19)
    x, y = 0.52, -0.52 + 0.05 * wave(p)
    pen.line(LIGHT, 0.03, (-0.18, 0.0), (0.1, -0.2), (x, y))
    pen.poly(MAIN, (x + 0.1, y - 0.44), (x + 0.36, y - 0.02), (x - 0.1, y + 0.44), (x - 0.36, y - 0.06))
    pen.poly(LIGHT, (x + 0.1, y - 0.44), (x + 0.03, y - 0.04), (x + 0.36, y - 0.02))
    pen.poly(LIGHT, (x - 0.1, y + 0.44), (x + 0.03, y - 0.04), (x - 0.36, y - 0.06))
    s = 0.06 * wave(p, 0.2)
    pen.curve(
        SECOND,
        (0.06, 0.05),
        (x - 0.1, y + 0.42),
        (x - 0.02 + s, y + 0.6),
        (x - 0.2 - s, y + 0.76),
        (x - 0.08 + s, y + 0.94),
    )
    for dx, dy in ((-0.02 + s, 0.6), (-0.2 - s, 0.76), (-0.08 + s, 0.94)):
        pen.dot(MAIN, x + dx, y + dy, 0.07, 0.05)


def old_man(pen: Pen, p: float) -> None:
    step = 0.12 * wave(p)
    pen.line(DARK, 0.14, (-0.1 + step, 0.7), (-0.1 + step, 0.82), (0.02 + step, 0.82))
    pen.line(DARK, 0.14, (0.1 - step, 0.7), (0.1 - step, 0.82), (0.22 - step, 0.82))
    # Bent forward under a long robe, white beard, a staff taller than his hand.
    pen.blob(
        MAIN,
        (0.02, -0.36),
        (0.24, -0.28),
        (0.26, 0.1),
        (0.34, 0.7),
        (0, 0.78),
        (-0.36, 0.7),
        (-0.36, 0.1),
        (-0.24, -0.24),
    )
    staff = 0.52 + 0.05 * wave(p)
    pen.line(SECOND, 0.08, (0.44, -0.42), (staff, 0.82))
    pen.curve(SECOND, (0.08, 0.07), (0.44, -0.42), (0.38, -0.54), (0.5, -0.6), (0.56, -0.48))
    pen.line(MAIN, 0.17, (0.02, -0.14), (0.22, 0.14), (0.42, 0.0))
    pen.dot(LIGHT, 0.46, 0.0, 0.08)
    pen.dot(LIGHT, 0.2, -0.54, 0.2)
    pen.blob(LIGHT, (0.1, -0.44), (0.4, -0.46), (0.38, -0.2), (0.28, 0.06), (0.16, -0.18))
    pen.poly(SECOND, (-0.12, -0.58), (0.18, -0.9), (0.54, -0.54), (0.2, -0.64))


def hunter_with_bow(pen: Pen, p: float) -> None:
    pull = 0.04 * wave(p)
    pen.line(DARK, 0.17, (-0.04, 0.2), (-0.26, 0.52), (-0.32, 0.8), (-0.2, 0.82))
    pen.line(DARK, 0.17, (0.02, 0.2), (0.22, 0.48), (0.2, 0.8), (0.34, 0.82))
    pen.line(SECOND, 0.2, (-0.3, -0.42), (-0.16, 0.12))
    pen.blob(MAIN, (-0.2, -0.36), (0.18, -0.38), (0.18, 0), (0.26, 0.34), (0, 0.38), (-0.26, 0.34), (-0.2, 0))
    pen.line(LIGHT, 0.035, (0.4, -0.86), (0.06 - pull, -0.24), (0.4, 0.4))
    pen.line(MAIN, 0.15, (-0.06, -0.26), (-0.26, -0.12), (0.0 - pull, -0.22))
    pen.line(LIGHT, 0.13, (0.08, -0.24), (0.58, -0.24))
    pen.curve(
        SECOND, (0.07, 0.1, 0.07), (0.36, -0.9), (0.58, -0.66), (0.66, -0.24), (0.58, 0.2), (0.36, 0.44)
    )
    pen.line(DARK, 0.05, (0.04 - pull, -0.24), (0.86 - pull, -0.24))
    pen.poly(DARK, (0.98 - pull, -0.24), (0.82 - pull, -0.33), (0.82 - pull, -0.15))
    _head(pen, 0.0, -0.58, 0.19)
    pen.poly(MAIN, (-0.24, -0.62), (-0.1, -0.82), (0.12, -0.84), (0.3, -0.66))


def dancer(pen: Pen, p: float) -> None:
    s = wave(p)
    pen.curve(LIGHT, (0.12, 0.1, 0.07), (0, 0.3), (0.03, 0.58), (0.0, 0.86))
    pen.curve(LIGHT, (0.13, 0.1, 0.06), (0, 0.26), (-0.34, 0.34 - 0.05 * s), (-0.62, 0.12 - 0.12 * s))
    pen.blob(
        MAIN,
        (-0.1, 0.0),
        (0.1, 0.0),
        (0.36, 0.14),
        (0.58, 0.3 + 0.07 * s),
        (0.3, 0.36),
        (0, 0.46),
        (-0.3, 0.38),
        (-0.58, 0.3 - 0.07 * s),
        (-0.36, 0.14),
    )
    pen.blob(MAIN, (-0.14, -0.3), (0.14, -0.3), (0.08, 0.06), (-0.08, 0.06))
    pen.curve(LIGHT, (0.1, 0.08, 0.06), (0.1, -0.26), (0.36, -0.44 - 0.06 * s), (0.3, -0.84))
    pen.curve(LIGHT, (0.1, 0.08, 0.06), (-0.1, -0.26), (-0.38, -0.3 + 0.06 * s), (-0.62, -0.5 + 0.08 * s))
    # A long ribbon makes her read as a dancer even as a black shape.
    pen.curve(
        SECOND,
        (0.06, 0.09, 0.05),
        (0.3, -0.84),
        (0.56, -0.9 + 0.06 * s),
        (0.68, -0.6),
        (0.54, -0.34 - 0.08 * s),
        (0.76, -0.12),
        (0.9, 0.1 + 0.08 * s),
    )
    _head(pen, 0, -0.52, 0.17)
    pen.dot(DARK, -0.06, -0.73, 0.09)


FIGURES = {
    "person": person,
    "woman with umbrella": woman_with_umbrella,
    "child with kite": child_with_kite,
    "old man": old_man,
    "hunter with bow": hunter_with_bow,
    "dancer": dancer,
}
