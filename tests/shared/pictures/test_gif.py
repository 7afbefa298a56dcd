"""GIF files: the canvas around a frame, and limits on the number of blocks."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from shared.errors import PhotoRefused
from shared.pictures.gif import MAX_BLOCKS
from shared.pictures.reader import read
from tests.shared.pictures.picture_samples import RED, WHITE, alike, at, encoded, rendered

BLUE = (0, 0, 255)


def gif(
    canvas: tuple[int, int], place: tuple[int, int], control: bytes = b"", frame: int = 20
) -> bytes:
    """A blue frame with a red square in its middle, on a canvas whose background colour is red."""
    picture = Image.new("P", (frame, frame), 1)
    picture.putpalette([*RED, *BLUE])
    picture.paste(0, (frame // 4, frame // 4, frame * 3 // 4, frame * 3 // 4))
    plain = encoded(picture, "GIF", optimize=False)
    frame_at = plain.index(b",\0\0\0\0")
    screen = plain[:6] + struct.pack("<HH", *canvas) + plain[10:frame_at]
    return screen + control + b"," + struct.pack("<HH", *place) + plain[frame_at + 5 :]


def control(flags: int, colour: int) -> bytes:
    return b"!\xf9\x04" + bytes([flags, 0, 0, colour, 0])


def seen(photo: bytes, *places: tuple[int, int]) -> list[tuple[int, ...]]:
    picture = rendered(photo)
    return [at(picture, *place) for place in places]


@pytest.mark.parametrize("before", [b"", control(0, 0), control(0, 1)])
def test_white_around_a_small_frame(before):
    """A GIF is transparent outside its first frame, so white, as in browsers."""
    photo = gif((60, 60), (20, 16), before)

    colours = seen(photo, (4, 4), (56, 30), (30, 10), (30, 44), (21, 17), (30, 26), (39, 35))

    assert alike(colours, [WHITE] * 4 + [BLUE, RED, BLUE], within=40)


def test_transparent_colour_of_a_small_frame():
    """Transparent pixels of the frame are white, too."""
    photo = gif((60, 60), (20, 16), control(1, 0))

    assert alike(seen(photo, (4, 4), (30, 26), (22, 26)), [WHITE, WHITE, BLUE], within=40)


def test_frame_beyond_its_canvas():
    """The canvas is enlarged to contain the frame; the rest of it is white."""
    photo = gif((10, 10), (20, 20))

    assert read(photo).width == read(photo).height == 40
    assert alike(seen(photo, (8, 8), (30, 30), (36, 22)), [WHITE, RED, BLUE], within=40)


def test_last_control_counts():
    """Each graphic control block replaces the one before."""
    photo = gif((20, 20), (0, 0), control(1, 0) + control(0, 0))

    assert alike(seen(photo, (10, 10)), [RED], within=40)


@pytest.mark.parametrize("size", [0, 2, 6])
def test_control_of_another_size_is_refused(size):
    """Its size is 4 bytes (GIF89a, section 23); browsers refuse any other."""
    body = bytes([size]) + bytes(size) + b"\0" if size else b"\0"

    with pytest.raises(PhotoRefused, match="damaged"):
        read(gif((20, 20), (0, 0), b"!\xf9" + body))


PLAIN = gif((20, 20), (0, 0))
FLOODS = {
    "empty": gif((20, 20), (0, 0), b"!\xfe\0" * MAX_BLOCKS),
    "control": gif((20, 20), (0, 0), control(0, 0) * MAX_BLOCKS),
    "one long block": gif((20, 20), (0, 0), b"!\xfe" + b"\x01a" * MAX_BLOCKS + b"\0"),
    "pixels": PLAIN[:-2] + b"\x01\0" * MAX_BLOCKS + PLAIN[-2:],
}


@pytest.mark.parametrize("photo", FLOODS.values(), ids=FLOODS)
def test_too_many_blocks(photo):
    """The number of blocks is limited, whatever their kind."""
    with pytest.raises(PhotoRefused, match="damaged"):
        read(photo)
