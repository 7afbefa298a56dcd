"""What may stand in a log line, whoever wrote it."""

from __future__ import annotations

import re
from pathlib import PurePath
from traceback import extract_tb


def place(error: Exception) -> str:
    """Where *error* was raised, for the log; what it says may quote anything and stays out."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{PurePath(last.filename).name}:{last.lineno}"


def loggable(sentence: str) -> str:
    """A sentence that may quote a service: no field of its own, nobody's address, no key."""
    unnamed = re.sub(r"[^\s@|]+@[^\s@|]+", "…@…", sentence.replace('"', "'"))
    return re.sub(r"(?i)\bcode=[^\s&]+", "code=…", unnamed)
