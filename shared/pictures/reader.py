"""
Reads the structure of a picture file without decoding any pixel.

`read` parses the container of a JPEG, PNG, GIF or BMP, checks that it is complete and not too
large, extracts the orientation and the colour profile, and passes on only the parts with pixels.
So EXIF, XMP, text, comments, thumbnails and second images never reach the decoder, and none of them
can end up in SharePoint.

TIFF and WebP are excluded on purpose. Graph returns JPEG (it re-encodes uploads), older methods of
storing a photo used the four formats here, and each further decoder is one more target for a
malicious file.
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
    Parse the container of *photo*.

    Raises PhotoRefused with the reason; its subclass PhotoTooLarge if only the size is wrong.
    """
    if not photo:
        raise PhotoRefused(f"The photo is empty; {ADVICE}.")
    if len(photo) > MAX_BYTES:
        size = len(photo) / 1024 / 1024
        raise PhotoTooLarge(
            f"The photo is {size:.1f} MB, more than the limit of 8 MB; set a smaller one."
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
            f"The photo has {file.width} × {file.height} pixels, more than the limit of "
            "25 megapixels; set a smaller one."
        )
    return file
