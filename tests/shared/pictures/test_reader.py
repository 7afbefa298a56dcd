"""What is refused, and why malicious files do no harm: the rules of `shared.pictures.reader`."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from shared.errors import PhotoRefused, PhotoTooLarge
from shared.pictures import renditions
from shared.pictures.jpeg import MAX_SCANS
from shared.pictures.jpeg_segments import MAX_SEGMENTS
from shared.pictures.reader import MAX_BYTES, read
from tests.shared.pictures import picture_samples as samples
from tests.shared.pictures.picture_samples import chunk, corners, encoded, segment

SIZES = [48, 72, 300]
KINDS = ["JPEG", "PNG", "GIF", "BMP"]
PNG, JPEG = encoded(corners(), "PNG"), encoded(corners(), "JPEG")


def sentence(photo: bytes) -> str:
    """The sentence about a refused photo, for an admin."""
    with pytest.raises(PhotoRefused) as refused:
        renditions.renditions(photo, SIZES)
    return str(refused.value)


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    return samples.png(width, height, 8, 2, *chunks)


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG whose header has other dimensions."""
    photo = encoded(corners(16, 16), "JPEG")
    return photo.replace(struct.pack(">HH", 16, 16), struct.pack(">HH", height, width), 1)


def test_empty_file_is_refused():
    """Zero bytes are no photo."""
    assert sentence(b"").startswith("The photo is empty")


@pytest.mark.parametrize(
    "photo",
    [
        *(b"Dear admin, here is my photo.jpg", b"\xff", b"<svg/>"),
        *(encoded(corners(), kind) for kind in ("TIFF", "WEBP", "ICO", "PPM")),
    ],
    ids=["text", "one byte", "SVG", "TIFF", "WEBP", "ICO", "PPM"],
)
def test_other_formats_are_refused(photo):
    """The bytes decide, not a name; only formats that Exchange can hold reach a decoder."""
    assert "not a JPEG, PNG, GIF or BMP" in sentence(photo)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(kind, share):
    """Half a photo is never shown with a grey lower half."""
    photo = encoded(Image.effect_noise((120, 120), 90).convert("RGB"), kind)

    assert f"damaged or truncated {kind}" in sentence(photo[: int(len(photo) * share)])


def test_8_megabytes_are_read():
    """8 MB are read; a larger file has its own error, since a smaller rendition may do."""
    largest = JPEG + bytes(MAX_BYTES - len(JPEG))

    assert len(renditions.renditions(largest, SIZES)) == 3
    with pytest.raises(PhotoTooLarge, match="more than the limit of 8 MB"):
        read(largest + b"\0")


@pytest.mark.parametrize(
    "photo",
    [
        png(60_000, 60_000, (b"IDAT", b"")),
        png(2**31 - 1, 2**31 - 1, (b"IDAT", b"")),
        png(5_001, 5_000, (b"IDAT", b"")),
        jpeg_of(65_500, 65_500),
        b"GIF89a"
        + struct.pack("<HHBBB", 9_000, 9_000, 0, 0, 0)
        + b",\0\0\0\0\x09\0\x09\0\0\x02\0;",
        b"GIF89a" + bytes(7) + b"," + struct.pack("<HHHHB", 0, 0, 9_000, 9_000, 0) + b"\x02\0;",
        b"BM" + bytes(12) + struct.pack("<Iii", 40, 30_000, -30_000) + bytes(24),
    ],
    ids=["png", "largest png", "just over", "jpeg", "gif canvas", "gif frame", "bmp"],
)
def test_dimensions_are_checked_first(photo):
    """A few bytes that claim more than 25 megapixels are refused by their header."""
    with pytest.raises(PhotoTooLarge, match="more than the limit of 25 megapixels"):
        read(photo)


FRAME = JPEG.index(b"\xff\xc0")
DAMAGED = {
    "GIF with comments only": b"GIF89a\x09\0\x09\0\0\0\0" + b"!\xfe\x02hi\0;",
    "JPEG with too many segments": JPEG[:2] + segment(0xE5, b"") * MAX_SEGMENTS + JPEG[2:],
    "JPEG with two frames": JPEG[:FRAME] + JPEG[FRAME : FRAME + 19] + JPEG[FRAME:],
    # In the checksum of the pixels, not in the pixels.
    "PNG with one wrong byte": PNG[:-14] + bytes([PNG[-14] ^ 1]) + PNG[-13:],
}


@pytest.mark.parametrize("photo", DAMAGED.values(), ids=DAMAGED)
def test_damaged(photo):
    """A file that no viewer shows, or that could have two sizes, or costs too much, is refused."""
    assert "damaged" in sentence(photo)


