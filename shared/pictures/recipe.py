"""How renditions are made; a change of the recipe makes every user's photo be copied again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.errors import PhotoRefused, PhotoTooLarge, Refused, Settled


@dataclass(frozen=True)
class Recipe:
    """How renditions are made: `render` makes them, `sizes` and `version` identify the method."""

    sizes: str
    version: int
    render: Callable[[bytes], Sequence[bytes]]

    def pictures(self, photo: bytes, ask_for_scaled: Callable[[], bytes]) -> Sequence[bytes]:
        """
        The renditions of *photo*, or of its scaled-down version if it is too large to be read.

        Raises PhotoRefused, and what *ask_for_scaled* raises unless that means there is none.
        """
        try:
            return self.render(photo)
        except PhotoTooLarge as too_large:
            try:
                return self.render(ask_for_scaled())
            except (Settled, Refused, PhotoRefused) as error:
                # A person can fix only the photo itself.
                raise PhotoRefused(str(too_large)) from error


# Increase it whenever the same photo would give other bytes: every user is then copied again.
# 2: CMYK without Adobe, JFIF beside Adobe, Exif after an empty one, keys of a PNG, canvas of a GIF.
RECIPE = 2
