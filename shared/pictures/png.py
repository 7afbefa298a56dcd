"""PNG files."""

from __future__ import annotations

import struct
import zlib

from shared.pictures.exif import orientation_of
from shared.pictures.picture_file import PictureFile, damaged

MAX_PROFILE_BYTES = 4 * 1024 * 1024


def read(photo: bytes) -> PictureFile:
    """The PNG file *photo*. Raises PhotoRefused, struct.error."""
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
    orientation = orientation_of([kept.get(b"eXIf", b"")])
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