def test_25_megapixels_are_read():
    """The limit itself is allowed, even in a tiny file."""
    made = renditions.renditions(encoded(Image.new("1", (5_000, 5_000), 1), "PNG"), SIZES)

    assert Image.open(io.BytesIO(made[2])).size == (300, 300)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_without_width_is_refused(kind):
    """Zero pixels are no picture."""
    photo = {
        "JPEG": jpeg_of(0, 16),
        "PNG": png(0, 5, (b"IDAT", b"")),
        "GIF": b"GIF89a" + bytes(7) + b"," + bytes(9) + b"\x02\0;",
        "BMP": b"BM" + bytes(12) + struct.pack("<Iii", 40, 0, 4) + bytes(24),
    }[kind]

    assert f"damaged or truncated {kind}" in sentence(photo)


def test_text_in_a_png_is_never_decompressed():
    """Compressed text that would fill the memory is skipped."""
    text = b"Comment\0\0" + zlib.compress(bytes(50_000_000))

    made = renditions.renditions(PNG[:33] + chunk(b"zTXt", text) * 20 + PNG[33:], SIZES)

    assert made == renditions.renditions(PNG, SIZES)


def test_a_png_with_thousands_of_chunks():
    """Pixels may be in any number of chunks, even empty ones."""
    data = zlib.compress((b"\0" + bytes([9, 200, 9]) * 50) * 50)
    pieces = [(b"IDAT", data[at : at + 1]) for at in range(len(data))]

    whole = renditions.renditions(png(50, 50, (b"IDAT", data)), SIZES)

    assert renditions.renditions(png(50, 50, *pieces, *[(b"IDAT", b"")] * 3_000), SIZES) == whole


def test_a_jpeg_with_too_many_scans_is_refused():
    """Each scan of a progressive JPEG is a pass over all pixels, so their number is limited."""
    scan = JPEG[JPEG.index(b"\xff\xda") : -2]

    assert "scans, far too many" in sentence(JPEG[:-2] + scan * MAX_SCANS + JPEG[-2:])


@pytest.mark.parametrize(
    ("place", "value"),
    [(4, 12), (9, 2), (1, 0xC3), (1, 0xC9)],
    ids=["12 bits", "2 channels", "lossless", "arithmetic"],
)
def test_unusual_jpegs_are_refused(place, value):
    """A photo has 8 bits and 1, 3 or 4 channels; what no browser shows reaches no decoder."""
    photo = bytearray(JPEG)
    photo[photo.index(b"\xff\xc0") + place] = value

    assert "unsupported kind of JPEG" in sentence(bytes(photo))


@pytest.mark.parametrize(("header", "compression"), [(40, 1), (40, 2), (40, 4), (41, 0)])
def test_unusual_bmps_are_refused(header, compression):
    """Run-length encoding and other headers are not decoded."""
    photo = bytearray(encoded(corners(), "BMP"))
    struct.pack_into("<I", photo, 14, header)
    struct.pack_into("<I", photo, 30, compression)

    assert "unsupported kind of BMP" in sentence(bytes(photo))


def test_an_old_bmp_header_is_read():
    """The short header of 1987 has the dimensions in 16 bits."""
    core = struct.pack("<IHHHH", 12, 4, 4, 1, 24)
    photo = b"BM" + struct.pack("<IHHI", 74, 0, 0, 26) + core + bytes([0, 0, 200]) * 16

    assert Image.open(io.BytesIO(renditions.renditions(photo, [4])[0])).size == (4, 4)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "entries",
    [
        struct.pack("<H", 65535),
        b"\xff\xff\xff\xff" * 4,
        struct.pack("<HHHIHH", 1, 0x0112, 2, 9, 6, 0),
    ],
    ids=["too many", "garbage", "not a number"],
)
def test_broken_exif_is_ignored(order, entries):
    """Invalid EXIF leaves the photo as it is."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    exif = b"Exif\0\0" + mark + struct.pack(f"{order}I", 8) + entries

    broken = JPEG[:2] + segment(0xE1, exif) + JPEG[2:]

    assert renditions.renditions(broken, SIZES) == renditions.renditions(JPEG, SIZES)


def test_a_profile_with_a_missing_part_is_ignored():
    """A JPEG splits a large profile into numbered parts: it needs all of them."""
    part = segment(0xE2, b"ICC_PROFILE\0\x01\x02" + samples.swapped_profile())

    assert read(JPEG[:2] + part + JPEG[2:]).profile is None


@pytest.mark.parametrize("packed", [b"", b"name", b"name\0\0not deflated"])
def test_a_png_profile_that_cannot_be_decompressed_is_ignored(packed):
    """The photo is still accepted."""
    assert read(PNG[:33] + chunk(b"iCCP", packed) + PNG[33:]).profile is None
