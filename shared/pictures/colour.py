"""
Converts a picture from its own colour space to sRGB, which every browser shows alike.

An embedded profile is used only if it fits the picture and claims no more memory than it has bytes.
Any other profile is ignored, since a photo without its profile still shows the person.
"""

from __future__ import annotations

import io
import math
import struct

from PIL import Image, ImageCms

_SPACES = {"RGB": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}


def to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """*picture* (L, RGB or CMYK) converted to an sRGB picture in mode RGB."""
    if profile and profile[16:20] == _SPACES[picture.mode] and _tables_fit(profile):
        try:
            transform = ImageCms.buildTransform(
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                picture.mode,
                "RGB",
            )
            return ImageCms.applyTransform(picture, transform) or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            # A broken profile: the plain conversion below is the best guess.
            pass
    return picture.convert("RGB")


def _tables_fit(profile: bytes) -> bool:
    """
    Whether no colour table in *profile* claims more bytes than it has.

    The colour engine allocates a table before it reads it, so a few hundred bytes could claim half
    a gigabyte. Layouts: ICC.1, sections lut8Type, lut16Type and lutAToBType.
    """
    try:
        (tags,) = struct.unpack_from(">I", profile, 128)
        for entry in range(132, 132 + 12 * min(tags, 101), 12):
            name, at, size = struct.unpack_from(">4sII", profile, entry)
            if name[:1] in b"AB" and name[1:3] in (b"2A", b"2B"):
                if _table_bytes(profile[at : at + size]) > size:
                    return False
            elif name[1:2] == b"2":  # D2B, B2D: floating-point tables, which photos never need
                return False
    except (struct.error, IndexError):
        return False
    return True


def _table_bytes(tag: bytes) -> int:
    """The number of bytes that the grid of a lookup table tag claims."""
    kind, inputs, outputs = tag[:4], tag[8], tag[9]
    if kind in (b"mft1", b"mft2"):
        return int(kind[3:]) * outputs * math.prod([tag[10]] * min(inputs, 16))
    (grid,) = struct.unpack_from(">I", tag, 24)
    if kind not in (b"mAB ", b"mBA ") or not grid:
        return 0
    return int(tag[grid + 16] * outputs * math.prod(tag[grid : grid + min(inputs, 16)]))
