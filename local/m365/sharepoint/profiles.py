"""Rules of the user profile service: accounts, properties, the meaning of picture properties."""

from __future__ import annotations

from local.m365.sharepoint.errors import (
    invalid_value,
    no_profile,
    property_locked,
    unknown_property,
)
from local.m365.tenant.geo import Geo
from local.m365.tenant.records import Profile, User
from local.m365.tenant.tenant import Tenant

CLAIMS_PREFIX = "i:0#.f|membership|"
PICTURE = "PictureURL"
PLACEHOLDER = "SPS-PicturePlaceholderState"
TIMESTAMP = "SPS-PictureTimestamp"
_LONGEST_URL = 2048

# Some of the properties that every profile lists, in the service's order (Assumed).
_EDITABLE = (
    "FirstName",
    "LastName",
    "WorkPhone",
    "Department",
    "Title",
    "Manager",
    "AboutMe",
    PICTURE,
    "Office",
    "CellPhone",
    "SPS-Skills",
    "SPS-PictureExchangeSyncState",
    PLACEHOLDER,
    TIMESTAMP,
)


def account(tenant: Tenant, name: str) -> User | None:
    """
    The user with the account *name*, ignoring case; None without such a user or without a profile.

    Recorded: accounts are `i:0#.f|membership|<user principal name>`.
    Documented: a new UPN takes hours to arrive (facts/sharepoint.md section 3). Assumed: until then
        the old one finds the profile, even if another user now has it, and the new one finds none.
    """
    if not name.lower().startswith(CLAIMS_PREFIX):
        return None
    user = tenant.roster.known_to_sharepoint(name[len(CLAIMS_PREFIX) :])
    return user if user is not None and user.profile is not None else None


def properties(user: User, profile: Profile) -> dict[str, str]:
    """All properties: unset ones empty, and the names that SharePoint has for the user."""
    upn = user.sharepoint_name or user.user_principal_name
    return {
        **dict.fromkeys(_EDITABLE, ""),
        **profile.properties,
        "AccountName": CLAIMS_PREFIX + upn,
        "PreferredName": user.display_name,
        "UserName": upn,
        "WorkEmail": user.mail,
        "SPS-UserPrincipalName": upn,
        "msOnline-ObjectId": user.id,
    }


def read(tenant: Tenant, geo: Geo, name: str) -> tuple[User, Profile] | None:
    """
    The profile of the account *name* on a host of *geo*; None if the answer is `odata.null`.

    Documented: the home geography serves all profiles (facts/sharepoint.md section 10). What other
    geographies answer for a user of another one is unknown: the switch `profiles_elsewhere`
    chooses.

    The answer of REST for an account without a profile is not recorded (facts/sharepoint.md section
    3), so the switch `missing_profile` chooses. From an issue (pnp/powershell#3891): the older
    client API gets a null object, which suggests `odata.null`.
    """
    user = account(tenant, name)
    serves_all = geo is tenant.home or tenant.switches.profiles_elsewhere == "shown"
    if user is not None and user.profile is not None and (serves_all or tenant.geo_of(user) is geo):
        return user, user.profile
    if tenant.switches.missing_profile == "odata.null":
        return None
    raise no_profile(int(tenant.switches.missing_profile))


def write(tenant: Tenant, geo: Geo, name: str, key: str, value: str) -> None:
    """
    Set one property; an empty value is allowed.

    From tools' sources: without a profile "User Profile Error 1000" (status 500; 404 by switch).
    Documented: each geography's profiles are written on its own hosts (section 10). What others
        answer is unknown. Assumed: they have no profile to write.
    From issues: a locked property is 500 PropertyNotEditableException.
    Assumed: names are case-insensitive; names derived from the directory count as locked; a
        picture's URL has at most 2,048 characters, its timestamp is empty or a number
        (facts/sharepoint.md section 2: whole seconds in all five captures).
    """
    user = account(tenant, name)
    if user is None or user.profile is None or tenant.geo_of(user) is not geo:
        raise no_profile(404 if tenant.switches.missing_profile == "404" else 500)
    known = {each.lower(): each for each in properties(user, user.profile)}
    found = known.get(key.lower())
    if found is None:
        raise unknown_property(key)
    stored = {each.lower() for each in (*_EDITABLE, *user.profile.properties)}
    locked = {each.lower() for each in tenant.switches.locked_properties}
    if found.lower() not in stored or found.lower() in locked:
        raise property_locked(found)
    if found == PICTURE and len(value) > _LONGEST_URL:
        raise invalid_value(found)
    if found == TIMESTAMP and value and not (value.isascii() and value.isdecimal()):
        raise invalid_value(found)
    user.profile.properties[found] = value


def picture_url(profile: Profile) -> str | None:
    """
    The PictureUrl that pages use.

    Recorded: the stored URL plus `?t=<timestamp>`. Assumed: null without a picture, and no suffix
    without a timestamp.
    """
    url, stamp = profile.properties.get(PICTURE, ""), profile.properties.get(TIMESTAMP, "")
    if not url:
        return None
    return f"{url}?t={stamp}" if stamp else url
