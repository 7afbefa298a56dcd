"""Files of many empty blocks: what refusing them costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from local.bench.measuring import fresh_process
from shared.pictures.reader import MAX_BYTES
from tests.shared.pictures.picture_samples import chunk, encoded

FLOOD = """
import pathlib, sys
from local.bench.renditions.renditions_process import at_once, growth, refused

photo = pathlib.Path(sys.argv[1]).read_bytes()
print(growth(lambda photo: at_once(refused, photo), photo))
"""


@pytest.mark.server
@pytest.mark.parametrize(
    ("kind", "mode", "before", "block"),
    [("GIF", "P", b",\0\0\0\0", b"!\xf9\0"), ("PNG", "L", b"\0\0\0\x0cIDAT", chunk(b"IDAT", b""))],
)
def test_floods_are_refused_within_512_megabytes(
    tmp_path: Path, kind: str, mode: str, before: bytes, block: bytes
):
    """Files of 8 MB with nothing but empty blocks, as many as are copied at once, leave memory."""
    plain, file = encoded(Image.new(mode, (8, 8)), kind), tmp_path / "flood"
    at = plain.index(before)
    flood = block * ((MAX_BYTES - len(plain)) // len(block))
    file.write_bytes(plain[:at] + flood + plain[at:])

    environ = {"MALLOC_ARENA_MAX": "1"}
    assert fresh_process.answer(["-c", FLOOD, str(file)], environ=environ) < 512
