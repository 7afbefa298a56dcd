"""
`python -m local.bench.renditions.renditions_process time|ours|refused|plain|crowd FILE`: the cost
of one photo in a separate process, as one line of JSON.
"""

from __future__ import annotations

import io
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from local.bench.measuring.conditions import AT_ONCE, PICTURE_SIZES
from local.bench.measuring.memory import forget_peak, peak_mb
from shared.errors import PhotoRefused
from shared.pictures.renditions import renditions

ROUNDS = 5
_ROUND_SECONDS = 0.3


def ours(photo: bytes) -> None:
    """PhotoSync's three pictures of a photo. A refusal is an error, not a figure."""
    renditions(photo, PICTURE_SIZES)


def refused(photo: bytes) -> None:
    """PhotoSync's refusal of a bomb. Pictures are an error, not a figure."""
    try:
        renditions(photo, PICTURE_SIZES)
    except PhotoRefused:
        return
    raise SystemExit("PhotoSync did not refuse this.")


def plain(photo: bytes) -> None:
    """The simplest code: decode, and make one picture of 300 pixels, which is not even stored."""
    with Image.open(io.BytesIO(photo)) as picture:
        picture.resize((300, 300), Image.Resampling.LANCZOS)


def times(photo: bytes) -> dict[str, list[float]]:
    """Milliseconds of both in turn: each round's median."""
    renderers = {"ours": ours, "plain": plain}
    # The first run of each warms it up.
    once = sum(_took(render, photo) for render in renderers.values())
    repeats = max(1, round(_ROUND_SECONDS / once))
    found: dict[str, list[float]] = {name: [] for name in renderers}
    for _ in range(ROUNDS):
        took: dict[str, list[float]] = {name: [] for name in renderers}
        for _ in range(repeats):
            for name, render in renderers.items():
                took[name].append(_took(render, photo))
        for name, each in took.items():
            found[name].append(statistics.median(each) * 1000)
    return found


def growth(render: Callable[[bytes], None], photo: bytes) -> float:
    """Peak memory in megabytes beyond the memory in use before."""
    forget_peak()
    before = peak_mb()
    render(photo)
    return round(peak_mb() - before, 2)


def crowd(photo: bytes) -> None:
    """The pictures of the same photo on every thread at once."""
    at_once(ours, photo)


def at_once(render: Callable[[bytes], None], photo: bytes) -> None:
    """Do it on every thread at once, each with its own copy of the file, as fetched."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for _ in threads.map(lambda _: render(bytes(bytearray(photo))), range(AT_ONCE)):
            pass


def _took(render: Callable[[bytes], None], photo: bytes) -> float:
    began = time.perf_counter()
    render(photo)
    return time.perf_counter() - began


def main(what: str, photo: bytes) -> Any:
    """Measure *what* on *photo*."""
    # Pillow only warns about a bomb of this size, and decodes it.
    warnings.simplefilter("ignore", Image.DecompressionBombWarning)
    if what == "time":
        return times(photo)
    renderers = {"ours": ours, "refused": refused, "plain": plain, "crowd": crowd}
    return growth(renderers[what], photo)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]).read_bytes())))
