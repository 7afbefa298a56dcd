"""Making the pictures: time and memory, compared with Pillow's decoding and one resize."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from local.bench.measuring import fresh_process
from local.bench.measuring.concurrency import AT_ONCE
from local.bench.measuring.rows import Row, of_rounds
from local.bench.renditions.photos import BOMB_SIDE, bomb, floods, photographs

# The photo that Exchange returns if it has a large one (graph.md section 1).
_USUAL = "648 px JPEG"
_PLAIN = "Pillow decodes it and resizes it once to 300 px"
_LARGEST = "4,000 px PNG"
# For these, three pictures take less than a megabyte.
_LARGE = {"648 px JPEG", "648 px PNG", "4,000 px JPEG", _LARGEST}
_GOAL_RATIO = 1.5
# With many large photos at once, the memory of the files adds up, that of the pixels must not.
_GOAL_CROWD = 5
# What a small instance has left; each fetched file takes 8 MB of it.
GOAL_FLOOD_MB = 512


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Each photograph, then the cost of many at once and of a bomb."""
    folder.mkdir(parents=True, exist_ok=True)
    say("drawing photographs")
    files = {name: _kept(folder, name, photo) for name, photo in photographs().items()}
    found = []
    for name, file in files.items():
        say(name)
        found.append(duration(name, measured("time", file)))
        if name in _LARGE:
            mb, plain = (measured(way, file)["mb"] for way in ("ours", "plain"))
            what = f"{name}: memory at the peak"
            found.append(Row("renditions", what, mb, "MB", floor=plain, floor_is=_PLAIN))
    say("many at once, and a bomb")
    largest, file = files[_LARGEST], _kept(folder, "bomb", bomb())
    return [
        *found,
        crowd(measured("crowd", largest)["mb"], one=measured("ours", largest)["mb"]),
        refusal(file, measured("refused", file)["mb"], decoded=measured("plain", file)["mb"]),
        *(
            flood(name, measured("flood", _kept(folder, name, photo))["mb"])
            for name, photo in floods().items()
        ),
    ]


def _kept(folder: Path, name: str, photo: bytes) -> Path:
    file = folder / f"{name.replace(',', '').replace(' ', '-')}.photo"
    file.write_bytes(photo)
    return file


def duration(name: str, took: Mapping[str, Sequence[float]]) -> Row:
    """From the milliseconds of each round; the usual photo has the goal."""
    return of_rounds(
        "renditions",
        f"{name}: three pictures",
        took["ours"],
        "ms",
        floor=statistics.median(took["plain"]),
        floor_is=_PLAIN,
        goal_ratio=_GOAL_RATIO if name == _USUAL else None,
    )


def crowd(mb: float, *, one: float) -> Row:
    """From the megabytes of many large photos at once, and of one alone."""
    return Row(
        "renditions",
        f"{_LARGEST}, {AT_ONCE} at once: memory at the peak",
        mb,
        "MB",
        floor=one,
        floor_is="one alone",
        goal_ratio=_GOAL_CROWD,
        note="photos over 4 megapixels are decoded one at a time; each that waits holds its file "
        "twice, as fetched and as read",
    )


def refusal(file: Path, mb: float, *, decoded: float) -> Row:
    """From the megabytes for refusing a bomb, and for decoding it."""
    return Row(
        "renditions",
        f"bomb of {BOMB_SIDE:,} × {BOMB_SIDE:,} pixels: memory to refuse it",
        mb,
        "MB",
        goal=1,
        floor=decoded,
        floor_is="Pillow decodes it",
        note=f"the file has {file.stat().st_size / 1024:.0f} KB",
    )


def flood(name: str, mb: float) -> Row:
    """From the megabytes of many files at once that contain only blocks."""
    what = f"{name}, {AT_ONCE} at once: memory to refuse them"
    return Row("renditions", what, mb, "MB", goal=GOAL_FLOOD_MB)


def measured(what: str, file: Path) -> Any:
    """One measurement of `renditions_process`, in a fresh process."""
    command = ["-m", "local.bench.renditions.renditions_process", what, str(file.resolve())]
    # One arena: with one for each thread, the peak depends on which thread came first.
    return fresh_process.answer(command, environ={"MALLOC_ARENA_MAX": "1"})
