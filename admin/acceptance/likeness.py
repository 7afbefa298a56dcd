"""Identifies the picture in an answer: the one written, another one, or none."""

from __future__ import annotations

import io
import secrets
from typing import NamedTuple
from urllib.parse import urlsplit

from PIL import Image, ImageChops, ImageDraw, ImageStat

from shared.microsoft365.reply import Reply

WRITTEN = "what was written"
_FORMER = "the previous picture"
# Second-level names of Microsoft's hosts, which do not identify a tenant.
_SERVICES = {"office", "office365", "outlook", "microsoft", "sharepoint", "live", "svc"}
_SIDE = 16
# Mean difference of 255 levels; JPEG and scaling cause far less.
_MOST = 12.0


def drawn() -> bytes:
    """A new picture that no cache can have: four squares in random colours."""
    image = Image.new("RGB", (400, 400))
    draw = ImageDraw.Draw(image)
    for left, top in ((0, 0), (200, 0), (0, 200), (200, 200)):
        colour = "#" + secrets.token_hex(3)
        draw.rectangle((left, top, left + 200, top + 200), fill=colour)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


class Known(NamedTuple):
    """
    The pictures that an answer may contain: the file written, the previous file, the photo in
    Exchange, and the picture shown before; None if there is none.
    """

    written: bytes | None
    before: bytes | None = None
    photo: bytes | None = None
    shown: bytes | None = None


def named(reply: Reply, known: Known) -> str:
    """What *reply* shows, in words; WRITTEN for the file written."""
    if 300 <= reply.status < 400:
        return f"a redirect ({reply.status}) to {_where(reply)}"
    if not reply.ok:
        return f"status {reply.status}"
    if reply.body == known.written:
        return WRITTEN
    if reply.body == known.before:
        return _FORMER
    size = side(reply.body)
    if not size:
        return "no picture"
    if _alike(reply.body, known.photo) and not _alike(known.written, known.photo):
        return f"the mailbox's photo ({size}), so it came from another service"
    if _alike(reply.body, known.written):
        return f"the same picture with different bytes ({size}): re-encoded, or another service's"
    return _FORMER if reply.body == known.shown else f"another picture ({size})"


def _where(reply: Reply) -> str:
    """The host it leads to, described without naming the tenant."""
    try:
        host = urlsplit(reply.headers.get("Location", "")).hostname
    except ValueError:
        return "an invalid address"
    if not host:
        return "the same host"
    service = host.split(".")[-2:][0]
    return f"a host of {service}" if service in _SERVICES else "another host"


def side(content: bytes) -> str:
    """Width and height of a picture, such as 48x48; empty if it is not a picture."""
    opened = _opened(content)
    return f"{opened.width}x{opened.height}" if opened else ""


def _alike(one: bytes | None, two: bytes | None) -> bool:
    if one is None or two is None:
        return False
    first, second = _opened(one), _opened(two)
    if first is None or second is None:
        return False
    small = [each.resize((_SIDE, _SIDE), Image.Resampling.BOX) for each in (first, second)]
    means = ImageStat.Stat(ImageChops.difference(*small)).mean
    return sum(means) / len(means) < _MOST


def _opened(content: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(content)) as image:
            # Anything larger is not a thumbnail that a page shows.
            return image.convert("RGB") if image.width * image.height < 4_000_000 else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
