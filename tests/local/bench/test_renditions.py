"""The photographs of the bench are what they are called, and a bomb is never decoded."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from local.bench.renditions.renditions import (
    BOMB_SIDE,
    bomb,
    measured,
    photographs,
)
from shared.errors import PhotoRefused
from shared.pictures.reader import MAX_PIXELS, read

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
