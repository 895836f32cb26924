# SPDX-License-Identifier: GPL-2.0-or-later
"""A drawing of rectangles, bands and text, written as SVG and, by Pillow, as PNG: the same marks in both.

Lengths are points (1/72 inch) from the top left corner. Fills may carry a hatch, so that they stay apart
in black and white.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr  # nosec B406 - writes XML only

FONTS = "'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','SimSun','PingFang SC',sans-serif"
#: File names by which Pillow looks through the system's folders, with the face in a collection.
_FONT_FILES = (
    *(("NotoSansCJK-Regular.ttc", 2), ("NotoSansSC-Regular.otf", 0), ("SourceHanSansSC-Regular.otf", 0)),
    *(
        ("msyh.ttc", 0),
        ("simhei.ttf", 0),
        ("simsun.ttc", 0),
        ("PingFang.ttc", 0),
        ("Hiragino Sans GB.ttc", 0),
    ),
    *(("wqy-microhei.ttc", 0), ("wqy-zenhei.ttc", 0), ("NotoSerifCJK-Regular.ttc", 2)),
    ("DroidSansFallbackFull.ttf", 0),
)
_DPI, _PER_INCH = 200, 72
_HATCH_STEP = 5.0
_EDGE = 0.35
_INK = "#222222"

Point = tuple[float, float]


@dataclass(frozen=True)
class Fill:
    """A colour "#rrggbb" with a hatch of another: rising, falling, both, across, down, dots or ""."""

    colour: str
    hatch: str = ""
    line: str = _INK


@dataclass(frozen=True)
class _Shape:
    """A filled polygon; `opacity` 0..1; with its outline in the colour of the hatch where `outlined`."""

    points: tuple[Point, ...]
    fill: Fill
    opacity: float = 1.0
    outlined: bool = False


@dataclass(frozen=True)
class _Text:
    place: Point
    text: str
    size: float
    anchor: str
    bold: bool
    colour: str


#: Hatch names of the palette -> those drawn here.
HATCHES = {
    **{"rising": "rising", "falling": "falling", "diagonal_cross": "both", "cross": "grid"},
    **{"horizontal": "across", "vertical": "down", "dots": "dots", "dots_dense": "dots"},
    **{"dots_sparse": "dots", "none": "", "solid": ""},
}


@dataclass
class Canvas:
    """A drawing of `width` x `height` points with a title for readers that do not see it."""

    width: float
    height: float
    title: str
    marks: list[_Shape | _Text] = field(default_factory=list)

    def box(self, x: float, y: float, width: float, height: float, fill: Fill) -> None:
        """Draw a rectangle from its top left corner."""
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        self.marks.append(_Shape(corners, fill, outlined=True))

    def band(self, left: tuple[float, float, float], right: tuple[float, float, float], fill: Fill) -> None:
        """Draw a bent band between two upright edges, each (x, top, bottom)."""
        upper = list(_bent((left[0], left[1]), (right[0], right[1])))
        lower = list(_bent((left[0], left[2]), (right[0], right[2])))
        self.marks.append(_Shape((*upper, *reversed(lower)), fill, 0.55))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 9,
        anchor: str = "start",
        bold: bool = False,
        colour: str = _INK,
    ) -> None:
        """Write text with its base line at y; `anchor` start, middle or end."""
        self.marks.append(_Text((x, y), text, size, anchor, bold, colour))

    def svg(self) -> str:
        """Return the drawing as SVG."""
        box = f"{self.width:g} {self.height:g}"
        size = f'width="{self.width:g}pt" height="{self.height:g}pt" viewBox="0 0 {box}"'
        hatches = sorted(
            {_hatch_id(mark.fill) for mark in self.marks if isinstance(mark, _Shape) and mark.fill.hatch}
        )
        body = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family="{FONTS}">',
            f"<title>{escape(self.title)}</title>",
            "<defs>" + "".join(map(_svg_pattern, hatches)) + "</defs>",
            f'<rect width="{self.width:g}" height="{self.height:g}" fill="#ffffff"/>',
            *(_svg_mark(mark) for mark in self.marks),
            "</svg>",
        ]
        return "\n".join(body) + "\n"

    def png(self) -> bytes | None:
        """Return the drawing as PNG at 200 dpi, None where no font of the system has its characters.

        Raises ImportError without Pillow.
        """
        from PIL import Image

        fonts = _Fonts()
        if fonts.file is None and not self._is_plain():
            return None
        scale = _DPI / _PER_INCH
        picture = Image.new("RGB", (round(self.width * scale), round(self.height * scale)), "#ffffff")
        for mark in self.marks:
            if isinstance(mark, _Shape):
                _paint(picture, mark, scale)
            else:
                _print(picture, mark, scale, fonts)
        stream = io.BytesIO()
        picture.save(stream, "PNG", dpi=(_DPI, _DPI), optimize=True)
        return stream.getvalue()

    def _is_plain(self) -> bool:
        return all(mark.text.isascii() for mark in self.marks if isinstance(mark, _Text))


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is in points: a Chinese sign is as wide as it is high."""
    wide = sum(1.0 if unicodedata.east_asian_width(sign) in "WFA" else 0.53 for sign in text)
    return wide * size


