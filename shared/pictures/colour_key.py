"""
The single transparent colour of a PNG without an alpha channel (PNG, 11.3.1.1 "tRNS").

It is compared at the file's own bit depth. Pillow compares it with samples already converted to 8
bits, so a key of 2, 4 or 16 bits hides nothing or the wrong colour.
"""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageChops

_SAMPLES = {0: 1, 2: 3}  # samples of greyscale and truecolour; no other type has a key


@dataclass(frozen=True)
class ColourKey:
    """The transparent colour: one sample, or three, of `depth` bits."""

    samples: tuple[int, ...]
    depth: int


def read(chunk: bytes, depth: int, colour_type: int) -> ColourKey | None:
    """The key in a tRNS *chunk*; None if there is no chunk, or it is too short."""
    count = _SAMPLES.get(colour_type, 0)
    if not count or len(chunk) < 2 * count:
        return None
    samples = struct.unpack_from(f">{count}H", chunk)
    # "If the image bit depth is less than 16 bits, the least significant bits are used."
    return ColourKey(tuple(sample & ((1 << depth) - 1) for sample in samples), depth)


def alpha(picture: Image.Image, key: ColourKey, content: bytes) -> Image.Image:
    """The alpha channel of *picture*, which was decoded from *content*."""
    if picture.mode == "I;16":
        (hidden,) = key.samples
        return picture.convert("I").point([255 * (n != hidden) for n in range(1 << 16)], "L")
    if key.depth < 16:
        scale = 255 // ((1 << key.depth) - 1)
        return _differs(picture, [sample * scale for sample in key.samples])
    high = _differs(picture, [sample >> 8 for sample in key.samples])
    return ImageChops.lighter(high, _differs(_low_bytes(content), [n & 255 for n in key.samples]))


def _differs(picture: Image.Image, samples: Sequence[int]) -> Image.Image:
    """255 where any band of *picture* differs from its sample, else 0."""
    if picture.mode == "1":
        picture = picture.convert("L")
    bands = (
        picture.getchannel(band).point([255 * (n != sample) for n in range(256)])
        for band, sample in enumerate(samples)
    )
    return functools.reduce(ImageChops.lighter, bands)


def _low_bytes(content: bytes) -> Image.Image:
    """The low bytes of 16-bit samples, which Pillow drops."""
    with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
        # The unpacker for the other byte order takes the other byte.
        picture.tile = [tile._replace(args="RGB;16L") for tile in picture.tile]
        picture.load()
        return picture
