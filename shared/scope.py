"""Whose picture PhotoSync looks after. Sweep and worker ask the same question here."""

from __future__ import annotations

from shared.errors import OutOfScope
from shared.settings.app import Settings
from shared.user import User


def check(user: User, settings: Settings) -> None:
    """
    Raise OutOfScope, with a sentence for the admin, unless *user* is looked after.

    Raises what kept Graph from telling of the groups, where these decide.
    """
    if {user.id, user.user_principal_name.casefold()} & settings.excluded_users:
        raise OutOfScope("The user is listed in EXCLUDED_USERS.")
    if user.is_guest and not settings.include_guests:
        raise OutOfScope("The user is a guest; set INCLUDE_GUESTS=true to include guests.")
    if not user.account_enabled:
        raise OutOfScope("The account is disabled.")
    if user.unasked:
        raise user.unasked
    if user.is_excluded:
        raise OutOfScope("The user is in the group of EXCLUDED_GROUP_ID.")
    if not user.in_group:
        raise OutOfScope("The user is not in the group of SYNC_GROUP_ID.")