def fitted(text: str, size: float, width: float) -> str:
    """Return a text cut to a width in points: an ellipsis in its middle, as names differ at both ends."""
    if text_width(text, size) <= width:
        return text
    kept = len(text) - 1
    while kept > 0 and text_width(_shortened(text, kept), size) > width:
        kept -= 1
    return _shortened(text, kept)


def _shortened(text: str, kept: int) -> str:
    head = (kept + 1) // 2
    return f"{text[:head]}…{text[len(text) - (kept - head) :]}"


def _bent(start: Point, end: Point) -> Iterator[Point]:
    """Yield points of a curve that leaves and arrives level."""
    for step in range(25):
        share = step / 24
        bend = share * share * (3 - 2 * share)
        yield start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * bend


# --- SVG -------------------------------------------------------------------------------------------


def _hatch_id(fill: Fill) -> tuple[str, str]:
    return fill.hatch, fill.line


def _svg_mark(mark: _Shape | _Text) -> str:
    if isinstance(mark, _Text):
        weight = ' font-weight="bold"' if mark.bold else ""
        place = f'x="{mark.place[0]:.2f}" y="{mark.place[1]:.2f}" font-size="{mark.size:g}"'
        look = f'text-anchor="{mark.anchor}" fill="{mark.colour}"{weight}'
        return f"<text {place} {look}>{escape(mark.text)}</text>"
    path = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in mark.points) + "Z"
    opacity = f' fill-opacity="{mark.opacity:g}"' if mark.opacity < 1 else ""
    edge = f' stroke="{mark.fill.line}" stroke-width="{_EDGE}"' if mark.outlined else ""
    drawn = f'<path d="{path}" fill={quoteattr(mark.fill.colour)}{opacity}{edge}/>'
    if mark.fill.hatch:
        drawn += f'<path d="{path}" fill="url(#{_pattern_name(*_hatch_id(mark.fill))})"/>'
    return drawn


def _pattern_name(hatch: str, line: str) -> str:
    return f"{hatch}-{line.lstrip('#')}"


def _svg_pattern(key: tuple[str, str]) -> str:
    hatch, line = key
    step = _HATCH_STEP
    if hatch == "dots":
        inner = f'<circle cx="{step / 2}" cy="{step / 2}" r="0.8" fill="{line}"/>'
    else:
        path = "".join(f"M{a:g} {b:g}L{c:g} {d:g}" for a, b, c, d in _hatch_lines(hatch, step))
        inner = f'<path d="{path}" stroke="{line}" stroke-width="0.5" fill="none"/>'
    head = f'<pattern id="{_pattern_name(hatch, line)}" width="{step}" height="{step}" '
    return f'{head}patternUnits="userSpaceOnUse">{inner}</pattern>'


