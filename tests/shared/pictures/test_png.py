"""PNG files: the one colour that is transparent, and which chunks count."""

from __future__ import annotations

import struct
import zlib

import pytest

from shared.errors import PhotoRefused
from shared.pictures import renditions
from shared.pictures.png import MAX_CHUNKS
from shared.pictures.reader import read
from tests.shared.pictures import picture_samples as samples
from tests.shared.pictures.picture_samples import RED, WHITE, alike, at, chunk, corners, rendered

GREY, TRUE_COLOUR, PALETTE, WITH_ALPHA = 0, 2, 3, 6
SIDE = 40
Part = tuple[bytes, bytes]


def packed(depth: int, values: list[int]) -> bytes:
    """Samples of *depth* bits in a row, the first in the highest bits."""
    bits = "".join(format(value, f"0{depth}b") for value in values)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def png(
    depth: int, kind: int, colours: list[list[int]], *before: Part, after: Part | None = None
) -> bytes:
    """As many stripes, side by side, as there are *colours*; chunks before and after the pixels."""
    row = b"\0" + packed(depth, [n for colour in colours for n in colour * (SIDE // len(colours))])
    header = struct.pack(">IIBBBBB", SIDE, SIDE, depth, kind, 0, 0, 0)
    pixels = (b"IDAT", zlib.compress(row * SIDE))
    parts = [(b"IHDR", header), *before, pixels, *([after] if after else []), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def stripes(photo: bytes) -> list[tuple[int, ...]]:
    """The two colours that are seen."""
    picture = rendered(photo)
    return [at(picture, 8, 20), at(picture, 32, 20)]


def key(*samples_named: int) -> Part:
    return b"tRNS", struct.pack(f">{len(samples_named)}H", *samples_named)


@pytest.mark.parametrize(
    ("depth", "hidden", "shown", "seen"),
    [
        (1, 0, 1, 255),
        (1, 1, 0, 0),
        (2, 1, 2, 170),
        (4, 5, 9, 153),
        (8, 90, 91, 91),
        (16, 9000, 9001, 35),
        (16, 0, 200, 0),
        (16, 0x0280, 0x0180, 1),
    ],
)
def test_transparent_grey(depth, hidden, shown, seen):
    """The one grey that is named becomes white, at the file's own depth; its neighbour stays."""
    photo = png(depth, GREY, [[hidden], [shown]], key(hidden))

    assert alike(stripes(photo), [WHITE, (seen,) * 3], within=2)


@pytest.mark.parametrize("depth", [2, 4, 8])
def test_surplus_bits_of_a_key_are_none(depth):
    """Of a key with more bits than the picture has only the lower ones count (11.3.1.1)."""
    photo = png(depth, GREY, [[1], [0]], key(0xFF00 | 1))

    assert alike(stripes(photo), [WHITE, (0, 0, 0)])


@pytest.mark.parametrize(
    ("hidden", "shown", "seen"),
    [
        ([1000, 2000, 3000], [60_000, 50_000, 40_000], (233, 195, 156)),
        ([0, 0, 0], [0, 0, 1], (0, 0, 0)),
        ([0x1234, 0x5678, 0x9ABC], [0x1234, 0x5678, 0x9BBC], (0x12, 0x56, 0x9B)),
    ],
    ids=["far", "low byte", "high byte"],
)
def test_transparent_colour_of_16_bits(hidden, shown, seen):
    """All 48 bits decide: a colour that only looks the same on 8 bits stays."""
    photo = png(16, TRUE_COLOUR, [hidden, shown], key(*hidden))

    assert alike(stripes(photo), [WHITE, seen], within=2)


def test_key_of_8_bits():
    """The same for a colour of 24 bits."""
    photo = png(8, TRUE_COLOUR, [[1, 2, 3], [1, 2, 200]], key(1, 2, 3))

    assert alike(stripes(photo), [WHITE, (1, 2, 200)])


@pytest.mark.parametrize(
    ("kind", "colour", "named"),
    [(TRUE_COLOUR, [*RED], key(RED[0])), (WITH_ALPHA, [*RED, 255], key(*RED))],
    ids=["too short", "beside an alpha channel"],
)
def test_key_that_is_none(kind, colour, named):
    """What names no colour hides none, and costs nobody the photo."""
    assert alike(stripes(png(8, kind, [colour], named)), [RED] * 2)


COLOURS = (b"PLTE", bytes([*RED, 0, 0, 255]))
HIDES_FIRST = (b"tRNS", b"\0")


def test_transparency_of_a_palette():
    """It stands behind the palette; before it, it is of none."""
    in_order = png(8, PALETTE, [[0], [1]], COLOURS, HIDES_FIRST)
    turned = png(8, PALETTE, [[0], [1]], HIDES_FIRST, COLOURS)

    assert alike(stripes(in_order), [WHITE, (0, 0, 255)])
    assert alike(stripes(turned), [RED, (0, 0, 255)])


def test_palette_behind_the_pixels_is_none():
    """Pixels without colours are no picture."""
    with pytest.raises(PhotoRefused, match="damaged"):
        read(png(8, PALETTE, [[0], [1]], after=COLOURS))


@pytest.mark.parametrize(
    "late",
    [
        key(*RED),
        (b"iCCP", b"x\0\0" + zlib.compress(samples.swapped_profile())),
        (b"eXIf", b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)),
    ],
    ids=["key", "profile", "orientation"],
)
def test_what_comes_behind_the_pixels_does_not_count(late):
    """A decoder knows how to show the pixels before it meets them (5.6), and so do viewers."""
    plain = png(8, TRUE_COLOUR, [[*RED], [0, 0, 255]])
    before = png(8, TRUE_COLOUR, [[*RED], [0, 0, 255]], late)
    behind = png(8, TRUE_COLOUR, [[*RED], [0, 0, 255]], after=late)

    whole, changed, same = (renditions.renditions(each, [40]) for each in (plain, before, behind))

    assert changed != whole
    assert same == whole


@pytest.mark.parametrize("kind", [b"IDAT", b"tEXt"])
def test_png_of_too_many_pieces_is_refused(kind):
    """Empty chunks are not gathered for ever: each takes memory, though it has no bytes."""
    plain = samples.encoded(corners(), "PNG")

    with pytest.raises(PhotoRefused, match="damaged"):
        read(plain[:33] + chunk(kind, b"") * MAX_CHUNKS + plain[33:])
