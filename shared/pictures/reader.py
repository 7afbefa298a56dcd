"""
What a picture file says about itself, read without decoding a single pixel.

`read` walks the container of a JPEG, PNG, GIF or BMP, checks that it is whole and not oversized,
takes out the orientation and the colour profile, and hands on only the parts that hold pixels.
So the decoder never meets EXIF, XMP, text, comments, thumbnails or second images, and nothing of
them can end up in SharePoint.

TIFF and WebP are left out on purpose: Graph hands out JPEG (it re-encodes what is uploaded), older
ways of storing a photo used the four formats here, and each further decoder is one more thing a
hostile file can attack.
"""

from __future__ import annotations

import struct

from shared.errors import PhotoRefused, PhotoTooLarge
from shared.pictures import bmp, gif, jpeg, png
from shared.pictures.picture_file import ADVICE, PictureFile, damaged

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 25_000_000


def read(photo: bytes) -> PictureFile:
    """
    Understand the container of *photo*, or say in a sentence why it is refused.

    Raises PhotoRefused; where only the size is in the way PhotoTooLarge, which is one, too.
    """
    if not photo:
        raise PhotoRefused(f"The photo is empty; {ADVICE}.")
    if len(photo) > MAX_BYTES:
        size = len(photo) / 1024 / 1024
        raise PhotoTooLarge(
            f"The photo has {size:.1f} MB, more than the 8 MB that are read; set a smaller one."
        )
    for kind, magic, walk in (
        ("JPEG", b"\xff\xd8\xff", jpeg.read),
        ("PNG", b"\x89PNG\r\n\x1a\n", png.read),
        ("GIF", b"GIF8", gif.read),
        ("BMP", b"BM", bmp.read),
    ):
        if photo.startswith(magic):
            try:
                return _checked(walk(photo))
            except (struct.error, IndexError) as error:
                raise damaged(kind) from error
    raise PhotoRefused(f"The photo is not a JPEG, PNG, GIF or BMP picture; {ADVICE}.")


def _checked(file: PictureFile) -> PictureFile:
    if file.width < 1 or file.height < 1:
        raise damaged(file.format)
    if file.width * file.height > MAX_PIXELS:
        raise PhotoTooLarge(
            f"The photo has {file.width} × {file.height} pixels, more than the 25 megapixels "
            "that are read; set a smaller one."
        )
    return file
