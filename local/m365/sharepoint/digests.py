"""The digest that protects a page against forged requests, required by `ProcessQuery`."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta

LIFE = timedelta(seconds=1_800)
_DIGEST = re.compile(r"0x[0-9A-F]{128},(\d\d [A-Za-z]{3} \d{4} \d\d:\d\d:\d\d) -0000")
_KEY = secrets.token_bytes(64)


def made(base: str, now: datetime) -> str:
    """Documented: its form. Assumed: it is valid only for the site *base*."""
    return _signed(base, f"{now:%d %b %Y %H:%M:%S}")


def is_fresh(base: str, digest: str, now: datetime) -> bool:
    """Whether *digest* is one of `contextinfo`'s and still valid. Documented: for 1,800 seconds."""
    found = _DIGEST.fullmatch(digest)
    if not found or not hmac.compare_digest(digest, _signed(base, found[1])):
        return False
    stamp = datetime.strptime(found[1], "%d %b %Y %H:%M:%S").replace(tzinfo=UTC)
    return timedelta(seconds=-1) <= now - stamp <= LIFE


def _signed(base: str, stamp: str) -> str:
    signature = hmac.new(_KEY, f"{base} {stamp}".encode(), hashlib.sha512).hexdigest()
    return f"0x{signature.upper()},{stamp} -0000"
