"""What Graph shows of a user, and the options for lists of users (facts/graph.md section 10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from local.m365.graph.filters import Kind, Property
from local.m365.tenant.records import User

# Documented: the properties of a user without $select (user resource; facts/graph.md section 5).
DEFAULT = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
# Documented (user resource); many of those not in DEFAULT are null unless seeded.
_KNOWN = (
    *DEFAULT,
    *("department", "city", "country", "companyName", "accountEnabled", "userType", "ageGroup"),
    *("createdDateTime", "creationType", "deletedDateTime", "employeeHireDate", "employeeId"),
    *("employeeType", "mailNickname", "onPremisesSyncEnabled", "postalCode", "imAddresses"),
    *("preferredDataLocation", "proxyAddresses", "otherMails", "state", "streetAddress"),
    *("usageLocation", "assignedLicenses", "identities"),
)
# Documented (List users): only a request for a single user shows them.
_ALONE = (
    *("aboutMe", "birthday", "hireDate", "interests", "mailboxSettings", "mySite"),
    *("pastProjects", "preferredName", "responsibilities", "schools", "skills"),
)
_LISTS = ("businessPhones", "imAddresses", "assignedLicenses", "identities")
_TEXT = Property("eq startsWith", "null")
_INDEXED = Property("", "eq ge le startsWith null")
_FILTERS = {
    "accountEnabled": Property("eq", "ge le", kind=bool),
    "ageGroup": Property("eq"),
    "businessPhones": Property("eq", many=True),
    "city": Property("eq ge startsWith", "null"),
    "companyName": _INDEXED,
    "country": Property("eq ge le startsWith", "null"),
    "createdDateTime": Property("eq ge le", kind=datetime),
    "department": Property("eq ge le startsWith", "null"),
    "displayName": _TEXT,
    "employeeId": Property("eq startsWith", "le null"),
    "employeeType": Property("", "eq ge le startsWith"),
    "givenName": Property("eq ge le startsWith", "null"),
    "id": Property("eq"),
    "jobTitle": Property("eq ge le", "null"),
    "mail": Property("eq ge le startsWith", "endsWith"),
    "mailNickname": Property("eq ge le startsWith", "null"),
    "mobilePhone": _INDEXED,
    "officeLocation": _INDEXED,
    # `startsWith` on lists: the stricter of two tables (facts/graph.md section 10).
    "otherMails": Property("eq ge le", "startsWith endsWith", many=True),
    "postalCode": _INDEXED,
    "preferredLanguage": _INDEXED,
    "proxyAddresses": Property("eq ge le", "startsWith endsWith", many=True),
    "state": Property("eq ge le startsWith", "null"),
    "streetAddress": _INDEXED,
    "surname": Property("eq ge le startsWith", "null"),
    "usageLocation": Property("eq ge le startsWith"),
    "userPrincipalName": Property("eq le startsWith", "endsWith"),
    "userType": Property("eq", "null"),
}
_OWN: Mapping[str, Callable[[User], Any]] = {
    "id": lambda user: user.id,
    "displayName": lambda user: user.display_name,
    "userPrincipalName": lambda user: user.user_principal_name,
    "mail": lambda user: user.mail or None,
    "accountEnabled": lambda user: user.account_enabled,
    "userType": lambda user: user.user_type,
    "proxyAddresses": lambda user: proxy_addresses(user),
    "otherMails": lambda user: user.other_mails,
}


def value(user: User, name: str) -> Any:
    """The value of the property *name* of *user*."""
    own = _OWN.get(name)
    if own is not None:
        return own(user)
    return user.attributes.get(name, [] if name in _LISTS else None)


def proxy_addresses(user: User) -> list[str]:
    """
    Addresses as Graph shows them.

    Documented (facts/graph.md section 10): SMTP: before the main address, smtp: before the others.
    Assumed: the main one is `mail`.
    """
    return [*([f"SMTP:{user.mail}"] if user.mail else []), *(f"smtp:{a}" for a in user.aliases)]


USERS = Kind(
    "User",
    _KNOWN,
    DEFAULT,
    value,
    _FILTERS,
    sorts=("displayName", "userPrincipalName"),
    sorts_advanced=("createdDateTime", "deletedDateTime"),
    alone=_ALONE,
)
