"""GIF files: GIF89a."""

from __future__ import annotations

import struct

from shared.pictures.picture_file import PictureFile, damaged

# A GIF of 8 MB has 33,000 blocks of 255 bytes; millions of empty ones would cost time and memory.
MAX_BLOCKS = 100_000
_CONTROL = 0xF9


class _Blocks:
    """Skips blocks and counts them."""

    def __init__(self, photo: bytes) -> None:
        self._photo = photo
        self._left = MAX_BLOCKS

    def end(self, at: int) -> int:
        """The position after a chain of sub-blocks, each preceded by its length, ended by 0."""
        self._count()
        while self._photo[at]:
            self._count()
            at += self._photo[at] + 1
        return at + 1

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise damaged("GIF")


def read(photo: bytes) -> PictureFile:
    """Parse the first frame of the GIF *photo*. Raises PhotoRefused, struct.error, IndexError."""
    width, height, flags, background, aspect = struct.unpack_from("<HHBBB", photo, 6)
    at = 13 + _palette_bytes(flags)
    palette = photo[13:at]
    blocks, control = _Blocks(photo), b""
    while photo[at] == 0x21:
        end = blocks.end(at + 2)
        if photo[at + 1] == _CONTROL:
            # Section 23: its 4 bytes name the transparent colour; the last such block counts.
            control = photo[at:end]
            if len(control) != 8:
                raise damaged("GIF")
        at = end
    if photo[at] != 0x2C:
        raise damaged("GIF")
    left, top, wide, high, frame_flags = struct.unpack_from("<HHHHB", photo, at + 1)
    if wide < 1 or high < 1:
        raise damaged("GIF")
    pixels = photo[at + 10 : blocks.end(at + 11 + _palette_bytes(frame_flags))]
    # The decoder gets a canvas of the frame's size: it would fill a larger one with a colour.
    screen = struct.pack("<HHBBB", wide, high, flags, background, aspect)
    frame = b"," + struct.pack("<HHHHB", 0, 0, wide, high, frame_flags)
    return PictureFile(
        "GIF",
        # A frame may extend beyond the canvas; decoders then enlarge the canvas.
        max(width, left + wide),
        max(height, top + high),
        b"".join([photo[:6], screen, palette, control, frame, pixels, b";"]),
        place=(left, top),
    )


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
