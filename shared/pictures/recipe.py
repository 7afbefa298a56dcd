"""How renditions are made: what has to change for everybody to be copied again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.errors import PhotoRefused, PhotoTooLarge, Refused, Settled


@dataclass(frozen=True)
class Recipe:
    """How renditions are made: `render` does it, `sizes` and `version` name the way."""

    sizes: str
    version: int
    render: Callable[[bytes], Sequence[bytes]]

    def pictures(self, photo: bytes, ask_for_scaled: Callable[[], bytes]) -> Sequence[bytes]:
        """
        The renditions of *photo*, or of the same one scaled down where it is too large to be read.

        Raises PhotoRefused, and what *ask_for_scaled* raises unless that means there is none.
        """
        try:
            return self.render(photo)
        except PhotoTooLarge as too_large:
            try:
                return self.render(ask_for_scaled())
            except (Settled, Refused, PhotoRefused) as error:
                # A person can mend the photo itself, and nothing else.
                raise PhotoRefused(str(too_large)) from error


# Raised whenever the same photo would give other bytes: everybody is then copied once more.
# 2: CMYK without Adobe, JFIF beside Adobe, Exif after an empty one, keys of a PNG, canvas of a GIF.
RECIPE = 2
