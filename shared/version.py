"""Which version of PhotoSync this is, and when its package was put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import moments

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "0.2.0"
# Of every answer of the console: a client reads it, so that it can say that it is another one.
HEADER = "X-PhotoSync-Version"
_LONGEST = 40


def stamp_file() -> Path:
    """
    The deployment writes it; nothing that the platform tells is as sure (functions.md, section
    Versions). None in a working copy.
    """
    # Not at the top: the webhook's process has no use for it.
    from pathlib import Path

    return Path(__file__).with_name("packed.txt")


def packed_at(stamp: Path | None = None) -> str:
    """When the running package was put together, in ISO 8601; empty where nobody wrote it down."""
    try:
        told = (stamp or stamp_file()).read_text("ascii")[:_LONGEST].strip()
        return moments.read(told).isoformat(timespec="seconds")
    except (OSError, ValueError):
        return ""


def told(stamp: Path | None = None) -> dict[str, str]:
    """The version and the time of its package, as the console's answers have them."""
    return {"version": VERSION, "packedAt": packed_at(stamp)}


def line(stamp: Path | None = None) -> str:
    """The same for a log: `version=0.2.0 packed=2026-11-28T09:00:00+00:00`."""
    at = packed_at(stamp)
    return f"version={VERSION} packed={at}" if at else f"version={VERSION}"
