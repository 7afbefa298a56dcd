"""The id of a sweep, used in messages and in blob names."""

from __future__ import annotations

import re

_SWEEP_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")


def is_sweep_id(text: str) -> bool:
    """Whether *text* may be one: it cannot form a path to another blob."""
    return bool(_SWEEP_ID.fullmatch(text))
