"""A picture file as its header describes it, and the error for a damaged one."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import PhotoRefused
from shared.pictures.colour_key import ColourKey

ADVICE = "set it again in Exchange as an ordinary JPEG or PNG"


@dataclass(frozen=True)
class PictureFile:
    """One still picture: its actual dimensions, and bytes that contain only pixels."""

    format: str
    width: int
    height: int
    content: bytes = field(repr=False)
    orientation: int = 1
    profile: bytes | None = field(default=None, repr=False)
    # Where the scans of a JPEG end, if only a second decoding tells whether they are complete.
    joints: tuple[int, ...] = ()
    key: ColourKey | None = None
    # The offset of the pixels in the picture, which they may not fill.
    place: tuple[int, int] = (0, 0)


def damaged(kind: str) -> PhotoRefused:
    """The error for a file that begins correctly but cannot be read to its end."""
    return PhotoRefused(f"The photo is a damaged or truncated {kind} file; {ADVICE}.")
