"""Wakes our webhook before Graph validates it: an idle app would miss the ten-second limit."""

from __future__ import annotations

import logging

import requests

from shared.microsoft365.http import CONNECT_SECONDS, READ_SECONDS
from shared.session import OneHostSession

log = logging.getLogger("photosync")


def warm_up(webhook: str) -> None:
    """Send *webhook* a handshake, and log a warning if Graph's own would fail."""
    query, timeout = {"validationToken": "warm"}, (CONNECT_SECONDS, READ_SECONDS)
    try:
        with OneHostSession() as session:
            reply = session.post(webhook, params=query, timeout=timeout)
    except requests.RequestException as error:
        # Graph will report the same, and its message is kept for the console.
        log.warning("subscription.unreachable kind=%s", type(error).__name__)
        return
    if reply.status_code != 200:
        log.warning("subscription.unreachable status=%d", reply.status_code)