def _hatch_lines(hatch: str, step: float) -> list[tuple[float, float, float, float]]:
    lines = {
        "rising": [(0, step, step, 0)],
        "falling": [(0, 0, step, step)],
        "across": [(0, step / 2, step, step / 2)],
        "down": [(step / 2, 0, step / 2, step)],
    }
    several = {"both": ("rising", "falling"), "grid": ("across", "down")}
    return [line for name in several.get(hatch, (hatch,)) for line in lines[name]]


# --- PNG -------------------------------------------------------------------------------------------


class _Fonts:
    """The first font of the system that has Chinese signs, by size."""

    def __init__(self) -> None:
        self.file = next((one for one in _FONT_FILES if _opens(one)), None)
        self._sizes: dict[float, Any] = {}

    def of(self, size: float) -> Any:
        """Return the font at a size in pixels."""
        from PIL import ImageFont

        if size not in self._sizes:
            if self.file is None:
                self._sizes[size] = ImageFont.load_default(size=size)
            else:
                self._sizes[size] = ImageFont.truetype(self.file[0], round(size), index=self.file[1])
        return self._sizes[size]


def _opens(file: tuple[str, int]) -> bool:
    from PIL import ImageFont

    try:
        ImageFont.truetype(file[0], 12, index=file[1])
    except OSError:
        return False
    return True


def _paint(picture: Any, shape: _Shape, scale: float) -> None:
    from PIL import Image, ImageDraw

    points = [(x * scale, y * scale) for x, y in shape.points]
    left, top = int(min(x for x, _ in points)), int(min(y for _, y in points))
    right, bottom = (int(max(part)) + 2 for part in zip(*points))
    size = (right - left, bottom - top)
    inside = [(x - left, y - top) for x, y in points]
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).polygon(inside, fill=round(255 * shape.opacity))
    picture.paste(shape.fill.colour, (left, top), mask)
    if shape.fill.hatch:
        lines = Image.new("L", size, 0)
        _hatch_over(ImageDraw.Draw(lines), shape.fill.hatch, size, (left, top), _HATCH_STEP * scale)
        whole = Image.new("L", size, 0)
        ImageDraw.Draw(whole).polygon(inside, fill=255)
        both = Image.composite(lines, Image.new("L", size, 0), whole)
        picture.paste(shape.fill.line, (left, top), both)
    if shape.outlined:
        ImageDraw.Draw(picture).polygon(points, outline=shape.fill.line)


def _hatch_over(pen: Any, hatch: str, size: tuple[int, int], origin: tuple[int, int], step: float) -> None:
    """Draw a hatch over a picture, in step with the whole drawing."""
    first = [int(-(place % step) - step) for place in origin]
    x = float(first[0])
    while x < size[0]:
        y = float(first[1])
        while y < size[1]:
            if hatch == "dots":
                pen.ellipse(
                    (x + step / 2 - 2, y + step / 2 - 2, x + step / 2 + 2, y + step / 2 + 2), fill=255
                )
            else:
                for a, b, c, d in _hatch_lines(hatch, step):
                    pen.line((x + a, y + b, x + c, y + d), fill=255, width=1)
            y += step
        x += step


def _print(picture: Any, mark: _Text, scale: float, fonts: _Fonts) -> None:
    from PIL import ImageDraw

    pen, font = ImageDraw.Draw(picture), fonts.of(mark.size * scale)
    anchor = {"start": "ls", "middle": "ms", "end": "rs"}[mark.anchor]
    place = (mark.place[0] * scale, mark.place[1] * scale)
    stroke = 1 if mark.bold else 0
    pen.text(place, mark.text, fill=mark.colour, font=font, anchor=anchor, stroke_width=stroke)
