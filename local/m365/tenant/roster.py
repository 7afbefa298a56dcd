"""The users of the tenant, indexed by object id, UPN and picture file name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from local.m365.tenant.records import User


def family(upn: str) -> str:
    """A UPN as in picture file names: `@` and `.` become `_` (facts/sharepoint.md section 1)."""
    return re.sub(r"\W", "_", upn).casefold()


class Roster:
    """
    Users in the order in which they were added.

    Change a name only through `rename` or `name_in_sharepoint`, which update the indexes: a large
    tenant is never scanned.
    """

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        # Several users may share a name if they were seeded so; the first one is found.
        self._by_upn: dict[str, list[User]] = {}
        self._by_family: dict[str, list[User]] = {}
        self._by_sharepoint_name: dict[str, list[User]] = {}
        # Deleted users whose profile still exists.
        self._kept_profiles: dict[str, User] = {}
        self.by_id: Mapping[str, User] = MappingProxyType(self._users)

    def add(self, user: User) -> None:
        """Add *user*, replacing one with the same object id."""
        self.drop(user)
        replaced = self._users.get(user.id.casefold())
        if replaced is not None:
            self._unindex(replaced)
        self._users[user.id.casefold()] = user
        self._index(user)

    def remove(self, user: User, *, profile_stays: bool = False) -> None:
        """Remove *user*; SharePoint may keep a profile under that name until `drop`."""
        self._unindex(user)
        del self._users[user.id.casefold()]
        if profile_stays:
            self._kept_profiles[user.id.casefold()] = user

    def drop(self, user: User) -> None:
        """Remove everything that is left of a removed user."""
        self._kept_profiles.pop(user.id.casefold(), None)

    def rename(self, user: User, upn: str) -> None:
        """Change the UPN of *user*, whether already in the tenant or not."""
        if self._users.get(user.id.casefold()) is not user:
            user.user_principal_name = upn
            return
        self._unindex(user)
        user.user_principal_name = upn
        self._index(user)

    def name_in_sharepoint(self, user: User, upn: str) -> None:
        """Set the UPN of *user* in SharePoint, as before a rename; empty: the current UPN."""
        if self._users.get(user.id.casefold()) is not user:
            user.sharepoint_name = upn
            return
        self._unindex(user)
        user.sharepoint_name = upn
        self._index(user)

    def known_to_sharepoint(self, upn: str) -> User | None:
        """The user with *upn* in SharePoint, ignoring case; it may learn a rename late."""
        by_old_name = self._by_sharepoint_name.get(upn.casefold(), ())
        by_upn = self._by_upn.get(upn.casefold(), ())
        deleted = (
            user
            for user in self._kept_profiles.values()
            if upn.casefold() == (user.sharepoint_name or user.user_principal_name).casefold()
        )
        known = [*by_old_name, *deleted, *(user for user in by_upn if not user.sharepoint_name)]
        return known[0] if known else None

    def named(self, upn: str) -> User | None:
        """The user with that UPN, ignoring case."""
        return next(iter(self._by_upn.get(upn.casefold(), ())), None)

    def of_family(self, name: str) -> User | None:
        """The user whose UPN gives picture files this name, ignoring case."""
        return next(iter(self._by_family.get(name.casefold(), ())), None)

    def _names(self, user: User) -> list[tuple[dict[str, list[User]], str]]:
        upn = user.user_principal_name
        names = [(self._by_upn, upn.casefold()), (self._by_family, family(upn))]
        if user.sharepoint_name:
            names.append((self._by_sharepoint_name, user.sharepoint_name.casefold()))
        return names

    def _index(self, user: User) -> None:
        for index, name in self._names(user):
            index.setdefault(name, []).append(user)

    def _unindex(self, user: User) -> None:
        for index, name in self._names(user):
            # By identity: two users may be equal in all fields.
            index[name] = [other for other in index[name] if other is not user]
            if not index[name]:
                del index[name]
