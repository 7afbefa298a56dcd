"""Making the pictures: time and memory, compared with Pillow's decoding and one resize."""

from __future__ import annotations

import io
import statistics
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from local.bench.measuring import fresh_process
from local.bench.measuring.conditions import AT_ONCE
from local.bench.measuring.rows import Row, of_rounds
from local.demo import photo_files

# More pixels than PhotoSync reads, and fewer than those that Pillow itself refuses.
BOMB_SIDE = 12_000
_SEED = 6
# The photo that Exchange returns if it has a large one (graph.md section 1).
USUAL = "648 px JPEG"
LARGEST = "4,000 px PNG"
_PLAIN = "Pillow decodes it and resizes it once to 300 px"
_GOAL_RATIO = 1.5
# With many large photos at once, the memory of the files adds up, that of the pixels must not.
_GOAL_CROWD = 5
_GOAL_BOMB_MB = 1


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Each photograph, then many at once, and a bomb."""
    folder.mkdir(parents=True, exist_ok=True)
    say("drawing photographs")
    files = {name: _kept(folder, name, photo) for name, photo in photographs().items()}
    found = []
    for name, file in files.items():
        say(name)
        found.append(duration(name, measured("time", file)))
        if name != USUAL:
            mb, plain = measured("ours", file), measured("plain", file)
            what = f"{name}: peak memory"
            found.append(Row(what, mb, "MB", floor=plain, floor_is=_PLAIN))
    say("many at once, and a bomb")
    largest, file = files[LARGEST], _kept(folder, "bomb", bomb())
    crowd, one = measured("crowd", largest), measured("ours", largest)
    refused, decoded = measured("refused", file), measured("plain", file)
    return [*found, *limit_rows(crowd, one, refused, decoded)]


def _kept(folder: Path, name: str, photo: bytes) -> Path:
    file = folder / f"{name.replace(',', '').replace(' ', '-')}.photo"
    file.write_bytes(photo)
    return file


def duration(name: str, took: Mapping[str, Sequence[float]]) -> Row:
    """From the milliseconds of each round; the usual photo has the goal."""
    return of_rounds(
        f"{name}: three pictures",
        took["ours"],
        "ms",
        floor=statistics.median(took["plain"]),
        floor_is=_PLAIN,
        goal_ratio=_GOAL_RATIO if name == USUAL else None,
    )


def limit_rows(crowd: float, one: float, refused: float, decoded: float) -> list[Row]:
    """
    From the megabytes of many large photos at once, and of one; and of refusing a bomb, and of
    decoding it.
    """
    return [
        Row(
            f"{LARGEST}, {AT_ONCE} at once: peak memory",
            crowd,
            "MB",
            floor=one,
            floor_is="one alone",
            goal_ratio=_GOAL_CROWD,
            note="photos over 4 megapixels are decoded one at a time; each one that waits holds "
            "its file twice, as fetched and as read",
        ),
        Row(
            f"bomb of {BOMB_SIDE:,} × {BOMB_SIDE:,} pixels: memory to refuse it",
            refused,
            "MB",
            goal=_GOAL_BOMB_MB,
            floor=decoded,
            floor_is="Pillow decodes it",
        ),
    ]


def measured(what: str, file: Path) -> Any:
    """One measurement of `renditions_process`, in a fresh process."""
    command = ["-m", "local.bench.renditions.renditions_process", what, str(file.resolve())]
    # One arena: with one for each thread, the peak depends on which thread came first.
    return fresh_process.answer(command, environ={"MALLOC_ARENA_MAX": "1"})


def photographs() -> dict[str, bytes]:
    """The usual photo and the largest ones, by their names in the table."""
    large, stream = _square(4_000), io.BytesIO()
    large.save(stream, "PNG")
    return {
        USUAL: photo_files.jpeg(_square(648)),
        "4,000 px JPEG": photo_files.jpeg(large),
        LARGEST: stream.getvalue(),
    }


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
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I4s", len(content), kind)
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    )
