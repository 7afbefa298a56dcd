"""Who is in the tenant, found at once by object id, by UPN, or by the name of picture files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from local.m365.tenant.records import User


def family(upn: str) -> str:
    """A UPN as picture files have it: `@` and `.` as `_` (facts/sharepoint.md section 1)."""
    return re.sub(r"\W", "_", upn).casefold()


class Roster:
    """
    Users in the order they came.

    A name must change through `rename` or `name_in_sharepoint`: a large tenant is never searched
    from end to end.
    """

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        # Several users may share a name, as seeds may say; the first one is found.
        self._by_upn: dict[str, list[User]] = {}
        self._by_family: dict[str, list[User]] = {}
        self._by_sharepoint_name: dict[str, list[User]] = {}
        # Who is gone, and whose profile is not.
        self._outlived: dict[str, User] = {}
        self.by_id: Mapping[str, User] = MappingProxyType(self._users)

    def add(self, user: User) -> None:
        """Take *user* in, in place of one with the same object id."""
        self.drop(user)
        former = self._users.get(user.id.casefold())
        if former is not None:
            self._forget_names(former)
        self._users[user.id.casefold()] = user
        self._note_names(user)

    def remove(self, user: User, *, profile_stays: bool = False) -> None:
        """Take *user* out; SharePoint may still know a profile by that name, until `drop`."""
        self._forget_names(user)
        del self._users[user.id.casefold()]
        if profile_stays:
            self._outlived[user.id.casefold()] = user

    def drop(self, user: User) -> None:
        """Nothing is left of a user who was removed."""
        self._outlived.pop(user.id.casefold(), None)

    def rename(self, user: User, upn: str) -> None:
        """Give *user* another UPN, in the tenant or not yet in it."""
        if self._users.get(user.id.casefold()) is not user:
            user.user_principal_name = upn
            return
        self._forget_names(user)
        user.user_principal_name = upn
        self._note_names(user)

    def name_in_sharepoint(self, user: User, upn: str) -> None:
        """Have SharePoint know *user* by *upn*, as before a rename; empty: by today's UPN again."""
        if self._users.get(user.id.casefold()) is not user:
            user.sharepoint_name = upn
            return
        self._forget_names(user)
        user.sharepoint_name = upn
        self._note_names(user)

    def known_to_sharepoint(self, upn: str) -> User | None:
        """Whose name *upn* is for SharePoint, in any case: it may learn a rename late."""
        late = self._by_sharepoint_name.get(upn.casefold(), ())
        today = self._by_upn.get(upn.casefold(), ())
        outlived = (
            user
            for user in self._outlived.values()
            if upn.casefold() == (user.sharepoint_name or user.user_principal_name).casefold()
        )
        known = [*late, *outlived, *(user for user in today if not user.sharepoint_name)]
        return known[0] if known else None

    def named(self, upn: str) -> User | None:
        """The user of that UPN, in any case."""
        return next(iter(self._by_upn.get(upn.casefold(), ())), None)

    def of_family(self, name: str) -> User | None:
        """The user whose UPN names picture files so, in any case."""
        return next(iter(self._by_family.get(name.casefold(), ())), None)

    def _names(self, user: User) -> list[tuple[dict[str, list[User]], str]]:
        upn = user.user_principal_name
        names = [(self._by_upn, upn.casefold()), (self._by_family, family(upn))]
        if user.sharepoint_name:
            names.append((self._by_sharepoint_name, user.sharepoint_name.casefold()))
        return names

    def _note_names(self, user: User) -> None:
        for index, name in self._names(user):
            index.setdefault(name, []).append(user)

    def _forget_names(self, user: User) -> None:
        for index, name in self._names(user):
            # By identity: two users may be equal in everything.
            index[name] = [other for other in index[name] if other is not user]
            if not index[name]:
                del index[name]
