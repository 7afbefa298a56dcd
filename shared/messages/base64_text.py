"""Decodes text that some tools encode in base64 before they queue it."""

from __future__ import annotations

import base64
import binascii


def from_base64(text: str) -> str:
    """Decode *text* if it is base64 of text, else return an empty string."""
    try:
        # Encoders break lines after 64 or 76 characters.
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8-sig").strip()
    except (binascii.Error, ValueError):
        return ""
