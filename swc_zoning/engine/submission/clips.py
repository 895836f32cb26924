# SPDX-License-Identifier: GPL-2.0-or-later
"""Small maps of conflicts as PNG: the region in red hatch, both sides' outlines, the pieces in grey.

Drawn by Pillow alone, three times as large and then reduced. Side A is a solid blue line, side B a dashed
orange one, so that they stay apart in print and for every kind of colour vision.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from swc_zoning.engine import formats
from swc_zoning.engine.grid import Ints
from swc_zoning.engine.messages import SwcError
from swc_zoning.engine.progress import Progress
from swc_zoning.engine.result import ZONING
from swc_zoning.engine.submission.conflict_groups import Case, Group, Side
from swc_zoning.engine.written import Written

SIZE = (360, 270)
_FINE = 3
_MARGIN = 1.7
_NARROWEST_M = 240.0
_HATCH = 21
_DASH = (27, 15)
_SMALL = 24
_SHADES = 8
_ALMOST_PAPER = 228
#: Regions of a mean width below so many fine pixels would lie hidden under the lines of the sides.
_THIN = 20
#: Windows that hold more pieces than this show no edges of pieces: they would be a grey plain.
_MOST_PIECES = 3000
_COLOURS = {
    "paper": (255, 255, 255),
    "piece": (190, 190, 190),
    "region": (204, 0, 0),
    "tint": (255, 226, 222),
    "a": (0, 90, 181),
    "b": (214, 108, 0),
    "ink": (40, 40, 40),
}


@dataclass(frozen=True)
class Window:
    """What a clip shows: (west, south, east, north) in metres, and how many fine pixels a metre is."""

    bounds: tuple[float, float, float, float]
    scale: float

    def pixels(self, coordinates: NDArray[np.float64]) -> list[tuple[float, float]]:
        """Return coordinates float64[n, 2] as pixels of the fine picture."""
        west, _, _, north = self.bounds
        x, y = (coordinates[:, 0] - west) * self.scale, (north - coordinates[:, 1]) * self.scale
        return list(zip(x.tolist(), y.tolist()))


def window_of(region: Any) -> Window:
    """Return the window that shows `region` with ground around it."""
    west, south, east, north = region.bounds
    aspect = SIZE[0] / SIZE[1]
    width = max((east - west) * _MARGIN, (north - south) * _MARGIN * aspect, _NARROWEST_M)
    height = width / aspect
    x, y = (west + east) / 2, (south + north) / 2
    bounds = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Window(bounds, SIZE[0] * _FINE / width)


class Ground:
    """The pieces near the conflicts of a case, and which of them carry which feature."""

    def __init__(self, case: Case, result: Written, windows: Sequence[Window]) -> None:
        boxes = np.array([window.bounds for window in windows]).reshape(-1, 4)
        self._rows: Ints = result.near(boxes) if len(boxes) else np.empty(0, np.int64)
        self._polygons = result.polygons(self._rows)
        self._tree = shapely.STRtree(self._polygons)
        self._carriers = _carriers(case, result, self._rows)

    def within(self, window: Window) -> NDArray[Any]:
        """Return the polygons of the pieces that meet a window."""
        return self._polygons[self._at(window)]

    def side(self, side: Side, window: Window) -> Any:
        """Return the ground of one side as far as it meets a window, None where nothing does."""
        numbers = np.concatenate([self._carriers[key] for key in _keys(side)])
        members = np.intersect1d(self._at(window), numbers)
        return shapely.coverage_union_all(self._polygons[members]) if len(members) else None

    def _at(self, window: Window) -> Ints:
        return np.sort(self._tree.query(shapely.box(*window.bounds)))


def _keys(side: Side) -> Iterator[tuple[str, str, str]]:
    yield from ((side.role, side.layer, source) for source, _ in side.features)


def _carriers(case: Case, result: Written, rows: Ints) -> dict[tuple[str, str, str], Ints]:
    """Return for each feature in conflict the numbers (in `rows`) of the pieces that carry it."""
    found: dict[tuple[str, str, str], list[int]] = {
        key: []
        for group in case.groups
        for side in (group.first, group.second)
        if side
        for key in _keys(side)
    }
    number = {piece: at for at, piece in enumerate(result.columns["piece_id"][rows].tolist())}
    names = ("piece_id", "role", "layer", "source_id")
    for part in formats.read_columns(case.folder / ZONING, "piece_sources", names):
        columns = [part[name].tolist() for name in names]
        for piece, role, layer, source in zip(*columns):
            members = found.get((role, layer, source or ""))
            if members is not None and piece in number:
                members.append(number[piece])
    return {key: np.array(members, np.int64) for key, members in found.items()}


# --- drawing ---------------------------------------------------------------------------------------


def needs_pillow() -> SwcError | None:
    """Return what to say where Pillow is missing, None where it is there."""
    try:
        import PIL.ImageDraw  # noqa: F401
    except ImportError:
        return SwcError("consultation.needs_pillow")
    return None


def drawn(group: Group, ground: Ground) -> bytes:
    """Return a PNG, 360 x 270 pixels, of the largest region of a group. Raises ImportError without Pillow."""
    from PIL import Image, ImageDraw

    window = window_of(group.main)
    size = (SIZE[0] * _FINE, SIZE[1] * _FINE)
    picture = Image.new("RGB", size, _COLOURS["paper"])
    pen = ImageDraw.Draw(picture)
    regions = _clipped(group.geometry, window)
    _fill(pen, regions, window, _COLOURS["tint"])
    pieces = ground.within(window)
    if len(pieces) <= _MOST_PIECES:
        for path in _paths(_clipped(shapely.boundary(pieces), window)):
            pen.line(window.pixels(path), fill=_COLOURS["piece"], width=3)
    _hatch(picture, regions, window)
    for path in _paths(_clipped(shapely.boundary(group.geometry), window)):
        pen.line(window.pixels(path), fill=_COLOURS["region"], width=5, joint="curve")
    _draw_sides(pen, group, ground, window)
    _draw_thin(pen, group, window)
    _mark_small(pen, group, window)
    _draw_scale(pen, window, size)
    picture = picture.reduce(_FINE)
    ImageDraw.Draw(picture).rectangle((0, 0, SIZE[0] - 1, SIZE[1] - 1), outline=_COLOURS["ink"])
    stream = io.BytesIO()
    # A palette keeps a workbook of hundreds of clips small; of our own, so that no side changes its colour.
    picture.quantize(palette=_palette(), dither=Image.Dither.NONE).save(stream, "PNG")
    return stream.getvalue()


@lru_cache(maxsize=1)
def _palette() -> Any:
    """Return a picture whose palette is every colour, shaded towards paper, tint and hatch."""
    from PIL import Image

    grounds = [_COLOURS[name] for name in ("paper", "tint", "region")]
    shades = [
        tuple(round(one + (other - one) * step / _SHADES) for one, other in zip(colour, ground))
        for colour in _COLOURS.values()
        for ground in grounds
        for step in range(_SHADES)
    ]
    # Nothing that is almost paper: Pillow looks up colours in coarse steps and would tint the paper.
    kept = [_COLOURS["paper"], *(shade for shade in shades if min(shade) < _ALMOST_PAPER)]
    picture = Image.new("P", (1, 1))
    picture.putpalette([value for colour in dict.fromkeys(kept) for value in colour])
    return picture


def _clipped(geometry: Any, window: Window) -> Any:
    """Return geometry cut to the window and a little around it, so that far vertices cost nothing."""
    west, south, east, north = window.bounds
    spare = 12 / window.scale
    return shapely.clip_by_rect(geometry, west - spare, south - spare, east + spare, north + spare)


def _paths(lines: Any) -> Iterator[NDArray[np.float64]]:
    """Yield the coordinates of every line of geometries."""
    parts = shapely.get_parts(np.atleast_1d(np.asarray(lines, dtype=object)))
    parts = shapely.get_parts(parts[~shapely.is_missing(parts)])
    for part in parts:
        if part.geom_type in ("LineString", "LinearRing") and not part.is_empty:
            yield shapely.get_coordinates(part)


def _polygons(geometry: Any) -> Iterator[Any]:
    for part in shapely.get_parts(shapely.get_parts(np.atleast_1d(np.asarray(geometry, dtype=object)))):
        if part.geom_type == "Polygon" and not part.is_empty:
            yield part


def _fill(pen: Any, geometry: Any, window: Window, colour: Any, hole: Any = None) -> None:
    for polygon in _polygons(geometry):
        rings = [window.pixels(shapely.get_coordinates(ring)) for ring in shapely.get_rings(polygon)]
        pen.polygon(rings[0], fill=colour)
        for ring in rings[1:]:
            pen.polygon(ring, fill=_COLOURS["paper"] if hole is None else hole)


def _hatch(picture: Any, regions: Any, window: Window) -> None:
    """Draw diagonal lines where the regions are."""
    from PIL import Image, ImageDraw

    mask = Image.new("1", picture.size, 0)
    _fill(ImageDraw.Draw(mask), regions, window, 1, 0)
    lines = Image.new("1", picture.size, 0)
    pen, (width, height) = ImageDraw.Draw(lines), picture.size
    for begin in range(-height, width, _HATCH):
        pen.line([(begin, height), (begin + height, 0)], fill=1, width=3)
    both = Image.composite(lines, Image.new("1", picture.size, 0), mask)
    picture.paste(_COLOURS["region"], mask=both)


def _draw_sides(pen: Any, group: Group, ground: Ground, window: Window) -> None:
    for side, name in ((group.first, "a"), (group.second, "b")):
        area = ground.side(side, window) if side else None
        if area is None:
            continue
        for path in _paths(_clipped(shapely.boundary(area), window)):
            pixels = window.pixels(path)
            for line in [pixels] if name == "a" else dashes(pixels, *_DASH):
                pen.line(line, fill=_COLOURS[name], width=8 if name == "a" else 7)


def _draw_thin(pen: Any, group: Group, window: Window) -> None:
    """Draw regions as thin as a line once more, over the lines of both sides."""
    for polygon in _polygons(group.geometry):
        if 2 * polygon.area / polygon.length * window.scale < _THIN:
            for path in _paths(_clipped(polygon.exterior, window)):
                pen.line(window.pixels(path), fill=_COLOURS["region"], width=9, joint="curve")


def dashes(
    path: Sequence[tuple[float, float]], dash: float, gap: float
) -> Iterator[list[tuple[float, float]]]:
    """Yield the dashes of a line: each runs round corners, `dash` long with `gap` between."""
    points = np.asarray(path, float)
    steps = np.hypot(*np.diff(points, axis=0).T)
    ends = np.concatenate([[0.0], np.cumsum(steps)])
    for begin in np.arange(0.0, ends[-1], dash + gap).tolist():
        end = min(begin + dash, float(ends[-1]))
        inner = ends[(ends > begin) & (ends < end)]
        at = np.concatenate([[begin], inner, [end]])
        yield list(
            zip(np.interp(at, ends, points[:, 0]).tolist(), np.interp(at, ends, points[:, 1]).tolist())
        )


def _mark_small(pen: Any, group: Group, window: Window) -> None:
    """Put a ring round a region too small to be seen."""
    west, south, east, north = group.main.bounds
    if max(east - west, north - south) * window.scale >= _SMALL * 2:
        return
    ((x, y),) = window.pixels(np.array([group.place]))
    radius = _SMALL * 2
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_COLOURS["region"], width=5)


def scale_length(metres: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is no longer than `metres`."""
    power = 10.0 ** math.floor(math.log10(metres))
    return max(step * power for step in (1, 2, 5) if step * power <= metres)


