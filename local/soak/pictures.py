"""Photos that cannot be mistaken for each other, small enough to make many of."""

from __future__ import annotations

import io
import random

from PIL import Image

from local.outside.likeness import ALIKE, difference

_SIDE = 240


def pictures(count: int) -> list[bytes]:
    """*count* JPEGs; any two differ by far more than `likeness` allows."""
    made = [_picture(number) for number in range(count)]
    for number, picture in enumerate(made[1:]):
        if difference(made[number], picture) < 3 * ALIKE:
            raise ValueError(f"pictures {number} and {number + 1} look alike")
    return made


def _picture(number: int) -> bytes:
    """A board of twenty-five fields, each in its own colour."""
    board = Image.frombytes("RGB", (5, 5), random.Random(f"picture {number}").randbytes(75))
    stream = io.BytesIO()
    board.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    return stream.getvalue()
