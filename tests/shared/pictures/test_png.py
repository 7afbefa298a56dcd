"""PNG files: the transparent colour, and which chunks count."""

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
    """One vertical stripe per colour; chunks before and after the pixels."""
    row = b"\0" + packed(depth, [n for colour in colours for n in colour * (SIDE // len(colours))])
    pixels = (b"IDAT", zlib.compress(row * SIDE))
    return samples.png(SIDE, SIDE, depth, kind, *before, pixels, *([after] if after else []))


def stripes(photo: bytes) -> list[tuple[int, ...]]:
    """The colours of two stripes."""
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
    """The grey named transparent becomes white, at the file's own depth; its neighbour stays."""
    photo = png(depth, GREY, [[hidden], [shown]], key(hidden))

    assert alike(stripes(photo), [WHITE, (seen,) * 3], within=2)


@pytest.mark.parametrize("depth", [2, 4, 8])
def test_extra_bits_of_a_key(depth):
    """If a key has more bits than the picture, only the lower ones count (11.3.1.1)."""
    photo = png(depth, GREY, [[1], [0]], key(0xFF00 | 1))

    assert alike(stripes(photo), [WHITE, (0, 0, 0)])


@pytest.mark.parametrize(
    ("depth", "hidden", "shown", "seen"),
    [
        (16, [1000, 2000, 3000], [60_000, 50_000, 40_000], (233, 195, 156)),
        (16, [0, 0, 0], [0, 0, 1], (0, 0, 0)),
        (16, [0x1234, 0x5678, 0x9ABC], [0x1234, 0x5678, 0x9BBC], (0x12, 0x56, 0x9B)),
        (8, [1, 2, 3], [1, 2, 200], (1, 2, 200)),
    ],
    ids=["far", "low byte", "high byte", "8 bits"],
)
def test_transparent_colour(depth, hidden, shown, seen):
    """All 48 bits decide: a colour that looks the same only at 8 bits stays."""
    photo = png(depth, TRUE_COLOUR, [hidden, shown], key(*hidden))

    assert alike(stripes(photo), [WHITE, seen], within=2)


@pytest.mark.parametrize(
    ("kind", "colour", "named"),
    [(TRUE_COLOUR, [*RED], key(RED[0])), (WITH_ALPHA, [*RED, 255], key(*RED))],
    ids=["too short", "beside an alpha channel"],
)
def test_invalid_key(kind, colour, named):
    """A key that names no colour is ignored, and the photo accepted."""
    assert alike(stripes(png(8, kind, [colour], named)), [RED] * 2)


def test_16_bits_without_a_key():
    """A 16-bit colour PNG keeps its colours."""
    photo = png(16, TRUE_COLOUR, [[200 * 256, 100 * 256, 50 * 256]])

    assert alike(stripes(photo), [(200, 100, 50)] * 2)


COLOURS = (b"PLTE", bytes([*RED, 0, 0, 255]))
HIDES_FIRST = (b"tRNS", b"\0")


def test_transparency_of_a_palette():
    """It follows the palette; before it, it is ignored."""
    in_order = png(8, PALETTE, [[0], [1]], COLOURS, HIDES_FIRST)
    turned = png(8, PALETTE, [[0], [1]], HIDES_FIRST, COLOURS)

    assert alike(stripes(in_order), [WHITE, (0, 0, 255)])
    assert alike(stripes(turned), [RED, (0, 0, 255)])


def test_palette_after_the_pixels():
    """Then the pixels have no colours, so the photo is refused."""
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
def test_chunks_after_the_pixels(late):
    """They are ignored, as in viewers: a decoder must know them before the pixels (5.6)."""
    plain = png(8, TRUE_COLOUR, [[*RED], [0, 0, 255]])
    before = png(8, TRUE_COLOUR, [[*RED], [0, 0, 255]], late)
    behind = png(8, TRUE_COLOUR, [[*RED], [0, 0, 255]], after=late)

    whole, changed, same = (renditions.renditions(each, [40]) for each in (plain, before, behind))

    assert changed != whole
    assert same == whole


@pytest.mark.parametrize("kind", [b"IDAT", b"tEXt"])
def test_too_many_chunks(kind):
    """The number of chunks is limited: each takes memory, even if it is empty."""
    plain = samples.encoded(corners(), "PNG")

    with pytest.raises(PhotoRefused, match="damaged"):
        read(plain[:33] + chunk(kind, b"") * MAX_CHUNKS + plain[33:])
