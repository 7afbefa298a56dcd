"""Wakes our own webhook up before Graph asks it: a sleeping app would miss the ten seconds."""

from __future__ import annotations

import logging

import requests

from shared.microsoft365.http import CONNECT_SECONDS, READ_SECONDS
from shared.session import OneHostSession

log = logging.getLogger("photosync")


def warm_up(webhook: str) -> None:
    """Ask *webhook* for a handshake, and log whether Graph will find what it looks for."""
    asked, patience = {"validationToken": "warm"}, (CONNECT_SECONDS, READ_SECONDS)
    try:
        with OneHostSession() as session:
            reply = session.post(webhook, params=asked, timeout=patience)
    except requests.RequestException as error:
        # Graph will say the same, and its sentence is kept where the console looks.
        log.warning("subscription.unreachable kind=%s", type(error).__name__)
        return
    if reply.status_code != 200:
        log.warning("subscription.unreachable status=%d", reply.status_code)
