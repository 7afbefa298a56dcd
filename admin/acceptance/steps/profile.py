"""Profiles: the user's, one of a user without a licence, and one that does not exist."""

from __future__ import annotations

import secrets
from urllib.parse import quote, urlsplit

from admin.acceptance.backup import PROPERTIES
from admin.acceptance.finding import Seen
from admin.acceptance.microsoft365 import unclaimed
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.wording import of_sharepoint
from shared.errors import NoProfile
from shared.sharepoint.client import OBJECT_ID, PERSONAL_HOST
from shared.sharepoint.inspection import PLACEHOLDER_STATE
from shared.sharepoint.picture_location import Shown, is_named_by_id, is_named_by_upn, shown_in
from shared.sharepoint.publisher import SYNC_STATE, TIMESTAMP
from shared.user import User


def _profile(scene: Scene) -> Seen:
    geo, profile = scene.m365.geos.residence(scene.user)
    shown = shown_in(profile, geo.my_url)
    owner = profile.get(OBJECT_ID, "")
    is_theirs = owner.casefold() == scene.user.id.casefold()
    told = [
        f"object id {'right' if is_theirs else 'another' if owner else 'empty'}",
        f"personal site {'named' if profile.get(PERSONAL_HOST) else 'not named'}",
        f"PictureURL {_address(scene.user, shown)}",
        f"placeholder state {_digit(profile.get(PLACEHOLDER_STATE))}",
        f"sync state {_digit(profile.get(SYNC_STATE))}",
        f"timestamp {_timestamp(profile.get(TIMESTAMP, ''))}",
    ]
    lacking = [name for name in PROPERTIES if name not in profile]
    if lacking:
        told.append(f"not listed at all: {', '.join(lacking)}")
    return Seen("; ".join(told), is_theirs and not lacking)


def _address(user: User, shown: Shown) -> str:
    if not shown.url:
        return "empty"
    if shown.here is None:
        return "on another host of the cloud" if shown.location else "elsewhere"
    form = "by another name"
    if is_named_by_id(shown.here, user.id):
        form = "by object id"
    elif is_named_by_upn(shown.here, user.user_principal_name):
        form = "by UPN"
    port = "with port" if urlsplit(shown.url).port else "without port"
    return f"in the library, {form}, {port}"


def _digit(value: str | None) -> str:
    if not value:
        return "empty"
    return value if value in {"0", "1"} else "something else"


def _timestamp(value: str) -> str:
    if not value:
        return "empty"
    return "whole seconds" if value.isascii() and value.isdecimal() else "something else"


def _of_the_unlicensed(scene: Scene) -> Seen:
    try:
        geo, profile = scene.m365.geos.residence(scene.unlicensed)
    except NoProfile:
        return Seen("there is no profile")
    shown = shown_in(profile, geo.my_url)
    what = "no picture" if not shown.url else "a picture"
    return Seen(f"there is a profile, with {what}; sync state {_digit(profile.get(SYNC_STATE))}")


def _nobody(scene: Scene) -> User:
    """A user with an unused UPN of the tenant."""
    domain = scene.user.user_principal_name.rpartition("@")[2]
    upn = f"nobody-{secrets.token_hex(12)}@{domain}"
    return User("", upn, account_enabled=True, is_guest=False)


def _missing(scene: Scene) -> Seen:
    nobody = _nobody(scene)
    account = quote(f"i:0#.f|membership|{nobody.user_principal_name}", safe="")
    http = scene.m365.http("sharepoint", scene.m365.settings.sharepoint_admin_url)
    reply = http.send(
        "GET",
        f"/_api/SP.UserProfiles.PeopleManager/GetPropertiesFor(accountName=@v)?@v='{account}'",
        headers={"Accept": "application/json;odata=nometadata"},
    )
    try:
        scene.m365.geos.home.sharepoint.profile(nobody)
    except NoProfile:
        return Seen(f"{of_sharepoint(reply)}: recognised as no profile")
    return Seen(f"{of_sharepoint(reply)}: mistaken for a profile", as_assumed=False)


def _missing_written(scene: Scene) -> Seen:
    nobody, m365 = _nobody(scene), scene.m365
    try:
        m365.geos.home.sharepoint.set_property(
            nobody.user_principal_name, SYNC_STATE, "1", before_write=unclaimed
        )
    except NoProfile:
        return Seen("refused, and recognised as no profile")
    return Seen("accepted, as if there were one", as_assumed=False)


STEPS = (
    Step(
        "profile",
        "What does a profile say about the user and the picture?",
        "the user's object id, and four picture properties",
        _profile,
    ),
    Step(
        "no-profile",
        "What is the answer to reading a profile that does not exist?",
        "odata.null, or an error that names no user",
        _missing,
    ),
    Step(
        "unlicensed-profile",
        "Does a user without a licence have a profile?",
        "either: a run that finds none leaves the user to the next sweep",
        _of_the_unlicensed,
    ),
)
WRITING = (
    Step(
        "no-profile-write",
        "What is the answer to writing to a profile that does not exist?",
        "an error that names no user",
        _missing_written,
        writes=True,
    ),
)
