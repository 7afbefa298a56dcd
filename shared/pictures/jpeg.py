"""JPEG files: ITU T.81."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from shared.errors import PhotoRefused
from shared.pictures.picture_file import ADVICE, PictureFile, damaged, exif_orientation

# A JPEG of 8 MB needs 130 segments; millions of empty ones only cost time.
MAX_SEGMENTS = 2000
# Decoding a progressive JPEG costs one pass over all pixels a scan; cameras and tools write 10.
MAX_SCANS = 32
# A marker is FF and a byte that is neither 00 (a stuffed FF) nor FF (padding).
_MARKER = re.compile(rb"\xff([^\x00\xff\x01\xd0-\xd7])")
_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_UNUSUAL_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_EOI, _SOS, _EXIF, _ICC, _ADOBE = 0xD9, 0xDA, 0xE1, 0xE2, 0xEE
_PIXELS = (*_FRAMES, 0xC4, 0xDB, 0xDD, _SOS, _EOI)


def _segments(photo: bytes) -> Iterator[tuple[int, int, int]]:
    """Every marker segment up to the end of the first image: marker, first and last position."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        if not (found := _MARKER.search(photo, at)):
            break
        marker = found[1][0]
        start, at = found.start(), found.end()
        if marker == _EOI:
            yield marker, start, at
            return
        at += max(2, int.from_bytes(photo[at : at + 2], "big"))
        if marker == _SOS:
            # The compressed pixels follow, up to the next marker.
            following = _MARKER.search(photo, at)
            at = following.start() if following else len(photo) + 1
        if at > len(photo):
            break
        yield marker, start, at
    raise damaged("JPEG")


def read(photo: bytes) -> PictureFile:
    """The JPEG file *photo*. Raises PhotoRefused, struct.error, IndexError."""
    kept = [b"\xff\xd8"]
    bodies: dict[int, list[bytes]] = {}
    for marker, start, end in _segments(photo):
        body = photo[start + 4 : end] if marker != _SOS else b""
        bodies.setdefault(marker, []).append(body)
        if marker in _PIXELS or (marker == _ADOBE and body.startswith(b"Adobe")):
            kept.append(photo[start:end])
    scans = len(bodies.get(_SOS, []))
    if scans > MAX_SCANS:
        raise PhotoRefused(f"The photo is a JPEG of {scans} layers, far too many; {ADVICE}.")
    frames = [body for marker in _FRAMES for body in bodies.get(marker, [])]
    if any(marker in bodies for marker in _UNUSUAL_FRAMES):
        raise PhotoRefused(f"The photo is an unusual kind of JPEG; {ADVICE}.")
    if len(frames) != 1:
        raise damaged("JPEG")
    depth, height, width, components = struct.unpack_from(">BHHB", frames[0])
    if depth != 8 or components not in (1, 3, 4):
        raise PhotoRefused(f"The photo is an unusual kind of JPEG; {ADVICE}.")
    exif = next((b[6:] for b in bodies.get(_EXIF, []) if b.startswith(b"Exif\0\0")), b"")
    adobe = any(b.startswith(b"Adobe") for b in bodies.get(_ADOBE, []))
    profile = _joined(bodies.get(_ICC, []))
    content, orientation = b"".join(kept), exif_orientation(exif)
    return PictureFile("JPEG", width, height, content, orientation, profile, adobe)


def _joined(segments: list[bytes]) -> bytes | None:
    """The profile from its numbered parts, each with the count of all; None if one is missing."""
    parts = {b[12]: b for b in segments if b.startswith(b"ICC_PROFILE\0") and len(b) > 14}
    if not parts or sorted(parts) != list(range(1, next(iter(parts.values()))[13] + 1)):
        return None
    return b"".join(parts[number][14:] for number in sorted(parts))
