"""What may appear in a log line, whoever wrote the text."""

from __future__ import annotations

import re
from pathlib import PurePath
from traceback import extract_tb

# Without the punctuation behind it, which belongs to the sentence.
_ADDRESS = re.compile(r"[^\s@|]+@[^\s@|]*?(?=[.,;:!?')}\]]*(?:[\s@|]|$))")


def place(error: Exception) -> str:
    """Where *error* was raised, for the log; its message may quote anything and is left out."""
    last = extract_tb(error.__traceback__)[-1]
    return f"{PurePath(last.filename).name}:{last.lineno}"


def loggable(sentence: str) -> str:
    """A sentence that may quote a service, made safe: no field of its own, no address, no key."""
    unnamed = _ADDRESS.sub("…@…", sentence.replace('"', "'"))
    return re.sub(r"(?i)\bcode=[^\s&]+", "code=…", unnamed)
