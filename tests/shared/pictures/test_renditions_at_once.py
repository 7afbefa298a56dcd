"""Renditions of several photos made concurrently."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from shared.pictures import renditions
from shared.pictures.picture_file import PictureFile
from tests.shared.pictures import picture_samples as samples
from tests.shared.pictures.picture_samples import corners, encoded

SIZES = [48, 72, 300]


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
