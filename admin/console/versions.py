"""Compares the versions of the app and of manage.py."""

from __future__ import annotations

import re

from admin.terminal.fields import Fields
from shared.version import VERSION

_NUMBERS = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.ASCII)


def differ(version: str) -> str:
    """The warning for an app of *version*; empty if it is the same version."""
    if version == VERSION:
        return ""
    found = _NUMBERS.fullmatch(version)
    if found is None:
        # Before 0.1.0 the app did not send its version.
        return f"The app is older than this manage.py ({VERSION}), or does not send its version."
    older = tuple(map(int, found.groups())) < tuple(map(int, VERSION.split(".")))
    word = "older" if older else "newer"
    return f"The app ({version}) is {word} than this manage.py ({VERSION}): use the same version."


def of(answer: Fields) -> str:
    """Version and build time of the app that sent *answer*; empty if it sends none."""
    version, packed = answer.text("version"), answer.when("packedAt")
    if not version:
        return ""
    return f"PhotoSync {version}" + (f", packaged {packed}" if packed else "")
