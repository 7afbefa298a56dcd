"""
The marker segments of a JPEG file: ITU T.81, annex B.

Within a scan, FF belongs to the pixels only if 00 follows. After any other byte, every decoder ends
the scan and silently fills the rest with grey. So this module lists what may follow; anything else
is damage.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shared.pictures.picture_file import damaged

# A JPEG of 8 MB needs 130 segments; millions of empty ones would only cost time.
MAX_SEGMENTS = 2000
EOI, SOS, DRI = 0xD9, 0xDA, 0xDD
# After the first scan: tables, the next scan, the end, the number of lines (DNL), a comment.
# Application data would also be valid, but no writer puts it there; a flipped bit does.
_AFTER_FIRST_SCAN = (0xC4, 0xDB, DRI, SOS, EOI, 0xDC, 0xFE)
# A marker is FF and a byte that is neither 00 (a stuffed FF) nor FF (padding). RST0 to RST7 and,
# before the pixels, TEM (01) have no body.
_BEFORE_PIXELS = re.compile(rb"\xff([^\x00\xff\x01\xd0-\xd7])")
_AMONG_PIXELS = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
# RSTm marks restart intervals (B.1.1.3); without intervals it is as invalid as any other marker.
_AMONG_UNBROKEN_PIXELS = re.compile(rb"\xff[^\x00\xff]")


class Segment(NamedTuple):
    """A marker with its body, for a scan with its pixels. `start` and `end` are positions."""

    marker: int
    start: int
    end: int


def segments(photo: bytes) -> Iterator[Segment]:
    """
    Yield every segment up to the end of the first image. Raises PhotoRefused.

    If nothing follows the last scan, only EOI is missing, and every viewer shows such a file
    (python-pillow/Pillow#4414). The decoder determines whether that scan is complete.
    """
    at, among_pixels, restarts = 2, False, False
    for _ in range(MAX_SEGMENTS):
        found = (_AMONG_PIXELS if among_pixels else _BEFORE_PIXELS).search(photo, at)
        if not found and among_pixels:
            return
        if not found or (among_pixels and found[1][0] not in _AFTER_FIRST_SCAN):
            break
        marker, start, at = found[1][0], found.start(), found.end()
        if marker == EOI:
            return
        at += max(2, int.from_bytes(photo[at : at + 2], "big"))
        if at > len(photo):
            break
        if marker == DRI:
            restarts = any(photo[start + 4 : start + 6])
        if marker == SOS:
            among_pixels = True
            at = _end_of_pixels(photo, at, restarts=restarts)
        yield Segment(marker, start, at)
    raise damaged("JPEG")


def _end_of_pixels(photo: bytes, at: int, *, restarts: bool) -> int:
    marker = _AMONG_PIXELS if restarts else _AMONG_UNBROKEN_PIXELS
    following = marker.search(photo, at)
    return following.start() if following else len(photo)
