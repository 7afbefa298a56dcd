"""Whether a SharePoint picture shows the photo that Exchange holds, judged by looking at both."""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat

# Mean difference a channel, of 255. Two JPEGs of one photo differ by 1 to 4, of two people by 40.
ALIKE = 8.0


def difference(exchange: bytes, sharepoint: bytes) -> float:
    """The mean difference a channel, 0 to 255, after bringing both to one size and colour space."""
    picture = _seen(sharepoint)
    photo = ImageOps.fit(_seen(exchange), picture.size, Image.Resampling.LANCZOS)
    means = ImageStat.Stat(ImageChops.difference(photo, picture)).mean
    return sum(means) / len(means)


def alike(exchange: bytes, sharepoint: bytes) -> bool:
    """Whether a person would call them the same picture."""
    return difference(exchange, sharepoint) <= ALIKE


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
