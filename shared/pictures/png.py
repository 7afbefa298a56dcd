"""PNG files: the PNG specification, third edition."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from shared.pictures import colour_key
from shared.pictures.exif import orientation_of
from shared.pictures.picture_file import PictureFile, damaged

MAX_PROFILE_BYTES = 4 * 1024 * 1024
# A PNG of 8 MB in pieces of 4 KB has 2,000 chunks; each costs memory, even if it is nearly empty.
MAX_CHUNKS = 20_000
_Bytes: TypeAlias = bytes | memoryview

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE = 3
# Chunks that are never read may be damaged (13.2, "Error handling": ancillary chunks).
_CHECKED = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_KEPT = (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf")


class _Chunk(NamedTuple):
    kind: bytes
    body: memoryview


def read(photo: bytes) -> PictureFile:
    """Parse the PNG file *photo*. Raises PhotoRefused, struct.error."""
    kept: dict[bytes, bytes] = {}
    data: list[memoryview] = []
    for kind, body in _chunks(photo):
        if kind == b"IDAT":
            data.append(body)
        # Chunks that describe the pixels come before them, and once (5.6, "Chunk ordering"). Exif
        # may also come later, but no viewer reads it there.
        elif not data and _is_in_place(kind, kept):
            kept.setdefault(kind, bytes(body))
    width, height, depth, colour = struct.unpack_from(">IIBB", kept.get(b"IHDR", b""))
    if colour == _PALETTE and b"PLTE" not in kept:
        raise damaged("PNG")
    key = None
    if colour != _PALETTE:
        # The decoder does not get the transparent colour: see `colour_key`.
        key = colour_key.read(kept.pop(b"tRNS", b""), depth, colour)
    orientation = orientation_of([kept.get(b"eXIf", b"")])
    profile = _inflated(kept.get(b"iCCP"))
    return PictureFile("PNG", width, height, _plain(kept, data), orientation, profile, key=key)


def _chunks(photo: bytes) -> Iterator[_Chunk]:
    """Yield every chunk up to IEND. Raises PhotoRefused, struct.error."""
    view = memoryview(photo)
    at = 8
    for _ in range(MAX_CHUNKS):
        length, kind = struct.unpack_from(">I4s", photo, at)
        body, end = view[at + 8 : at + 8 + length], at + 12 + length
        if end > len(photo):
            break
        if kind in _CHECKED:
            (stored_sum,) = struct.unpack_from(">I", photo, end - 4)
            if stored_sum != zlib.crc32(view[at + 4 : end - 4]):
                break
        if kind == b"IEND":
            return
        yield _Chunk(kind, body)
        at = end
    raise damaged("PNG")


def _is_in_place(kind: bytes, before: Mapping[bytes, bytes]) -> bool:
    """Whether a chunk is in a valid position: a palette's transparency comes after the palette."""
    header = before.get(b"IHDR", b"")
    of_palette = kind == b"tRNS" and header[9:10] == bytes([_PALETTE])
    return kind in _KEPT and (not of_palette or b"PLTE" in before)


def _plain(kept: Mapping[bytes, bytes], data: Sequence[memoryview]) -> bytes:
    """The picture only, its pixels in one chunk: the decoder iterates over chunks in Python."""
    kinds = [kind for kind in (b"IHDR", b"PLTE", b"tRNS") if kind in kept]
    chunks: list[tuple[bytes, Sequence[_Bytes]]] = [(kind, [kept[kind]]) for kind in kinds]
    parts: list[_Bytes] = [_SIGNATURE]
    for kind, bodies in [*chunks, (b"IDAT", data), (b"IEND", [])]:
        checksum = zlib.crc32(kind)
        for body in bodies:
            checksum = zlib.crc32(body, checksum)
        length = sum(len(body) for body in bodies)
        parts += [struct.pack(">I4s", length, kind), *bodies, struct.pack(">I", checksum)]
    return b"".join(parts)


def _inflated(chunk: bytes | None) -> bytes | None:
    """The profile in an iCCP chunk: name, NUL, method 0, deflated bytes."""
    packed = (chunk or b"").partition(b"\0")[2]
    try:
        return zlib.decompressobj().decompress(packed[1:], MAX_PROFILE_BYTES) or None
    except zlib.error:
        return None