def _draw_scale(pen: Any, window: Window, size: tuple[int, int]) -> None:
    """Draw a scale bar and a north arrow on white, so that lines below do not run into them."""
    length = scale_length((window.bounds[2] - window.bounds[0]) / 3.5)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    left, bottom, long = 24, size[1] - 24, length * window.scale
    font = _font()
    wide = pen.textlength(text, font=font)
    pen.rectangle((12, bottom - 66, left + max(long, wide) + 14, size[1] - 12), fill=_COLOURS["paper"])
    pen.line(
        [(left, bottom - 14), (left, bottom), (left + long, bottom), (left + long, bottom - 14)],
        fill=_COLOURS["ink"],
        width=5,
    )
    pen.text((left + 4, bottom - 60), text, fill=_COLOURS["ink"], font=font)
    right = size[0] - 48
    pen.rectangle((right - 26, 12, right + 26, 112), fill=_COLOURS["paper"])
    pen.polygon([(right, 18), (right - 18, 66), (right, 54), (right + 18, 66)], fill=_COLOURS["ink"])
    pen.text((right - pen.textlength("N", font=font) / 2, 66), "N", fill=_COLOURS["ink"], font=font)


def _font() -> Any:
    from PIL import ImageFont

    try:
        return ImageFont.load_default(size=34)
    except (TypeError, ImportError):
        # Older than 10.1, or built without FreeType: the one size there is.
        return ImageFont.load_default()


def all_of(case: Case, result: Written, progress: Progress) -> dict[str, bytes]:
    """Return the clip of every group by its id. Raises ImportError without Pillow."""
    ground = Ground(case, result, [window_of(group.main) for group in case.groups])
    clips: dict[str, bytes] = {}
    for at, group in enumerate(case.groups):
        clips[group.id] = drawn(group, ground)
        progress.advance((at + 1) / len(case.groups))
    return clips
