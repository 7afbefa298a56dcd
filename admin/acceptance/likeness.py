"""Which picture an answer is: the bytes that were written, another one, or no picture at all."""

from __future__ import annotations

import io
import secrets
from typing import NamedTuple
from urllib.parse import urlsplit

from PIL import Image, ImageChops, ImageDraw, ImageStat

from shared.microsoft365.reply import Reply

WRITTEN = "what was written"
_FORMER = "the picture from before"
# What second names hosts of Microsoft's have that name no tenant.
_SERVICES = {"office", "office365", "outlook", "microsoft", "sharepoint", "live", "svc"}
_SIDE = 16
# Of 255, on average: what JPEG and scaling change is far below.
_MOST = 12.0


def drawn() -> bytes:
    """A picture that nobody has seen before: four squares of chance colours, nobody's face."""
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
    What an answer may be: the file that was written, the one before it, the photo in Exchange, and
    what was shown before; None for what there is not.
    """

    written: bytes | None
    before: bytes | None = None
    photo: bytes | None = None
    shown: bytes | None = None


def named(reply: Reply, known: Known) -> str:
    """What *reply* shows, in words: WRITTEN, or something else."""
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
        return f"the mailbox's photo ({size}), so from another service"
    if _alike(reply.body, known.written):
        return f"the same picture in other bytes ({size}): made anew, or from another service"
    return _FORMER if reply.body == known.shown else f"another picture ({size})"


def _where(reply: Reply) -> str:
    """Whose host it leads to, by the name of a service alone."""
    try:
        host = urlsplit(reply.headers.get("Location", "")).hostname
    except ValueError:
        return "no address"
    if not host:
        return "the same host"
    service = host.split(".")[-2:][0]
    return f"a host of {service}" if service in _SERVICES else "another host"


def side(content: bytes) -> str:
    """Width and height of a picture, such as 48x48; empty for what is none."""
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
            # A thumbnail of the size that pages show, or it is none.
            return image.convert("RGB") if image.width * image.height < 4_000_000 else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
