"""What Exchange does with an uploaded photo: refuse, re-encode, resize. Pure; no wire format."""

from __future__ import annotations

import hashlib
import io
import secrets
import warnings
from dataclasses import dataclass
from datetime import datetime

from PIL import Image, ImageOps

from local.m365.tenant.records import Photo

LARGEST = 648
SIZES = (48, 64, 96, 120, 240, 360, 432, 504, 648)  # (D, facts/graph.md section 4)
MAX_BYTES = 4 * 1024 * 1024  # updates must be under 4 MB (D, section 4)
MAX_PIXELS = 50_000_000  # assumed; the real limit is unknown
QUALITY = 90


class InvalidImage(Exception):
    """The upload is not an image that Exchange would accept."""


@dataclass(frozen=True)
class Picture:
    """An image as it is stored."""

    content: bytes
    content_type: str
    width: int
    height: int


def accept(upload: bytes, *, reencode: bool, fresh: bool) -> Picture:
    """
    What is stored for *upload*. Raises InvalidImage.

    Reported: Graph re-encodes uploads (I, facts/graph.md section 1).
    Assumed: nothing is cropped, the longer side becomes at most 648, the result is an upright sRGB
        or grey JPEG without metadata, and equal uploads give equal bytes. With *fresh*, every
        upload gives different bytes; without *reencode* the bytes stay the same.
    """
    image = _opened(upload)
    if not reencode:
        kind = Image.MIME.get(image.format or "", "application/octet-stream")
        return Picture(upload, kind, image.width, image.height)
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((LARGEST, LARGEST), Image.Resampling.LANCZOS)
    comment = secrets.token_bytes(16) if fresh else b""
    return _jpeg(upright, comment)


def sized(photo: Photo, size: int) -> Picture | None:
    """
    *photo* at *size*, or None if it is smaller than that.

    Assumed: a size is a square that the image is fitted into; only sizes up to the stored one
        exist, and the stored one always does.
    """
    longest = max(photo.width, photo.height)
    if size == longest:
        return Picture(photo.content, photo.content_type, photo.width, photo.height)
    if size > longest:
        return None
    with Image.open(io.BytesIO(photo.content)) as image:
        image.thumbnail((size, size), Image.Resampling.LANCZOS)
        return _jpeg(image, b"")


def stored(picture: Picture, now: datetime) -> Photo:
    """*picture* as Exchange's photo, with an ETag never used before (I, section 1)."""
    return Photo(
        picture.content,
        picture.content_type,
        picture.width,
        picture.height,
        f'W/"{secrets.token_hex(32)}"',
        now,
    )


def media_etag(photo: Photo) -> str:
    """
    The metadata's ETag: changes with the photo, and never equals the ETag of the bytes.

    Whether the two are equal is undocumented (facts/graph.md section 1). Here they never are, so
    that a client that compares them fails.
    """
    return f'"{hashlib.sha256(photo.etag.encode()).hexdigest()[:32].upper()}"'


def _opened(upload: bytes) -> Image.Image:
    if len(upload) >= MAX_BYTES:
        raise InvalidImage("too large")
    try:
        with warnings.catch_warnings():
            # Pillow warns about large images; here our own limit applies.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(upload))
            if image.width * image.height > MAX_PIXELS:
                raise InvalidImage("too many pixels")
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidImage("not a valid image") from error
    return image


def _jpeg(image: Image.Image, comment: bytes) -> Picture:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        transparent = image.convert("RGBA")
        image = Image.new("RGB", image.size, "white")
        image.paste(transparent, mask=transparent.getchannel("A"))
    elif image.mode not in ("RGB", "L"):
        image = image.convert("RGB")
    target = io.BytesIO()
    image.save(target, "JPEG", quality=QUALITY, comment=comment, exif=b"", icc_profile=b"")
    return Picture(target.getvalue(), "image/jpeg", image.width, image.height)
