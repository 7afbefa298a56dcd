"""The photographs of the bench are what they are called, and a bomb is never decoded."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from local.bench.measuring.fresh_process import Failed
from local.bench.renditions import photos
from local.bench.renditions.renditions import crowd, duration, flood, measured, refusal
from shared.errors import PhotoRefused
from shared.pictures.reader import MAX_BYTES, MAX_PIXELS, read
from tests.shared.pictures.picture_samples import corners, encoded

pytestmark = pytest.mark.server

# Numbers below are of the bomb's grey, one byte a pixel.
BOMB_MB = photos.BOMB_SIDE**2 / 2**20


def test_photographs_are_what_their_names_say(monkeypatch: pytest.MonkeyPatch):
    """Each is a square of its side in its format, and small enough for PhotoSync to read."""
    monkeypatch.setattr(photos, "SIDES", (96, 240))
    for name, photo in photos.photographs().items():
        side, _, kind = name.split()
        with Image.open(io.BytesIO(photo)) as picture:
            assert (picture.size, picture.format) == ((int(side), int(side)), kind)
        assert read(photo).format == kind


def test_bomb_is_one():
    """It is a sound PNG of more pixels than PhotoSync reads, in few bytes."""
    bomb = photos.bomb()

    assert len(bomb) < 1024 * 1024
    assert photos.BOMB_SIDE**2 > MAX_PIXELS
    with pytest.raises(PhotoRefused, match="25 megapixels"):
        read(bomb)


def test_bomb_is_refused_before_it_is_decoded(tmp_path: Path):
    """Refusing a bomb takes a fraction of the memory that its pixels would; decoding takes it."""
    file = tmp_path / "bomb"
    file.write_bytes(photos.bomb())

    assert measured("refused", file)["mb"] < BOMB_MB / 20
    assert measured("plain", file)["mb"] > BOMB_MB * 0.9


@pytest.mark.parametrize("name", ["GIF of 2,796,000 blocks", "PNG of 699,000 chunks"])
def test_floods_are_refused_within_512_megabytes(tmp_path: Path, name: str):
    """Files of nothing but empty blocks, as many as are copied at once, leave memory."""
    file = tmp_path / "flood"
    file.write_bytes(photos.floods()[name])
    assert 0.99 * MAX_BYTES < file.stat().st_size <= MAX_BYTES

    assert measured("flood", file)["mb"] < 512


@pytest.mark.parametrize("what", ["time", "ours", "crowd"])
def test_refusal_is_no_figure(tmp_path: Path, what: str):
    """A product that refuses a photograph fails the measurement, however fast it refuses."""
    file = tmp_path / "bomb"
    file.write_bytes(photos.bomb())

    with pytest.raises(Failed, match="PhotoTooLarge"):
        measured(what, file)


def test_picture_of_a_bomb_is_no_figure(tmp_path: Path):
    """A product that makes pictures of what it should refuse fails, however little it takes."""
    file = tmp_path / "photo"
    file.write_bytes(encoded(corners(), "JPEG"))

    for what in ("refused", "flood"):
        with pytest.raises(Failed, match="did not refuse"):
            measured(what, file)


def test_time_is_ours_beside_plain_pillow():
    """The figure is PhotoSync's, the floor Pillow's; only the usual photo has a goal."""
    took = {"ours": [3.0, 1.0, 2.0], "plain": [1.0, 1.0, 1.25]}
    usual, other = duration("648 px JPEG", took), duration("96 px PNG", took)

    assert (usual.figure, usual.floor, usual.goal_ratio, usual.met) == (2, 1, 1.5, False)
    assert (other.figure, other.floor, other.goal_ratio) == (2, 1, None)


def test_crowd_may_not_add_up():
    """Twelve large photos at once are held to a multiple of one that is less than twelve."""
    assert crowd(360, one=72).met
    assert not crowd(9 * 72, one=72).met


def test_flood_has_its_goal():
    """To refuse twelve floods at once may take half a gigabyte."""
    assert flood("GIF", 512).met
    assert not flood("GIF", 513).met


def test_refusal_has_its_goal(tmp_path: Path):
    """To refuse a bomb may take a megabyte, whatever decoding it takes."""
    file = tmp_path / "bomb"
    file.write_bytes(b"x" * 2048)
    row = refusal(file, 0.5, decoded=144)

    assert (row.figure, row.floor, row.goal, row.met) == (0.5, 144, 1, True)
    assert row.note == "the file has 2 KB"
