"""How renditions are made: what has to change for everybody to be copied again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How renditions are made: `render` does it, `sizes` and `version` name the way."""

    sizes: str
    version: int
    render: Callable[[bytes], Sequence[bytes]]


# Raised whenever the same photo would give other bytes: everybody is then copied once more.
# 2: CMYK without Adobe, JFIF beside Adobe, Exif after an empty one, keys of a PNG, canvas of a GIF.
RECIPE = 2
