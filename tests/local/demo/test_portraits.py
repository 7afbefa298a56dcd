"""The portraits of the demo's invented people, and their file formats."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageChops, ImageStat

from local.demo import photo_files
from local.demo.portraits.portraits import portrait
from shared.pictures import renditions


def apart(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two pictures, 0 to 255."""
    difference = ImageChops.difference(one.convert("RGB"), other.convert("RGB"))
    return sum(ImageStat.Stat(difference).mean) / 3


def rendered(photo: bytes) -> Image.Image:
    return Image.open(io.BytesIO(renditions.renditions(photo, [200])[0]))


@pytest.fixture(scope="module")
def person() -> Image.Image:
    return portrait(3)


def test_a_number_always_draws_the_same_person(person):
    """The same seed gives the same pixels."""
    assert portrait(3).tobytes() == person.tobytes()


def test_people_can_be_told_apart_at_48_pixels():
    """Twelve consecutive numbers give twelve clearly different pictures."""
    people = [portrait(seed, 48) for seed in range(12)]

    assert min(apart(a, b) for a in people for b in people if a is not b) > 8


@pytest.mark.parametrize(
    "store",
    [photo_files.jpeg, photo_files.jpeg_upright_by_exif, photo_files.jpeg_with_wide_colours],
)
def test_every_way_of_storing_shows_the_same_person(person, store):
    """Read correctly, each file shows the portrait."""
    assert apart(rendered(store(person)), rendered(photo_files.jpeg(person))) < 3


@pytest.mark.parametrize(
    "store",
    [
        photo_files.png_cut_out,
        photo_files.jpeg_upright_by_exif,
        photo_files.jpeg_with_wide_colours,
    ],
)
def test_every_trap_shows_if_it_is_overlooked(person, store):
    """Read carelessly, each file looks clearly wrong."""
    careless = Image.open(io.BytesIO(store(person))).convert("RGB").resize((200, 200))

    assert apart(careless, rendered(store(person))) > 12


def test_a_cut_out_portrait_lies_on_white(person):
    """The transparent part of a round PNG becomes white."""
    seen = rendered(photo_files.png_cut_out(person))

    assert seen.getpixel((2, 2)) == pytest.approx((255, 255, 255), abs=3)
