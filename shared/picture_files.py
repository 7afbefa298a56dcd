"""
What a picture file says about itself, read without decoding a single pixel.

`read` walks the container of a JPEG, PNG, GIF or BMP, checks that it is whole and not oversized,
takes out the orientation and the colour profile, and hands on only the parts that hold pixels.
So the decoder never meets EXIF, XMP, text, comments, thumbnails or second images, and nothing of
them can end up in SharePoint.

TIFF and WebP are left out on purpose: Graph hands out JPEG (it re-encodes what is uploaded), older
ways of storing a photo used the four formats here, and each further decoder is one more thing a
hostile file can attack.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.errors import PhotoRefused

MAX_BYTES = 8 * 1024 * 1024
MAX_PIXELS = 25_000_000
MAX_PROFILE_BYTES = 4 * 1024 * 1024
# A JPEG of 8 MB needs 130 segments; millions of empty ones only cost time.
MAX_SEGMENTS = 2000
# Decoding a progressive JPEG costs one pass over all pixels a scan; cameras and tools write 10.
MAX_SCANS = 32

_ADVICE = "set it again in Exchange as an ordinary JPEG or PNG"


@dataclass(frozen=True)
class PictureFile:
    """One still picture: its true dimensions, and bytes that hold pixels and nothing else."""

    format: str
    width: int
    height: int
    content: bytes = field(repr=False)
    orientation: int = 1
    profile: bytes | None = field(default=None, repr=False)
    adobe: bool = False


def damaged(kind: str) -> PhotoRefused:
    """The sentence for a file that begins well and cannot be read to its end."""
    return PhotoRefused(f"The photo is a damaged or cut-off {kind} file; {_ADVICE}.")


def read(photo: bytes) -> PictureFile:
    """Understand the container of *photo*, or say in a sentence why it is refused."""
    if not photo:
        raise PhotoRefused(f"The photo is empty; {_ADVICE}.")
    if len(photo) > MAX_BYTES:
        size = len(photo) / 1024 / 1024
        raise PhotoRefused(
            f"The photo has {size:.1f} MB, more than the 8 MB that are read; set a smaller one."
        )
    for kind, magic, walk in (
        ("JPEG", b"\xff\xd8\xff", _jpeg),
        ("PNG", b"\x89PNG\r\n\x1a\n", _png),
        ("GIF", b"GIF8", _gif),
        ("BMP", b"BM", _bmp),
    ):
        if photo.startswith(magic):
            try:
                return _checked(walk(photo))
            except (struct.error, IndexError) as error:
                raise damaged(kind) from error
    raise PhotoRefused(f"The photo is not a JPEG, PNG, GIF or BMP picture; {_ADVICE}.")


def _checked(file: PictureFile) -> PictureFile:
    if file.width < 1 or file.height < 1:
        raise damaged(file.format)
    if file.width * file.height > MAX_PIXELS:
        raise PhotoRefused(
            f"The photo has {file.width} × {file.height} pixels, more than the 25 megapixels "
            "that are read; set a smaller one."
        )
    return file


# JPEG: ITU T.81. A marker is FF and a byte that is neither 00 (a stuffed FF) nor FF (padding).
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


def _jpeg(photo: bytes) -> PictureFile:
    kept = [b"\xff\xd8"]
    bodies: dict[int, list[bytes]] = {}
    for marker, start, end in _segments(photo):
        body = photo[start + 4 : end] if marker != _SOS else b""
        bodies.setdefault(marker, []).append(body)
        if marker in _PIXELS or (marker == _ADOBE and body.startswith(b"Adobe")):
            kept.append(photo[start:end])
    scans = len(bodies.get(_SOS, []))
    if scans > MAX_SCANS:
        raise PhotoRefused(f"The photo is a JPEG of {scans} layers, far too many; {_ADVICE}.")
    frames = [body for marker in _FRAMES for body in bodies.get(marker, [])]
    if any(marker in bodies for marker in _UNUSUAL_FRAMES):
        raise PhotoRefused(f"The photo is an unusual kind of JPEG; {_ADVICE}.")
    if len(frames) != 1:
        raise damaged("JPEG")
    depth, height, width, components = struct.unpack_from(">BHHB", frames[0])
    if depth != 8 or components not in (1, 3, 4):
        raise PhotoRefused(f"The photo is an unusual kind of JPEG; {_ADVICE}.")
    exif = next((b[6:] for b in bodies.get(_EXIF, []) if b.startswith(b"Exif\0\0")), b"")
    adobe = any(b.startswith(b"Adobe") for b in bodies.get(_ADOBE, []))
    profile = _joined(bodies.get(_ICC, []))
    content, orientation = b"".join(kept), _exif_orientation(exif)
    return PictureFile("JPEG", width, height, content, orientation, profile, adobe)


def _joined(segments: list[bytes]) -> bytes | None:
    """The profile from its numbered parts, each with the count of all; None if one is missing."""
    parts = {b[12]: b for b in segments if b.startswith(b"ICC_PROFILE\0") and len(b) > 14}
    if not parts or sorted(parts) != list(range(1, next(iter(parts.values()))[13] + 1)):
        return None
    return b"".join(parts[number][14:] for number in sorted(parts))


def _png(photo: bytes) -> PictureFile:
    view = memoryview(photo)
    kept: dict[bytes, bytes] = {}
    data: list[memoryview] = []
    at, kind = 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", photo, at)
        body, end = view[at + 8 : at + 8 + length], at + 12 + length
        if end > len(photo):
            raise damaged("PNG")
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            if struct.unpack_from(">I", photo, end - 4)[0] != zlib.crc32(view[at + 4 : end - 4]):
                raise damaged("PNG")
            if kind == b"IDAT":
                data.append(body)
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf"):
            kept.setdefault(kind, bytes(body))
        at = end
    width, height = struct.unpack_from(">II", kept.get(b"IHDR", b""))
    # One data chunk instead of thousands: the decoder walks chunks in Python.
    kept[b"IDAT"] = b"".join(data)
    chunks = [_chunk(kind, kept[kind]) for kind in (b"IHDR", b"PLTE", b"tRNS") if kind in kept]
    content = b"".join([photo[:8], *chunks, _chunk(b"IDAT", kept[b"IDAT"]), _chunk(b"IEND", b"")])
    orientation = _exif_orientation(kept.get(b"eXIf", b""))
    return PictureFile("PNG", width, height, content, orientation, _inflated(kept.get(b"iCCP")))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def _inflated(chunk: bytes | None) -> bytes | None:
    """The profile in an iCCP chunk: name, NUL, method 0, deflated bytes."""
    packed = (chunk or b"").partition(b"\0")[2]
    try:
        return zlib.decompressobj().decompress(packed[1:], MAX_PROFILE_BYTES) or None
    except zlib.error:
        return None


def _gif(photo: bytes) -> PictureFile:
    width, height, flags = struct.unpack_from("<HHB", photo, 6)
    at = 13 + _palette_bytes(flags)
    kept = [photo[:at]]
    while photo[at] == 0x21:
        end = _past_blocks(photo, at + 2)
        if photo[at + 1] == 0xF9:  # graphic control: says which colour is transparent
            kept.append(photo[at:end])
        at = end
    if photo[at] != 0x2C:
        raise damaged("GIF")
    left, top, wide, high, flags = struct.unpack_from("<HHHHB", photo, at + 1)
    if wide < 1 or high < 1:
        raise damaged("GIF")
    end = _past_blocks(photo, at + 11 + _palette_bytes(flags))
    kept += [photo[at:end], b";"]
    # A frame may reach beyond the canvas; decoders then make the canvas larger.
    return PictureFile("GIF", max(width, left + wide), max(height, top + high), b"".join(kept))


def _palette_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _past_blocks(photo: bytes, at: int) -> int:
    """The position after a chain of sub-blocks, each led by its length, closed by 0."""
    while photo[at]:
        at += photo[at] + 1
    return at + 1


def _bmp(photo: bytes) -> PictureFile:
    (header,) = struct.unpack_from("<I", photo, 14)
    if header == 12:
        width, height = struct.unpack_from("<HH", photo, 18)
        compression = 0
    else:
        width, height = struct.unpack_from("<ii", photo, 18)
        (compression,) = struct.unpack_from("<I", photo, 30)
    # 0 plain, 3 bit masks. Run lengths are decoded in Python, byte by byte: too slow to accept.
    if header not in (12, 40, 52, 56, 64, 108, 124) or compression not in (0, 3):
        raise PhotoRefused(f"The photo is an unusual kind of BMP; {_ADVICE}.")
    return PictureFile("BMP", width, abs(height), photo)


def _exif_orientation(tiff: bytes) -> int:
    """Tag 0x0112 of the first directory, 1 to 8; 1 for anything that is not sound EXIF."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, at)
        for entry in range(at + 2, at + 2 + 12 * entries, 12):
            tag, form, count, value = struct.unpack_from(f"{order}HHIH", tiff, entry)
            if (tag, form, count) == (0x0112, 3, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
