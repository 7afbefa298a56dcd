"""
The many formats in which people's photos are stored, so that the demo can prove that none arrives
sideways, discoloured, or black where it was transparent.
"""

from __future__ import annotations

import io
import random
import struct

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFilter

from local.demo.portraits.portraits import portrait


def jpeg(picture: Image.Image, *, quality: int = 92) -> bytes:
    """The ordinary case."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def png_cut_out(picture: Image.Image) -> bytes:
    """A PNG with a round picture; the rest is transparent."""
    twice = (picture.width * 2, picture.height * 2)
    alpha = Image.new("L", twice, 0)
    ImageDraw.Draw(alpha).ellipse((0, 0, twice[0] - 1, twice[1] - 1), fill=255)
    cut = picture.convert("RGBA")
    cut.putalpha(alpha.resize(picture.size, Image.Resampling.LANCZOS))
    # Black underneath, as in most programs, so that a reader that drops the alpha is caught.
    round_picture = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    round_picture.paste(cut, mask=cut.getchannel("A").point(lambda value: 255 if value else 0))
    stream = io.BytesIO()
    round_picture.save(stream, "PNG")
    return stream.getvalue()


def jpeg_upright_by_exif(picture: Image.Image) -> bytes:
    """A photo stored sideways, as phones do; only an EXIF tag gives the orientation."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn a quarter clockwise to see it upright
    exif[0x010F] = "Contoso Phones"
    stream = io.BytesIO()
    picture.transpose(Image.Transpose.ROTATE_90).save(stream, "JPEG", quality=92, exif=exif)
    return stream.getvalue()


def jpeg_with_wide_colours(picture: Image.Image) -> bytes:
    """Looks right only if the embedded profile is applied; otherwise dull."""
    profile = _wide_profile()
    converted = ImageCms.profileToProfile(
        picture,
        ImageCms.createProfile("sRGB"),
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        outputMode="RGB",
    )
    assert converted is not None  # None only where the picture is changed in place
    stream = io.BytesIO()
    converted.save(stream, "JPEG", quality=95, subsampling=0, icc_profile=profile)
    return stream.getvalue()


def photograph(seed: int, width: int = 1200, height: int = 900) -> Image.Image:
    """Like a camera's photo: wide, grainy, with darker corners."""
    person = portrait(seed, height)
    side = (width - height) // 2
    picture = Image.new("RGB", (width, height))
    for place, column in ((0, 0), (width - side, height - 4)):
        edge = person.crop((column, 0, column + 4, height))
        picture.paste(edge.resize((side, height), Image.Resampling.BICUBIC), (place, 0))
    picture.paste(person, (side, 0))
    dim = Image.radial_gradient("L").resize((width * 3 // 2, height * 3 // 2))
    dim = dim.crop((width // 4, height // 4, width // 4 + width, height // 4 + height))
    vignette = dim.point([255 - max(0, value - 70) // 2 for value in range(256)]).convert("RGB")
    picture = ImageChops.multiply(picture, vignette)
    grain = _grain(seed, width, height)
    return ImageChops.add(picture, grain, offset=-128)


def _grain(seed: int, width: int, height: int) -> Image.Image:
    """Film grain around middle grey, the same for the same seed."""
    rng = random.Random(seed)
    tile = Image.frombytes("L", (128, 128), rng.randbytes(128 * 128))
    tile = tile.filter(ImageFilter.GaussianBlur(0.8)).point(
        [round(128 + (value - 128) * 0.16) for value in range(256)]
    )
    grain = Image.new("L", (width, height))
    for top in range(0, height, 128):
        for left in range(0, width, 128):
            turned = tile.rotate(90 * rng.randrange(4))
            grain.paste(turned, (left, top))
    return grain.convert("RGB")


def _wide_profile() -> bytes:
    """An ICC version 2 display profile with primaries far outside sRGB and a gamma of 1.8."""
    tags = {
        b"rXYZ": _xyz(0.7977, 0.2880, 0.0),
        b"gXYZ": _xyz(0.1352, 0.7119, 0.0),
        b"bXYZ": _xyz(0.0313, 0.0001, 0.8249),
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"cprt": b"text" + bytes(4) + b"none\0\0\0\0",
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"Wide\0" + bytes(79),
    }
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(1.8 * 256)) + bytes(2)
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    start, table, bodies = 132 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, start + len(bodies), len(body))
        bodies += body
    header = struct.pack(
        ">I4sI4s4s4s", start + len(bodies), b"", 0x02400000, b"mntr", b"RGB ", b"XYZ "
    )
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + bodies


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))
