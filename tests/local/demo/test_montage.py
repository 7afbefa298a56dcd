"""The content of demo.png."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from local.demo import photo_files
from local.demo.montage import Pair, montage
from local.demo.portraits.portraits import portrait

RED, GREEN = (212, 60, 60), (31, 157, 85)


@pytest.fixture(scope="module")
def photo() -> bytes:
    return photo_files.jpeg(portrait(1, 200))


def drawn(rows: list[Pair], folder: Path) -> Image.Image:
    montage(rows, folder / "made" / "demo.png")
    with Image.open(folder / "made" / "demo.png") as picture:
        return picture.convert("RGB")


def share(picture: Image.Image, colour: tuple[int, int, int]) -> float:
    """The share of the picture with exactly this colour."""
    counted = picture.getcolors(picture.width * picture.height) or []
    return sum(n for n, seen in counted if seen == colour) / (picture.width * picture.height)


def cards(picture: Image.Image) -> Image.Image:
    """Everything below title and legend."""
    return picture.crop((0, 120, *picture.size))


def pair(photo: bytes | None, *, matches: bool = True, detail: str = "") -> Pair:
    return Pair("Zoë Ångström", "synced", detail, photo, photo, 1234, matches)


@pytest.mark.parametrize(
    ("matches", "colour", "least", "never"), [(True, GREEN, 0, RED), (False, RED, 0.005, GREEN)]
)
def test_colour_of_a_card(tmp_path, photo, matches, colour, least, never):
    """A correct picture gets a green tick, a wrong one a red frame."""
    seen = cards(drawn([pair(photo, matches=matches)], tmp_path))

    assert share(seen, colour) > least
    assert share(seen, never) == 0


@pytest.mark.parametrize("content", [None, b"no picture at all", b"\x89PNG\r\n\x1a\n"])
def test_missing_or_unreadable_picture(tmp_path, content):
    """A grey placeholder is drawn."""
    assert share(cards(drawn([pair(content)], tmp_path)), (201, 208, 217)) > 0.02


def test_long_words_stay_on_their_card(tmp_path, photo):
    """However long the text is, cards grow by three lines at most."""
    short = drawn([pair(photo)], tmp_path)
    long = drawn([pair(photo, detail="W" * 60 + " and so on" * 90)], tmp_path)

    assert long.height == short.height + 3 * 17
