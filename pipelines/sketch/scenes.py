"""Renders scenes of the `sketch` world as clips: paper layers, a figure, weather and a camera.

Time is absolute: frame k shows second k / fps whatever the clip's length, and a scene fixes every pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F

from . import backdrops, palettes, silhouettes, weather
from .sky import disc, milky_way
from .world import NATURES, Scene

BOX = 0.58
"""Side of the square that a figure is drawn in, in short sides of the frame."""

TRIP = 5.0
"""Seconds that a way, a growth or a camera's move takes: 40 frames at 8 a second."""

# How much of a pan each layer follows, in frame widths, by its place from the front: in a landscape of
# training size whole, half and quarter code blocks in each latent frame.
_PARALLAX = (0.5, 0.25, 0.125, 0.0625)


def render(
    scenes: Sequence[Scene],
    *,
    num_frames: int,
    height: int,
    width: int,
    fps: float = 8.0,
    frame_indices: Sequence[int] | None = None,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Render clips: float32 [B, T, 3, height, width] in [0, 1].

    T is `num_frames`, or the number of `frame_indices` when only those frames are wanted; frame k is the
    scene at second k / fps.
    """
    wanted = range(num_frames) if frame_indices is None else frame_indices
    seconds = [k / fps for k in wanted]
    out = torch.empty((len(scenes), len(seconds), 3, height, width), device=device)
    with torch.no_grad():
        for clip, scene in zip(out, scenes, strict=False):
            _render_one(clip, scene, seconds)
    return out


def _render_one(out: torch.Tensor, scene: Scene, seconds: list[float]) -> None:
    height, width = out.shape[-2:]
    times = torch.tensor(seconds, device=out.device)
    pan = _pan(scene, times)
    colours = palettes.land(scene)
    layers = backdrops.sheets(scene.backdrop, height, width, out.device)
    canvas = _sky(scene, pan, times, height, width)
    watery = scene.backdrop in ("sea", "river")
    home = NATURES[scene.subject].home
    # On water everything but fliers stands behind the front wave; elsewhere in front of the land.
    behind = len(layers) - 1 if watery and home != "sky" else len(layers)
    for k, (sheet, tones) in enumerate(zip(layers, colours, strict=False)):
        if k == behind:
            canvas = _figure(canvas, scene, times)
        canvas = _layer(canvas, sheet, tones, scene, pan, times, len(layers) - 1 - k, watery)
    if behind == len(layers):
        canvas = _figure(canvas, scene, times)
    canvas = _weather(canvas, scene, times)
    if scene.style in ("watercolour", "ink"):
        blotch = weather.pigment(height, width, out.device)
        canvas = canvas * (1 + (0.07 if scene.style == "watercolour" else 0.045) * blotch)
    torch.clamp(canvas.expand_as(out), 0, 1, out=out)


def _pan(scene: Scene, times: torch.Tensor) -> torch.Tensor | None:
    """How far the camera has gone to the right, in pans; None when it stands."""
    if scene.camera not in ("pan_left", "pan_right"):
        return None
    way = (times / TRIP).clamp(max=1.6)
    return way if scene.camera == "pan_right" else -way


def _colourised(
    sheet: torch.Tensor, tones: tuple[palettes.RGB, ...], scene: Scene, device: torch.device
) -> torch.Tensor:
    """Masks and colours to one premultiplied RGBA sheet [4, H, Wide], its shadow included."""
    sheet = sheet.to(device=device, dtype=torch.float32) / 255
    table = torch.tensor(tones[:4], device=device)
    rgb = torch.einsum("khw,kc->chw", sheet[:4], table)
    cover = sheet[:4].sum(0)
    strength = {"neon": 0.95, "mythic": 0.8, "ink": 0.55}.get(scene.style, 0.6)
    line = sheet[4] * strength
    rgb = rgb * (1 - line) + torch.tensor(tones[4], device=device)[:, None, None] * line * cover
    if scene.style == "neon":
        glow = sheet[5] * 0.5 * (1 - cover)
        rgb = rgb + torch.tensor(tones[4], device=device)[:, None, None] * glow
        alpha = cover + glow * 0.4
    else:
        alpha = cover + sheet[5] * (0.22 if scene.style != "watercolour" else 0.10) * (1 - cover)
    full = torch.cat([rgb, alpha[None]])
    if scene.style in ("ink", "watercolour"):
        size = 2 * round(min(sheet.shape[-2], sheet.shape[-1]) / 120) + 1
        full = F.avg_pool2d(full[None], size, 1, size // 2, count_include_pad=False)[0]
    return full


def _over(canvas: torch.Tensor, paint: torch.Tensor) -> torch.Tensor:
    """Premultiplied RGBA [1 or T, 4, H, W] over the canvas [1 or T, 3, H, W]."""
    return canvas * (1 - paint[:, 3:]) + paint[:, :3]


def _cropped(
    sheet: torch.Tensor, dx: torch.Tensor | None, dy: torch.Tensor | None, width: int
) -> torch.Tensor:
    """The frame's part of a wide sheet [C, H, Wide], shifted by pixels [T] to the right and down."""
    wide = sheet.shape[-1]
    left = (wide - width) // 2
    if dx is None:
        return sheet[None, :, :, left : left + width]
    at = (left - dx).clamp(0, wide - width - 1.001)
    whole = at.floor().long()
    part = (at - whole)[:, None, None, None]
    columns = whole[:, None] + torch.arange(width + 1, device=sheet.device)
    strips = sheet[:, :, columns].permute(2, 0, 1, 3)
    moved = torch.lerp(strips[..., :-1], strips[..., 1:], part)
    if dy is None:
        return moved
    low = dy.floor()
    rows = torch.arange(sheet.shape[-2], device=sheet.device)[None] - low.long()[:, None]
    rows = torch.stack([rows, rows - 1]).clamp(0, sheet.shape[-2] - 1)
    index = rows[:, :, None, :, None].expand(-1, -1, moved.shape[1], -1, width)
    return torch.lerp(moved.gather(2, index[0]), moved.gather(2, index[1]), (dy - low)[:, None, None, None])


def _layer(
    canvas: torch.Tensor,
    sheet: torch.Tensor,
    tones: tuple[palettes.RGB, ...],
    scene: Scene,
    pan: torch.Tensor | None,
    times: torch.Tensor,
    place: int,
    watery: bool,
) -> torch.Tensor:
    """Lay one paper layer over the canvas; `place` counts from the front."""
    height, width = canvas.shape[-2:]
    dx = None
    if pan is not None:
        dx = -pan * _PARALLAX[place] * width
    wavy = watery and place < (3 if scene.backdrop == "sea" else 1)
    if wavy:
        # Theatre waves: each band sways to and fro, its neighbours the other way.
        reach = (0.055, 0.035, 0.02)[place] * min(height, width)
        if scene.weather == "storm":
            reach *= 1.6
        sway = reach * torch.sin(2 * math.pi * times / 4 + place * 2.1)
        dx = sway if dx is None else dx + sway
    paint = _cropped(_colourised(sheet, tones, scene, canvas.device), dx, None, width)
    scale = _nearing(scene, times) if place == 0 else None
    return _over(canvas, paint if scale is None else _enlarged(paint, scale))


def _sky(
    scene: Scene, pan: torch.Tensor | None, times: torch.Tensor, height: int, width: int
) -> torch.Tensor:
    """Gradient, stars, Milky Way, sun or moon, clouds: [1 or T, 3, H, W]."""
    device = times.device
    stops = torch.tensor(palettes.sky(scene), device=device)
    y = torch.linspace(0, 1, height, device=device) / 0.72
    first = (y * 2).clamp(0, 1)[None, :, None]
    second = (y * 2 - 1).clamp(0, 1)[None, :, None]
    canvas = torch.lerp(stops[0][:, None, None], stops[1][:, None, None], first)
    canvas = torch.lerp(canvas, stops[2][:, None, None], second).expand(3, height, width)[None]
    space = scene.backdrop == "space"
    clear = scene.weather == "clear"
    if (scene.time == "night" or space) and clear:
        dim = 1.0 if scene.time == "night" else 0.5
        if space or scene.style == "mythic":
            canvas = canvas + milky_way(scene, height, width, device) * dim
        stars = backdrops.sky_sheet("stars", height, width, device)[0].to(torch.float32)
        left = (stars.shape[-1] - width) // 2
        mask = stars[None, None, :, left : left + width] * (0.95 / 255 * dim)
        canvas = torch.lerp(
            canvas, torch.tensor(palettes.star(scene), device=device)[None, :, None, None], mask
        )
    hung = not (space and scene.time == "night")
    if hung and scene.weather in ("clear", "fog"):
        canvas = disc(canvas, scene)
    if clear and (space or scene.time == "night"):
        return canvas  # the stars have the sky to themselves
    if scene.weather != "fog":
        kind = "clouds" if clear else "overcast"
        sheet = backdrops.sky_sheet(kind, height, width, device)
        tone = palettes.cloud(scene)
        tones = (
            tone,
            palettes.mix(tone, palettes.sky(scene)[1], 0.35),
            tone,
            tone,
            palettes.edge(scene, tone),
        )
        painted = _colourised(sheet, tones, scene, device) * (0.85 if clear else 1.0)
        canvas = _over(canvas, _cropped(painted, None if pan is None else -pan * 0.0625 * width, None, width))
        if not clear:
            canvas = disc(canvas, scene)  # pale in front of the clouds: it tells the hour in any weather
    return canvas


def _sprite(scene: Scene, side: int, device: torch.device) -> torch.Tensor:
    """The coloured figure, premultiplied RGBA [2 * PHASES, 4, side, side]; the second half is blurred."""
    masks = silhouettes.masks(scene.subject, side, device)
    roles, ring, shade = palettes.figure(scene)
    table = torch.tensor(roles, device=device)
    cover = masks[:, :4].sum(1, keepdim=True)
    rgb = torch.einsum("pkhw,kc->pchw", masks[:, :4], table)
    outline = (masks[:, 4:5] - cover).clamp(0, 1) * (0.75 if scene.style in ("ink", "watercolour") else 1.0)
    rgb = rgb + outline * torch.tensor(ring, device=device)[None, :, None, None]
    alpha = cover + outline
    shadow = masks[:, 5:6] * (1 - alpha) * (0.7 if scene.style == "neon" else 0.34)
    paint = torch.cat(
        [rgb + shadow * torch.tensor(shade, device=device)[None, :, None, None], alpha + shadow], 1
    )
    soft = F.avg_pool2d(paint, 3, 1, 1)
    return torch.cat([soft if scene.style == "watercolour" else paint, F.avg_pool2d(soft, 3, 1, 1)])


def _figure(canvas: torch.Tensor, scene: Scene, times: torch.Tensor) -> torch.Tensor:
    """Lay the figure over the canvas at its place at each second."""
    if scene.subject == "none":
        return canvas
    height, width = canvas.shape[-2:]
    unit = min(height, width)
    x, y, scale, opacity, turn = pose(scene, times, height, width)
    side = math.ceil(unit * BOX * NATURES[scene.subject].size / 2) * 2
    sprite = _sprite(scene, side, canvas.device)
    half = BOX / 2 * unit * NATURES[scene.subject].size * scale  # half the square's side in pixels, [T]
    reach = half * 1.25
    ends = torch.stack([(y - reach).min(), (y + reach).max(), (x - reach).min(), (x + reach).max()]).tolist()
    top, bottom = max(0, int(ends[0])), min(height, int(ends[1]) + 2)
    left, right = max(0, int(ends[2])), min(width, int(ends[3]) + 2)
    if bottom <= top or right <= left:
        return canvas
    rows = (torch.arange(top, bottom, device=x.device) + 0.5)[None, :, None] - y[:, None, None]
    columns = (torch.arange(left, right, device=x.device) + 0.5)[None, None, :] - x[:, None, None]
    sine, cosine = torch.sin(turn)[:, None, None], torch.cos(turn)[:, None, None]
    flip = -1.0 if scene.action == "left" else 1.0
    u = (columns * cosine + rows * sine) / half[:, None, None] * flip
    v = (rows * cosine - columns * sine) / half[:, None, None]
    poses = (_phase(scene, times) + silhouettes.PHASES * (scale < 0.62)).long()
    grid = torch.stack([u, v], -1)
    paint = F.grid_sample(sprite[poses], grid, align_corners=False) * opacity[:, None, None, None]
    out = canvas.expand(len(times), -1, -1, -1).clone() if canvas.shape[0] != len(times) else canvas
    part = out[:, :, top:bottom, left:right]
    out[:, :, top:bottom, left:right] = _over(part, paint)
    return out


def _phase(scene: Scene, times: torch.Tensor) -> torch.Tensor:
    """Which pose is shown: feet and wheels stop when their owner does not travel."""
    verb = NATURES[scene.subject].verb
    stands = verb in ("walk", "run", "drive", "ride") and scene.action not in ("left", "right")
    if stands and scene.subject not in ("woman with umbrella", "hunter with bow"):
        return torch.zeros_like(times)
    pace = 4 if verb in ("walk", "run", "drive", "ride", "fly") else 2
    # Poses change where a latent frame begins or at its middle, counting from frame 1.
    return torch.floor(times * pace + 1 - pace / 8 + 1e-4) % silhouettes.PHASES


def _travel(side: int, other: int, square: float) -> float:
    """How far a figure goes in `TRIP` seconds, as a share of a side of the frame.

    At the sizes of training that is 80 or 160 pixels: half a code block or a whole one (16 pixels) in each
    latent frame. So a moving figure falls on the same few places in the blocks, and its codes come again and
    again: far fewer patterns to learn than at an arbitrary speed.
    """
    if side == other:
        return square
    return 1 / 2 if side > other else 5 / 12


def pose(
    scene: Scene, times: torch.Tensor, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The figure's middle in pixels, its scale, opacity and turn in radians, each [T]."""
    unit = min(height, width)
    nature = NATURES[scene.subject]
    way = (times / TRIP).clamp(max=1.3)
    half = BOX / 2 * unit * nature.size
    x = torch.full_like(times, 0.5 * width)
    # Feet are at 0.86 of the half square, water lines at 0.40, both a little inside the paper below.
    if nature.home == "ground":
        home = backdrops.GROUND * height + 0.035 * unit - 0.86 * half
    elif nature.home == "water":
        home = 0.775 * height - 0.40 * half
    else:
        home = 0.40 * height
    y = torch.full_like(times, home)
    scale, opacity, turn = torch.ones_like(times), torch.ones_like(times), torch.zeros_like(times)
    if scene.action in ("left", "right"):
        across = (way - 0.5) * _travel(width, height, 5 / 8)
        x = (0.5 + (across if scene.action == "right" else -across)) * width
    elif scene.action in ("up", "down"):
        low = home + 0.30 * height if nature.home == "water" else 0.70 * height
        climb = way.clamp(max=1.1) if scene.action == "up" else 1 - way.clamp(max=1.1)
        y = low - climb * _travel(height, width, 5 / 16) * height
    elif scene.action == "grow":
        scale = 0.35 + 0.80 * way.clamp(max=1)
        rest = {"ground": 0.86, "water": 0.40, "sky": 0.0}[nature.home]
        y = home + rest * half * (1 - scale)
    elif scene.action == "fade_in":
        opacity = (times / 3).clamp(max=1)
    if nature.home == "water":
        y = y + 0.010 * unit * torch.sin(math.pi * times)
        turn = 0.05 * torch.sin(math.pi * times + 1)
    elif nature.home == "sky":
        y = y + 0.012 * unit * torch.sin(math.pi * times)
    if scene.subject == "rocket" and scene.action in ("left", "right"):
        turn = turn + math.radians(75 if scene.action == "right" else -75)
    nearer = _nearing(scene, times)
    if nearer is not None:
        x, scale = width / 2 + (x - width / 2) * nearer, scale * nearer
        if nature.home != "sky":
            ground = backdrops.GROUND * height
            y = ground + (y - ground) * nearer
    return x, y, scale, opacity, turn


def _nearing(scene: Scene, times: torch.Tensor) -> torch.Tensor | None:
    """How much bigger the near things are at each second as the camera comes or goes; None when it stays.

    Far paper keeps its size, as when a camera rolls towards a stage.
    """
    if scene.camera not in ("zoom_in", "zoom_out"):
        return None
    way = (times / TRIP).clamp(max=1)
    return 1 + 0.3 * (way if scene.camera == "zoom_in" else 1 - way)


def _enlarged(paint: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Pictures [1 or T, C, H, W] scaled by [T] round the middle of the ground line."""
    height, width = paint.shape[-2:]
    pivot = 2 * backdrops.GROUND - 1
    y = (torch.linspace(-1, 1, height, device=paint.device)[None] - pivot) / scale[:, None] + pivot
    x = torch.linspace(-1, 1, width, device=paint.device)[None] / scale[:, None]
    grid = torch.stack([x[:, None].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], -1)
    return F.grid_sample(
        paint.expand(len(scale), -1, -1, -1), grid, align_corners=True, padding_mode="border"
    )


def _weather(canvas: torch.Tensor, scene: Scene, times: torch.Tensor) -> torch.Tensor:
    """What is in front of everything."""
    height, width = canvas.shape[-2:]
    if scene.weather == "clear":
        return canvas
    if scene.weather == "fog":
        tone = torch.tensor(palettes.styled(palettes.fog(scene), scene.style), device=times.device)
        return torch.lerp(canvas, tone[None, :, None, None], weather.fog_bands(times, height, width)[:, None])
    bright = {"night": 0.62, "sunset": 0.85}.get(scene.time, 1.0)
    if scene.weather == "snow":
        return torch.lerp(
            canvas,
            torch.tensor(min(1.0, 0.3 + 0.7 * bright), device=times.device),
            weather.falling("snow", times, height, width)[:, None] * 0.95,
        )
    tone = torch.tensor(palettes.rain(scene), device=times.device)
    canvas = torch.lerp(
        canvas, tone[None, :, None, None], weather.falling("rain", times, height, width)[:, None] * 0.6
    )
    if scene.weather == "storm":
        for k, second in enumerate(times.tolist()):
            lit = weather.flash(second)
            if lit:
                strength, which = lit
                stroke, glow = weather.bolt(height, width, which, times.device)
                frame = torch.lerp(
                    canvas[k],
                    torch.tensor((0.86, 0.88, 1.0), device=times.device)[:, None, None],
                    0.26 * strength,
                )
                frame = (
                    frame
                    + (glow * 0.5 * strength)
                    * torch.tensor((0.8, 0.8, 1.0), device=times.device)[:, None, None]
                )
                canvas[k] = torch.lerp(frame, torch.ones_like(frame), stroke * min(1.0, strength + 0.25))
    return canvas
