"""The photographs for measuring renditions: invented, the same in every run."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

from local.demo import photo_files

SIDES = (96, 240, 648, 4_000)
# More pixels than PhotoSync reads, and fewer than those that Pillow itself refuses.
BOMB_SIDE = 12_000
_SEED = 6


def photographs() -> dict[str, bytes]:
    """Each size as a JPEG and as a PNG, by its name in the table."""
    found = {}
    for side in SIDES:
        picture = _square(side)
        found[f"{side:,} px JPEG"] = photo_files.jpeg(picture)
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        found[f"{side:,} px PNG"] = stream.getvalue()
    return found


def _square(side: int) -> Image.Image:
    """The middle of a photograph with grain, since smooth pictures cost less to decode."""
    wide = side * 4 // 3
    left = (wide - side) // 2
    return photo_files.photograph(_SEED, wide, side).crop((left, 0, left + side, side))


def bomb() -> bytes:
    """A PNG of a few kilobytes that declares and contains 144 megapixels of grey."""
    row = bytes(1 + BOMB_SIDE)
    packer = zlib.compressobj()
    body = b"".join(packer.compress(row) for _ in range(BOMB_SIDE)) + packer.flush()
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def floods() -> dict[str, bytes]:
    """Files of just under 8 MB that contain only empty blocks, by their names in the table."""
    gif, png = io.BytesIO(), io.BytesIO()
    Image.new("P", (8, 8)).save(gif, "GIF")
    Image.new("L", (8, 8)).save(png, "PNG")
    first, header = gif.getvalue().index(b",\0\0\0\0"), 33
    return {
        "GIF of 2,796,000 blocks": _flooded(gif.getvalue(), first, b"!\xf9\0" * 2_796_000),
        "PNG of 699,000 chunks": _flooded(png.getvalue(), header, _chunk(b"IDAT", b"") * 699_000),
    }


def _flooded(photo: bytes, at: int, flood: bytes) -> bytes:
    return photo[:at] + flood + photo[at:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))
