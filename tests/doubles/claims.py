"""The check before a write to SharePoint, for tests without a run that holds a claim."""

from __future__ import annotations

from shared.errors import ClaimLost


def covered() -> None:
    """The claim covers every write."""


def lost() -> None:
    """The claim covers no write."""
    raise ClaimLost("Another run has taken over this user.")
