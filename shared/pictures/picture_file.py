"""A picture file as its header describes it, and the words for one that is not accepted."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import PhotoRefused
from shared.pictures.colour_key import ColourKey

ADVICE = "set it again in Exchange as an ordinary JPEG or PNG"


@dataclass(frozen=True)
class PictureFile:
    """One still picture: its true dimensions, and bytes that hold pixels and nothing else."""

    format: str
    width: int
    height: int
    content: bytes = field(repr=False)
    orientation: int = 1
    profile: bytes | None = field(default=None, repr=False)
    # Where the scans of a JPEG end if only a second look tells whether they are whole.
    joints: tuple[int, ...] = ()
    key: ColourKey | None = None
    # Where the pixels stand in the picture if they may not fill it.
    place: tuple[int, int] = (0, 0)


def damaged(kind: str) -> PhotoRefused:
    """The sentence for a file that begins well and cannot be read to its end."""
    return PhotoRefused(f"The photo is a damaged or cut-off {kind} file; {ADVICE}.")
