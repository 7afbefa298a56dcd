"""Whether app and manage.py are of one version, and what to say if they are not."""

from __future__ import annotations

import re

from admin.terminal.fields import Fields
from shared.version import VERSION

_NUMBERS = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.ASCII)


def differ(told: str) -> str:
    """What to say of an app that calls itself *told*; empty if it is of this very version."""
    if told == VERSION:
        return ""
    found = _NUMBERS.fullmatch(told)
    if found is None:
        # Until 0.1.0 no app told its version.
        return f"The app is older than this manage.py ({VERSION}), or does not tell its version."
    older = tuple(map(int, found.groups())) < tuple(map(int, VERSION.split(".")))
    word = "older" if older else "newer"
    return f"The app ({told}) is {word} than this manage.py ({VERSION}): use those of one version."


def of(answer: Fields) -> str:
    """Version and age of the app that gave *answer*, in words; empty where it tells none."""
    version, packed = answer.text("version"), answer.when("packedAt")
    if not version:
        return ""
    return f"PhotoSync {version}" + (f", packed {packed}" if packed else "")
