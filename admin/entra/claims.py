"""What an access token says: read to tell people and to choose, never to trust."""

from __future__ import annotations

import base64
import json

from admin.terminal.fields import Fields


def is_token(text: str) -> bool:
    """Whether *text* can be one, and not a word in its place."""
    return len(text) > 100 and text.isascii() and not any(sign.isspace() for sign in text)


def claims(token: str) -> Fields:
    """The claims of *token*; none where it is not one that can be read."""
    try:
        payload = token.split(".")[1]
        return Fields.of(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    except (ValueError, IndexError, RecursionError):
        return Fields({})
