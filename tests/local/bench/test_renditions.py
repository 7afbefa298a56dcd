"""The photographs of the bench are what they are called, and a bomb is never decoded."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from local.bench.measuring.fresh_process import Failed
from local.bench.renditions.renditions import (
    BOMB_SIDE,
    bomb,
    duration,
    limit_rows,
    measured,
    photographs,
)
from shared.errors import PhotoRefused
from shared.pictures.reader import MAX_PIXELS, read
from tests.shared.pictures.picture_samples import corners, encoded

pytestmark = pytest.mark.server

# Of the bomb's grey, one byte a pixel.
BOMB_MB = BOMB_SIDE**2 / 2**20


@pytest.fixture
def bomb_file(tmp_path: Path) -> Path:
    file = tmp_path / "bomb"
    file.write_bytes(bomb())
    return file


def test_photographs_are_what_their_names_say():
    """Each is a square of its side in its format, and small enough for PhotoSync to read."""
    for name, photo in photographs().items():
        side, _, kind = name.replace(",", "").split()
        with Image.open(io.BytesIO(photo)) as picture:
            assert (picture.size, picture.format) == ((int(side), int(side)), kind)
        assert read(photo).format == kind


def test_bomb_is_refused_before_it_is_decoded(bomb_file: Path):
    """
    A PNG of few bytes and more pixels than PhotoSync reads: refusing it takes a fraction of the
    memory of its pixels, which decoding takes.
    """
    assert bomb_file.stat().st_size < 1024 * 1024
    assert BOMB_SIDE**2 > MAX_PIXELS
    with pytest.raises(PhotoRefused, match="25 megapixels"):
        read(bomb_file.read_bytes())
    assert measured("refused", bomb_file) < BOMB_MB / 20
    assert measured("plain", bomb_file) > BOMB_MB * 0.9


@pytest.mark.parametrize("what", ["time", "ours", "crowd"])
def test_refusal_is_no_figure(bomb_file: Path, what: str):
    """If the product refuses a photograph, the measurement fails."""
    with pytest.raises(Failed, match="PhotoTooLarge"):
        measured(what, bomb_file)


def test_picture_of_a_bomb_is_no_figure(tmp_path: Path):
    """If the product makes pictures of what it should refuse, the measurement fails."""
    file = tmp_path / "photo"
    file.write_bytes(encoded(corners(), "JPEG"))

    with pytest.raises(Failed, match="did not refuse"):
        measured("refused", file)


def test_only_the_usual_photo_has_a_goal():
    """The figure is PhotoSync's, the floor Pillow's."""
    took = {"ours": [3.0, 1.0, 2.0], "plain": [1.0, 1.0, 1.25]}
    usual, other = duration("648 px JPEG", took), duration("4,000 px PNG", took)

    assert (usual.figure, usual.floor, usual.goal_ratio, usual.met) == (2, 1, 1.5, False)
    assert (other.figure, other.floor, other.goal_ratio) == (2, 1, None)


@pytest.mark.parametrize(("crowd", "refused", "met"), [(360, 1, [True] * 2), (361, 2, [False] * 2)])
def test_goals_for_memory(crowd: float, refused: float, met: list[bool]):
    """Many large photos may take five times one, and refusing a bomb a megabyte."""
    assert [row.met for row in limit_rows(crowd, 72, refused, 144)] == met
