"""The version of PhotoSync, and when its package was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared import moments

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "0.2.0"
# In every response of the console, so that a client can report a version mismatch.
HEADER = "X-PhotoSync-Version"
_LONGEST = 40


def stamp_file() -> Path:
    """
    Path of the file that the deployment writes, absent in a working copy. Nothing that the platform
    reports is as reliable (functions.md, section Versions).
    """
    # Imported here because the webhook does not need it.
    from pathlib import Path

    return Path(__file__).with_name("packed.txt")


def packed_at(stamp: Path | None = None) -> str:
    """When the running package was built, in ISO 8601; empty if it is not recorded."""
    try:
        text = (stamp or stamp_file()).read_text("ascii")[:_LONGEST].strip()
        return moments.read(text).isoformat(timespec="seconds")
    except (OSError, ValueError):
        return ""


def to_fields(stamp: Path | None = None) -> dict[str, str]:
    """The version and its build time, as the console's responses contain them."""
    return {"version": VERSION, "packedAt": packed_at(stamp)}


def line(stamp: Path | None = None) -> str:
    """Both for a log line: `version=0.2.0 packed=2026-11-28T09:00:00+00:00`."""
    at = packed_at(stamp)
    return f"version={VERSION} packed={at}" if at else f"version={VERSION}"
