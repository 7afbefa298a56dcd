"""The claims of an access token: read for display and decisions here, never to grant access."""

from __future__ import annotations

import base64
import json

from admin.terminal.fields import Fields


def is_token(text: str) -> bool:
    """Whether *text* can be a token rather than a message."""
    return len(text) > 100 and text.isascii() and not any(sign.isspace() for sign in text)


def claims(token: str) -> Fields:
    """The claims of *token*; empty if they cannot be read."""
    try:
        payload = token.split(".")[1]
        return Fields.of(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    except (ValueError, IndexError, RecursionError):
        return Fields({})
