"""A picture file as its header describes it, and the words for one that is not accepted."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from shared.errors import PhotoRefused

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
    adobe: bool = False


def damaged(kind: str) -> PhotoRefused:
    """The sentence for a file that begins well and cannot be read to its end."""
    return PhotoRefused(f"The photo is a damaged or cut-off {kind} file; {ADVICE}.")


def exif_orientation(tiff: bytes) -> int:
    """Tag 0x0112 of the first directory, 1 to 8; 1 for anything that is not sound EXIF."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * entries, 12):
            tag, form, count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if (tag, form, count) == (0x0112, 3, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
