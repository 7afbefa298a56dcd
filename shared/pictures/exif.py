"""Reads a photo's orientation from Exif (Exif 2.32, 4.6 "TIFF Rev. 6.0 Attribute")."""

from __future__ import annotations

import struct
from collections.abc import Iterable

_UPRIGHT = 1


def orientation_of(tiffs: Iterable[bytes]) -> int:
    """The orientation in the first non-empty one of *tiffs*, 1 to 8; 1 for anything else."""
    # As in browsers, an invalid first one is not replaced by a second.
    tiff = next(filter(None, tiffs), b"")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    return _orientation(tiff, order) if order else _UPRIGHT


def _orientation(tiff: bytes, order: str) -> int:
    """Tag 0x0112 of the first directory."""
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * entries, 12):
            tag, form, count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if (tag, form, count) == (0x0112, 3, 1):
                return value if 1 <= value <= 8 else _UPRIGHT
    except struct.error:
        pass
    return _UPRIGHT
