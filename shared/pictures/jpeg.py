"""JPEG files: ITU T.81, and JFIF 1.02 for files with a JFIF header."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shared.errors import PhotoRefused
from shared.pictures.exif import orientation_of
from shared.pictures.jpeg_segments import SOS, segments
from shared.pictures.picture_file import ADVICE, PictureFile, damaged

# Decoding a progressive JPEG takes one pass over all pixels per scan; cameras and tools write 10.
MAX_SCANS = 32
_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_UNUSUAL_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_PROGRESSIVE = 0xC2
_TABLES = (0xC4, 0xDB, 0xDD)
_JFIF, _EXIF, _ICC, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
_EOI = b"\xff\xd9"
# A decoder reads up to 8 bytes ahead. These contain no marker and are valid codes in any scan.
_EXTRA_BYTES = b"\x5a\x96\xc3\x69" * 8


class _Frame(NamedTuple):
    width: int
    height: int
    components: int
    progressive: bool


def read(photo: bytes) -> PictureFile:
    """Parse the JPEG file *photo*. Raises PhotoRefused, struct.error, IndexError."""
    kept: list[bytes] = []
    bodies: dict[int, list[bytes]] = {}
    for marker, start, end in segments(photo):
        part = photo[start:end]
        if marker == SOS:
            # Padding belongs to the following marker, and another part will follow here.
            part = part.rstrip(b"\xff")
        # For a scan, keep only its number of components.
        bodies.setdefault(marker, []).append(part[4:5] if marker == SOS else part[4:])
        kept.append(_needed(marker, part))
    scans = bodies.get(SOS, [])
    if len(scans) > MAX_SCANS:
        raise PhotoRefused(f"The photo is a JPEG with {len(scans)} scans, far too many; {ADVICE}.")
    frame = _frame(bodies)
    content, joints = _joined_parts(kept, in_one_scan=_is_whole(frame, scans))
    return PictureFile(
        "JPEG",
        frame.width,
        frame.height,
        content,
        orientation_of(body[6:] for body in bodies.get(_EXIF, []) if body.startswith(b"Exif\0")),
        _profile(bodies.get(_ICC, [])),
        joints=joints,
    )


def loosened(file: PictureFile) -> bytes:
    """
    The same picture with extra bytes after each scan.

    Decoders skip them unless a scan is too short. Then they decode them as its pixels, and the
    picture differs. Without the extra bytes, the rest of a short scan would silently become grey.
    """
    ends = (0, *file.joints, len(file.content))
    parts = [file.content[start:end] for start, end in zip(ends, ends[1:], strict=False)]
    return _EXTRA_BYTES.join(parts)


def _needed(marker: int, part: bytes) -> bytes:
    """The part of a segment that the decoder needs; mostly nothing."""
    if marker in (*_FRAMES, *_TABLES, SOS):
        return part
    if marker == _JFIF and part[4:9] == b"JFIF\0" and len(part) >= 18:
        # It declares three components to be YCbCr (JFIF 1.02, "Color space"), whatever their names
        # or Adobe's marker say. The thumbnail after its own 14 bytes is not needed.
        return b"\xff\xe0\0\x10" + part[4:16] + b"\0\0"
    if marker == _ADOBE and part[4:9] == b"Adobe":
        return part
    return b""


def _frame(bodies: Mapping[int, Sequence[bytes]]) -> _Frame:
    """The single frame header (T.81, B.2.2)."""
    if any(marker in bodies for marker in _UNUSUAL_FRAMES):
        raise PhotoRefused(f"The photo is an unsupported kind of JPEG; {ADVICE}.")
    frames = [body for marker in _FRAMES for body in bodies.get(marker, [])]
    if len(frames) != 1 or SOS not in bodies:
        raise damaged("JPEG")
    depth, height, width, components = struct.unpack_from(">BHHB", frames[0])
    if depth != 8 or components not in (1, 3, 4):
        raise PhotoRefused(f"The photo is an unsupported kind of JPEG; {ADVICE}.")
    return _Frame(width, height, components, _PROGRESSIVE in bodies)


def _is_whole(frame: _Frame, scans: Sequence[bytes]) -> bool:
    """Whether the first scan is the whole picture; then decoders read no other."""
    return not frame.progressive and scans[0] == bytes([frame.components])


def _joined_parts(parts: Sequence[bytes], *, in_one_scan: bool) -> tuple[bytes, tuple[int, ...]]:
    """A JPEG of *parts*, and where its scans end if the decoder cannot tell by itself."""
    content, joints = [b"\xff\xd8"], []
    at = 2
    for part in parts:
        content.append(part)
        at += len(part)
        if part[:2] == b"\xff\xda":
            if in_one_scan:
                # Without EOI, the decoder asks for more bytes if the scan is too short.
                return b"".join([*content, _EXTRA_BYTES[:8]]), ()
            joints.append(at)
    return b"".join([*content, _EOI]), tuple(joints)


def _profile(segments: Sequence[bytes]) -> bytes | None:
    """The profile from its numbered parts, each with their total; None if one is missing."""
    parts = {b[12]: b for b in segments if b.startswith(b"ICC_PROFILE\0") and len(b) > 14}
    if not parts or sorted(parts) != list(range(1, next(iter(parts.values()))[13] + 1)):
        return None
    return b"".join(parts[number][14:] for number in sorted(parts))
