"""Text that some tools encode before they queue it."""

from __future__ import annotations

import base64
import binascii


def from_base64(text: str) -> str:
    """What *text* says if it is base64 of text, as some tools send it; else nothing."""
    try:
        # Tools that encode break the line after 64 or 76 characters.
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8-sig").strip()
    except (binascii.Error, ValueError):
        return ""
