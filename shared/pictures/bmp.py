"""BMP files."""

from __future__ import annotations

import struct

from shared.errors import PhotoRefused
from shared.pictures.picture_file import ADVICE, PictureFile


def read(photo: bytes) -> PictureFile:
    """Parse the BMP file *photo*. Raises PhotoRefused, struct.error."""
    (header,) = struct.unpack_from("<I", photo, 14)
    if header == 12:
        width, height = struct.unpack_from("<HH", photo, 18)
        compression = 0
    else:
        width, height = struct.unpack_from("<ii", photo, 18)
        (compression,) = struct.unpack_from("<I", photo, 30)
    # 0 is uncompressed, 3 is bit masks. Run-length encoding is decoded in Python, byte by byte,
    # which is too slow to accept.
    if header not in (12, 40, 52, 56, 64, 108, 124) or compression not in (0, 3):
        raise PhotoRefused(f"The photo is an unsupported kind of BMP; {ADVICE}.")
    return PictureFile("BMP", width, abs(height), photo)
