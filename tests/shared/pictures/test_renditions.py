"""The pictures made from a photo: the rules of `shared.pictures.renditions`."""

from __future__ import annotations

import contextlib
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from shared.pictures import renditions
from shared.pictures.picture_file import PictureFile
from tests.shared.pictures import picture_samples as samples
from tests.shared.pictures.picture_samples import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    YELLOW,
    alike,
    at,
    corners,
    encoded,
    four_corners,
    opened,
    oriented,
    rendered,
)

SIZES = [48, 72, 300]


def test_one_jpeg_per_size():
    """Every size gives one square JPEG of exactly that size, in the order given."""
    made = renditions.renditions(encoded(corners(648, 648), "JPEG"), [300, 48, 72])

    assert [opened(content).size for content in made] == [(300, 300), (48, 48), (72, 72)]


def test_the_centre_is_kept():
    """A photo that is not square is cropped equally on both sides."""
    wide = Image.new("RGB", (300, 100), RED)
    wide.paste(corners(100, 100), (100, 0))

    assert alike(four_corners(rendered(encoded(wide, "PNG"))), [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, YELLOW]),
        (2, [GREEN, RED, YELLOW, BLUE]),
        (3, [YELLOW, BLUE, GREEN, RED]),
        (4, [BLUE, YELLOW, RED, GREEN]),
        (5, [RED, BLUE, GREEN, YELLOW]),
        (6, [BLUE, RED, YELLOW, GREEN]),
        (7, [YELLOW, GREEN, BLUE, RED]),
        (8, [GREEN, YELLOW, RED, BLUE]),
        (0, [RED, GREEN, BLUE, YELLOW]),
        (9, [RED, GREEN, BLUE, YELLOW]),
        (65535, [RED, GREEN, BLUE, YELLOW]),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_orientation(kind, orientation, expected):
    """All eight EXIF orientations are undone, reflections too; an invalid one is ignored."""
    assert alike(four_corners(rendered(oriented(corners(), orientation, kind))), expected)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("P", "PNG"), ("P", "GIF"), ("P", "BMP"), ("RGB", "BMP"), ("RGB", "PNG"), ("CMYK", "JPEG")],
)
def test_colours(mode, kind):
    """Palette, RGB and CMYK colours look the same as before."""
    photo = encoded(corners().convert(mode, palette=Image.Palette.ADAPTIVE), kind)

    seen = four_corners(rendered(photo))

    assert alike(seen, [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_stays_grey_and_becomes_rgb(mode):
    """A photo without colours is stored as sRGB like any other."""
    half = Image.new("L", (60, 60), 255)
    half.paste(0, (0, 0, 60, 30))

    picture = rendered(encoded(half.convert(mode), "PNG"), 60)

    assert picture.mode == "RGB"
    assert alike([at(picture, 30, 8), at(picture, 30, 52)], [(0, 0, 0), WHITE])


def test_sixteen_bits_become_eight():
    """A 16-bit grey PNG keeps its tones instead of turning white."""
    middle = Image.new("I;16", (50, 50), 128 * 257)

    assert alike([at(rendered(encoded(middle, "PNG")), 25, 25)], [(128, 128, 128)])


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_parts_become_white(mode):
    """What an alpha channel hides is white, not black."""
    picture = corners().convert(mode)
    picture.paste(Image.new(mode, (80, 40)), (0, 0))  # all zero: black and transparent

    assert alike(four_corners(rendered(encoded(picture, "PNG")))[:2], [WHITE, WHITE])


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
@pytest.mark.parametrize("transparency", [0, bytes([0, 128])], ids=["one", "several"])
def test_transparent_palette_entries_become_white(kind, transparency):
    """A palette may make colours fully or partly transparent."""
    picture = Image.new("P", (40, 40), 0)
    picture.putpalette([255, 0, 0, 0, 0, 0])
    picture.paste(1, (0, 20, 40, 40))
    if kind == "GIF":
        transparency = 0  # a GIF has only one
    photo = encoded(picture, kind, transparency=transparency)

    seen = rendered(photo)

    shown = (127, 127, 127) if isinstance(transparency, bytes) else (0, 0, 0)
    assert alike([at(seen, 20, 5), at(seen, 20, 35)], [WHITE, shown])


def test_animation():
    """Only the first frame of an animation is shown."""
    later = Image.new("RGB", (80, 80), "black").quantize(4)
    photo = encoded(corners().quantize(8), "GIF", save_all=True, append_images=[later])

    assert alike(four_corners(rendered(photo)), [RED, GREEN, BLUE, YELLOW])


@pytest.mark.parametrize("size", [(40, 40), (1, 1), (1, 20_000), (20_000, 1), (3, 2)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_small_photo_is_never_enlarged(kind, size):
    """A photo smaller than a size keeps its own, even one of a single pixel or row."""
    side = min(size)

    made = renditions.renditions(encoded(Image.new("RGB", size, RED), kind), SIZES)

    assert [opened(content).size for content in made] == [(side, side)] * 3


def test_the_result_is_a_plain_baseline_jpeg():
    """No EXIF, profile, comment or other segment is kept, and the JPEG is not progressive."""
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    options = {"exif": exif, "icc_profile": samples.swapped_profile(), "comment": b"secret word"}
    made = renditions.renditions(encoded(corners(), "JPEG", progressive=True, **options), SIZES)

    for content in made:
        picture = Image.open(io.BytesIO(content), formats=("JPEG",))
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert b"secret" not in content
        assert b"\xff\xc0" in content


# Concurrently


def test_the_same_photo_gives_the_same_bytes_in_every_thread():
    """Renditions depend on the photo alone, however many are made concurrently."""
    photo = encoded(corners(648, 648), "JPEG", icc_profile=samples.swapped_profile())
    expected = renditions.renditions(photo, SIZES)
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(renditions.renditions, [photo] * 8, [SIZES] * 8))

    assert made == [expected] * 8


@pytest.mark.parametrize(
    ("side", "timeout", "together", "options"),
    [
        (2_001, 0.3, False, {}),
        (2_000, 30, True, {}),
        (1_001, 0.3, False, {"transparency": 1}),
        (1_000, 30, True, {"transparency": 1}),
    ],
    ids=["large", "ordinary", "transparent", "small"],
)
def test_large_photos_are_decoded_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
    side: int,
    timeout: float,
    together: bool,
    options: dict[str, int],
):
    """
    Photos over 4 megapixels wait for each other, so that memory does not add up; others do not.

    A transparent colour takes several times the memory, so such photos wait from one megapixel
    on.
    """
    photo = encoded(Image.new("1", (side, side)), "PNG", **options)
    both, decoded, met = threading.Barrier(2), renditions._decoded, []

    def meeting(file: PictureFile, size: int) -> Image.Image:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(timeout)
        met.append(not both.broken)
        return decoded(file, size)

    monkeypatch.setattr(renditions, "_decoded", meeting)
    with ThreadPoolExecutor(2) as threads:
        made = list(threads.map(renditions.renditions, [photo] * 2, [[48]] * 2))

    assert met == [together] * 2
    assert made[0] == made[1]
