"""Which users are in scope. Sweep and worker both use this check."""

from __future__ import annotations

from shared.errors import OutOfScope
from shared.settings.app import Settings
from shared.user import User


def check(user: User, settings: Settings) -> None:
    """
    Raise OutOfScope, with a sentence for the admin, unless *user* is in scope.

    If group membership decides and could not be read, raise the error that prevented it.
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
        raise OutOfScope("The user is a member of the group in EXCLUDED_GROUP_ID.")
    if not user.in_group:
        raise OutOfScope("The user is not a member of the group in SYNC_GROUP_ID.")
