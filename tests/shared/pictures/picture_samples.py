"""Picture files made for the tests, and what their renditions look like."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence

from PIL import Image

from shared.pictures import renditions

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 160, 30), (30, 30, 220), (230, 220, 40)
WHITE = (255, 255, 255)


def corners(width: int = 80, height: int = 80) -> Image.Image:
    """Red and green above blue and yellow, so that every rotation and reflection is visible."""
    picture = Image.new("RGB", (2, 2))
    for place, colour in zip(
        [(0, 0), (1, 0), (0, 1), (1, 1)], [RED, GREEN, BLUE, YELLOW], strict=True
    ):
        picture.putpixel(place, colour)
    return picture.resize((width, height), Image.Resampling.NEAREST)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def oriented(picture: Image.Image, orientation: int, kind: str = "JPEG") -> bytes:
    """Only the tag has the orientation; the pixels are unchanged."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "a description that must be removed"
    return encoded(picture, kind, exif=exif)


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content), formats=("JPEG",))
    picture.load()
    return picture


def rendered(photo: bytes, size: int = 64) -> Image.Image:
    return opened(renditions.renditions(photo, [size])[0])


def four_corners(picture: Image.Image) -> list[tuple[int, ...]]:
    near, far = picture.width // 4, picture.width * 3 // 4
    return [at(picture, x, y) for x, y in [(near, near), (far, near), (near, far), (far, far)]]


def at(picture: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = picture.getpixel((x, y))
    assert isinstance(value, tuple)
    return tuple(int(channel) for channel in value)


def alike(
    seen: Sequence[tuple[int, ...]], expected: Sequence[tuple[int, ...]], within: int = 6
) -> bool:
    pairs = zip(seen, expected, strict=True)
    return all(abs(a - b) <= within for s, e in pairs for a, b in zip(s, e, strict=True))


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, kind: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of *chunks* between header and end; *kind* is its colour type."""
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def resealed(png: bytes) -> bytes:
    """The same PNG with correct checksums, so that the code after them reads the damage."""
    parts, at = [png[:8]], 8
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        parts.append(chunk(kind, png[at + 8 : at + 8 + length]))
        at += 12 + length
    return b"".join(parts)


def _profile(space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC version 2 profile: header of 128 bytes, tag table, tags."""
    at, table, bodies = 132 + 12 * len(tags), b"", b""
    for name, body in tags.items():
        table += struct.pack(">4sII", name, at + len(bodies), len(body))
        bodies += body
    header = struct.pack(
        ">I4sI4s4s4s", at + len(bodies), b"", 0x02400000, b"mntr", space, connection
    )
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    header += struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + bodies


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def swapped_profile() -> bytes:
    """RGB with sRGB's primaries, where the first channel is blue and the third red."""
    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
    tags = {b"rXYZ": _xyz(*blue), b"gXYZ": _xyz(*green), b"bXYZ": _xyz(*red)}
    return _profile(b"RGB ", b"XYZ ", tags | {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def cmyk_profile(*, claimed_grid: int = 2) -> bytes:
    """CMYK where black ink is black and any other middle grey: two points per ink."""
    lightness = [255, 0] + [128, 0] * 7
    grid = b"".join(bytes([value, 128, 128]) for value in lightness)
    straight = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, claimed_grid, 0]) + matrix
    return _profile(b"CMYK", b"Lab ", {b"A2B0": table + straight * 4 + grid + straight * 3})


def rgb_table_profile(*, table: bytes = b"mAB ", name: bytes = b"A2B0", points: int = 2) -> bytes:
    """RGB where everything is white, as a lookup table of the newer kind."""
    curves = (b"curv" + bytes(8)) * 3
    grid = bytes([points] * 3).ljust(16, b"\0") + bytes([1, 0, 0, 0]) + bytes([255, 128, 128]) * 8
    offsets = struct.pack(">5I", 32, 0, 0, 68, 68 + len(grid))
    body = table + bytes(4) + bytes([3, 3, 0, 0]) + offsets + curves + grid + curves
    return _profile(b"RGB ", b"Lab ", {name: body})
