"""GIF files."""

from __future__ import annotations

import struct

from shared.pictures.picture_file import PictureFile, damaged


def read(photo: bytes) -> PictureFile:
    """The first frame of the GIF file *photo*. Raises PhotoRefused, struct.error, IndexError."""
    width, height, flags = struct.unpack_from("<HHB", photo, 6)
    at = 13 + _palette_bytes(flags)
    kept = [photo[:at]]
    while photo[at] == 0x21:
        end = _past_blocks(photo, at + 2)
        if photo[at + 1] == 0xF9:  # graphic control: says which colour is transparent
            kept.append(photo[at:end])
        at = end
    if photo[at] != 0x2C:
        raise damaged("GIF")
    left, top, wide, high, flags = struct.unpack_from("<HHHHB", photo, at + 1)
    if wide < 1 or high < 1:
        raise damaged("GIF")
    end = _past_blocks(photo, at + 11 + _palette_bytes(flags))
    kept += [photo[at:end], b";"]
    # A frame may reach beyond the canvas; decoders then make the canvas larger.
    return PictureFile("GIF", max(width, left + wide), max(height, top + high), b"".join(kept))


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _past_blocks(photo: bytes, at: int) -> int:
    """The position after a chain of sub-blocks, each led by its length, closed by 0."""
    while photo[at]:
        at += photo[at] + 1
    return at + 1
