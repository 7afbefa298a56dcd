"""What a write to SharePoint asks before it begins, where there is no run that holds a claim."""

from __future__ import annotations

from shared.errors import ClaimLost


def covered() -> None:
    """The claim covers every write."""


def lost() -> None:
    """It covers none."""
    raise ClaimLost("Another run has taken over this user.")
