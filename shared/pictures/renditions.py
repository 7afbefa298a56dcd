"""
Makes the pictures that SharePoint shows from the photo in Exchange.

Peak memory, measured as growth of the process: 2 MB for an ordinary photo (648×648), up to 200 MB
for the largest accepted one (25 megapixels, transparent or progressive), 350 MB if one 48-bit
colour is transparent. Photos over 4 megapixels are processed one at a time, so that the memory of
several large ones does not add up.
"""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace

from PIL import Image

from shared.pictures import colour, colour_key, jpeg, reader
from shared.pictures.picture_file import PictureFile, damaged

_LARGE_PIXELS = 4_000_000
_one_large = threading.Lock()

# The transposition that undoes EXIF orientation n; 1 is upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# What Pillow's readers raise on invalid bytes.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, struct.error)

Image.preinit()  # here, so that no two threads do it concurrently


def renditions(photo: bytes, sizes: Sequence[int]) -> list[bytes]:
    """
    One square, upright sRGB baseline JPEG without metadata per size, in the order of *sizes*.

    A photo smaller than a size is not enlarged. The same input always gives the same output.
    Raises PhotoRefused with a sentence for an admin if *photo* is not a valid picture.
    """
    file = reader.read(photo)
    with _one_large if _is_large(file) else nullcontext():
        largest = _square(file, max(sizes))
        if file.joints:
            _check_scans(file, largest, max(sizes))
    made: dict[int, bytes] = {}
    for size in sizes:
        side = min(size, largest.width)
        if side not in made:
            made[side] = _jpeg(_resized(largest, side))
    return [made[min(size, largest.width)] for size in sizes]


def _is_large(file: PictureFile) -> bool:
    # The search for a transparent colour takes several times the memory.
    return file.width * file.height * (4 if file.key else 1) > _LARGE_PIXELS


def _check_scans(file: PictureFile, seen: Image.Image, size: int) -> None:
    """Refuse a picture that changes if extra bytes follow its scans: a scan is incomplete."""
    other = _square(replace(file, content=jpeg.loosened(file)), size)
    if seen.tobytes() != other.tobytes():
        raise damaged(file.format)


def _square(file: PictureFile, size: int) -> Image.Image:
    """The centre of the picture, upright, in sRGB on white, at most *size* pixels wide."""
    picture = _decoded(file, size)
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    if picture.width != picture.height:
        picture = picture.crop((left, top, left + side, top + side))
    # Shrink first, so that colours and transparency are computed only for the final size.
    picture = _resized(picture, min(size, side))
    if file.orientation in _UPRIGHT:
        picture = picture.transpose(_UPRIGHT[file.orientation])
    if picture.mode not in ("LA", "RGBA"):
        return colour.to_srgb(picture, file.profile)
    *channels, alpha = picture.split()
    opaque = Image.merge(picture.mode[:-1], channels)
    white = Image.new("RGB", picture.size, "white")
    white.paste(colour.to_srgb(opaque, file.profile), mask=alpha)
    return white


def _decoded(file: PictureFile, size: int) -> Image.Image:
    """The pixels in mode L, LA, RGB, RGBA or CMYK, 8 bits a channel."""
    try:
        with Image.open(io.BytesIO(file.content), formats=(file.format,)) as opened:
            # A JPEG can be decoded at a half, a quarter or an eighth for a fraction of the cost; at
            # twice the wanted size no difference is visible.
            opened.draft(None, (2 * size, 2 * size))
            opened.load()
            alpha = colour_key.alpha(opened, file.key, file.content) if file.key else None
            picture = _plain(opened)
    except _UNREADABLE as error:
        raise damaged(file.format) from error
    if alpha:
        picture.putalpha(alpha)
    return _on_canvas(picture, file)


def _plain(picture: Image.Image) -> Image.Image:
    if picture.mode == "I;16":
        picture = picture.point(lambda value: value / 257).convert("L")
    # CMYK stays unchanged: Pillow inverts the ink values, as Adobe stores them, with or without
    # Adobe's marker. So do browsers, ImageMagick and libvips (sharp#1649, libvips#1283).
    if picture.mode in ("1", "L"):
        mode = "LA" if "transparency" in picture.info else "L"
    elif picture.mode in ("P", "RGB"):
        mode = "RGBA" if "transparency" in picture.info else "RGB"
    else:
        mode = picture.mode
    return picture if mode == picture.mode else picture.convert(mode)


def _on_canvas(picture: Image.Image, file: PictureFile) -> Image.Image:
    """Surround a frame smaller than its GIF with nothing, shown as white (GIF89a, section 20)."""
    if file.format != "GIF" or picture.size == (file.width, file.height):
        return picture
    nothing = {"L": (255,), "LA": (255, 0), "RGB": (255,) * 3, "RGBA": (255, 255, 255, 0)}
    canvas = Image.new(picture.mode, (file.width, file.height), nothing[picture.mode])
    canvas.paste(picture, file.place)
    return canvas


def _resized(picture: Image.Image, side: int) -> Image.Image:
    if side == picture.width:
        return picture
    return picture.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _jpeg(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    # Full chroma resolution: at 48 pixels, subsampling is visible and saves nothing.
    picture.save(stream, "JPEG", quality=90, subsampling=0)
    return stream.getvalue()
