"""Whether a SharePoint picture shows the photo in Exchange, by comparing the images."""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

# Mean difference per channel, of 255. Two JPEGs of one photo differ by 1 to 4, of two people by 40.
ALIKE = 8.0
# The side of each picture in pixels, by its letter (facts: sharepoint.md section 1).
SIDES = {"S": 48, "M": 72, "L": 300}


def difference(exchange: bytes, sharepoint: bytes) -> float:
    """
    The mean difference per channel, 0 to 255, after converting both to one size and colour space.
    """
    picture = _seen(sharepoint)
    photo = ImageOps.fit(_seen(exchange), picture.size, Image.Resampling.LANCZOS)
    means = ImageStat.Stat(ImageChops.difference(photo, picture)).mean
    return sum(means) / len(means)


def alike(exchange: bytes, sharepoint: bytes) -> bool:
    """Whether a person would call them the same picture."""
    return difference(exchange, sharepoint) <= ALIKE


def is_rendition(exchange: bytes, sharepoint: bytes, letter: str) -> bool:
    """Whether it is the photo in the size of *letter*; a smaller photo need not be enlarged."""
    least = min(SIDES[letter], *_seen(exchange).size)
    try:
        width, height = _seen(sharepoint).size
    except OSError:  # not an image
        return False
    return least <= width == height <= SIDES[letter] and alike(exchange, sharepoint)


def _seen(content: bytes) -> Image.Image:
    """The picture as a browser shows it: upright, in sRGB, on white."""
    file = Image.open(io.BytesIO(content))
    profile = file.info.get("icc_profile")
    image: Image.Image = ImageOps.exif_transpose(file)
    if image.mode in {"P", "LA"}:
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    if profile and image.mode == "RGB":
        embedded = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(image, embedded, ImageCms.createProfile("sRGB"))
        return converted or image
    return image.convert("RGB")
