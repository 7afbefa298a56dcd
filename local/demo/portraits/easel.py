"""
A canvas for drawing in soft paint: shapes become masks, masks become colour.

Coordinates are thousandths of the picture's width. Drawn larger than the final size and reduced.
"""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]

_SIDE = 972
# The picture shows a little less than the whole coordinate range.
_ZOOM, _LEFT, _TOP = 1.27, 106, 75


def rgb(text: str) -> Colour:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def darker(colour: Colour, share: float = 0.2) -> Colour:
    return mixed(colour, (40, 16, 20), share)


class Pen:
    """Draws white shapes into a mask; black ones cut away."""

    def __init__(self, draw: ImageDraw.ImageDraw, side: int) -> None:
        self._draw = draw
        self._scale = _ZOOM * side / 1000

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return (x - _LEFT) * self._scale, (y - _TOP) * self._scale

    def _box(self, left: float, top: float, right: float, bottom: float) -> Box:
        return (*self._at(left, top), *self._at(right, bottom))

    def oval(self, x: float, y: float, rx: float, ry: float, fill: int = 255) -> None:
        self._draw.ellipse(self._box(x - rx, y - ry, x + rx, y + ry), fill=fill)

    def ring(self, x: float, y: float, rx: float, ry: float, width: float) -> None:
        box = self._box(x - rx, y - ry, x + rx, y + ry)
        radius, line = rx * 0.8 * self._scale, round(width * self._scale)
        self._draw.rounded_rectangle(box, radius=radius, outline=255, width=line)

    def block(self, box: Box, radius: float = 0, fill: int = 255) -> None:
        self._draw.rounded_rectangle(self._box(*box), radius=radius * self._scale, fill=fill)

    def shape(self, *points: tuple[float, float], fill: int = 255) -> None:
        self._draw.polygon([self._at(x, y) for x, y in points], fill=fill)

    def bow(self, box: Box, start: float, end: float, width: float) -> None:
        """An arc of an oval with round ends, in degrees, clockwise from the right."""
        line = round(width * self._scale)
        self._draw.arc(self._box(*box), start, end, fill=255, width=line)


class Easel:
    """A canvas with coordinates in thousandths and soft brushes."""

    def __init__(self, ground: tuple[Colour, Colour]) -> None:
        light, dark = ground
        # Light falls from the upper left.
        ramp = Image.linear_gradient("L").rotate(30, Image.Resampling.BICUBIC)
        ramp = ramp.crop((40, 40, 216, 216))
        grown = ramp.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        self.picture = ImageOps.colorize(grown, light, dark)

    def mask(self, draw: Callable[[Pen], None], blur: float = 0) -> Image.Image:
        # A wide blur hides detail, so draw it small at a sixteenth of the cost.
        side = _SIDE // 4 if blur > 10 else _SIDE
        mask = Image.new("L", (side, side), 0)
        draw(Pen(ImageDraw.Draw(mask), side))
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * side / 1000 * _ZOOM))
        return mask.resize(self.picture.size, Image.Resampling.BILINEAR) if side < _SIDE else mask

    def paint(
        self,
        colour: Colour,
        draw: Callable[[Pen], None],
        *,
        blur: float = 0,
        within: Image.Image | None = None,
        strength: float = 1,
    ) -> Image.Image:
        """Paint *colour* where *draw* draws, only *within* another mask; returns the mask."""
        mask = self.mask(draw, blur)
        if within is not None:
            mask = ImageChops.multiply(mask, within)
        if strength < 1:
            mask = mask.point([round(value * strength) for value in range(256)])
        if box := mask.getbbox():
            self.picture.paste(colour, box, mask.crop(box))
        return mask
