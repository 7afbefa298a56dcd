"""Whether a user is in the groups that the settings name."""

from __future__ import annotations

from typing import Any

import pytest

from shared import scope
from shared.errors import (
    AccessDenied,
    OutOfScope,
    Refused,
    ServiceDown,
    Throttled,
    UnknownUser,
)
from shared.graph.client import GraphClient
from shared.graph.groups import Groups
from shared.user import User
from tests.doubles.web import Answer, Recorded, Web, http, in_turn
from tests.shared.graph.graph_answers import (
    ETAG,
    FIELDS,
    ID,
    PHOTO,
    batch,
    batch_of,
    inner,
    text_of,
)
from tests.shared.settings.test_app import read

GROUP = "0c000000-0000-4000-8000-000000000009"
EXCLUDED = "0c000000-0000-4000-8000-00000000000a"
THERE = (200, {"id": GROUP, "displayName": "Pilot", "visibility": None})
HIDDEN = (200, {"id": GROUP, "displayName": "Pilot", "visibility": "HiddenMembership"})


def error(status: int, code: str) -> tuple[int, Any]:
    return status, {"error": {"code": code, "message": "In words."}}


def in_groups(web: Web) -> GraphClient:
    return GraphClient(http(web, audience="https://graph.contoso.com"), Groups(GROUP, EXCLUDED))


def user_batch(**answers: tuple[int, Any]) -> Answer:
    there = {"user": (200, FIELDS), "SYNC_GROUP_ID": THERE, "EXCLUDED_GROUP_ID": THERE}
    return batch_of(**{**there, **answers})


def alone(**answers: tuple[int, Any]) -> User:
    return in_groups(in_turn(user_batch(**answers))).user(ID)


def with_photo(**answers: tuple[int, Any]) -> User:
    etag = (200, {"id": "504X504", "@odata.mediaEtag": ETAG})
    photo = batch_of(photo=answers.pop("photo", (200, text_of(PHOTO))), etag=etag)
    return in_groups(in_turn(user_batch(**answers), photo)).user_and_photo(ID).user


@pytest.mark.parametrize(
    ("member_of", "why"),
    [
        ([GROUP.upper()], ""),
        ([], "SYNC_GROUP_ID"),
        ([ID], "SYNC_GROUP_ID"),
        ([GROUP, EXCLUDED.upper()], "EXCLUDED_GROUP_ID"),
        ([EXCLUDED], "EXCLUDED_GROUP_ID"),
    ],
    ids=["member", "no member", "of another", "of both", "excluded"],
)
@pytest.mark.parametrize("ask", [alone, with_photo])
def test_membership_decides(ask: Any, member_of: list[str], why: str):
    """A user in SYNC_GROUP_ID is in scope, unless also in EXCLUDED_GROUP_ID."""
    user = ask(group=(200, {"value": member_of}))

    if why:
        with pytest.raises(OutOfScope, match=why):
            scope.check(user, read())
    else:
        scope.check(user, read())


def test_requests_about_groups():
    """One parallel batch has the user, each group, and a request that names the user and both."""
    web = Recorded(user_batch(group=(200, {"value": []})))
    in_groups(web).user(ID)

    user, *looks, membership = web.batched
    fields = "$select=id,displayName,visibility"
    assert user["url"].startswith(f"/users/{ID}?$select=id,")
    assert [look["url"] for look in looks] == [
        f"/groups/{id_}?{fields}" for id_ in (GROUP, EXCLUDED)
    ]
    assert (membership["method"], membership["url"]) == ("POST", f"/users/{ID}/checkMemberGroups")
    assert membership["body"] == {"groupIds": [GROUP, EXCLUDED]}
    assert not any("dependsOn" in request for request in web.batched)


UNREADABLE: dict[str, tuple[str, tuple[int, Any], type[Exception], str]] = {
    "no such group": (
        *("EXCLUDED_GROUP_ID", error(404, "Request_ResourceNotFound"), Refused),
        "EXCLUDED_GROUP_ID names a group that Microsoft Graph does not know",
    ),
    "may not be read": (
        *("SYNC_GROUP_ID", error(403, "Authorization_RequestDenied"), AccessDenied),
        "GroupMember.Read.All",
    ),
    "hidden": ("EXCLUDED_GROUP_ID", HIDDEN, Refused, "hides its members"),
    "no shape": ("EXCLUDED_GROUP_ID", (200, {"value": []}), Refused, "with unexpected JSON"),
    "busy": ("EXCLUDED_GROUP_ID", error(429, "TooManyRequests"), Throttled, "429"),
    "no list": ("group", (200, {"value": ""}), Refused, "with unexpected JSON"),
    "an object": ("group", (200, {"value": {EXCLUDED: True}}), Refused, "with unexpected JSON"),
    "membership busy": ("group", error(429, "TooManyRequests"), Throttled, "429"),
    # The user exists: Graph has just returned them.
    "membership of no user": ("group", error(404, "Request_ResourceNotFound"), Refused, "404"),
}


@pytest.mark.parametrize(
    ("key", "response", "kind", "sentence"), UNREADABLE.values(), ids=UNREADABLE
)
def test_unreadable_groups(key, response, kind, sentence):
    """If a group cannot be read, neither membership nor absence is assumed."""
    unreadable = {"group": (200, {"value": []}), key: response}

    no_photo = error(404, "ImageNotFound")
    for user in (
        alone(**unreadable),
        with_photo(**unreadable),
        with_photo(**unreadable, photo=no_photo),
    ):
        with pytest.raises(kind, match=sentence):
            scope.check(user, read())
        # A caller that needs only the user, as an uninstall does, gets it.
        assert user.user_principal_name == "anne@contoso.com"


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (error(404, "Request_ResourceNotFound"), UnknownUser),
        (error(429, "TooManyRequests"), Throttled),
        (error(403, "Authorization_RequestDenied"), AccessDenied),
        ((200, {"value": []}), Refused),
        (None, ServiceDown),
    ],
    ids=["gone", "busy", "denied", "no shape", "no answer"],
)
def test_unreadable_user(told, kind):
    """An error about the user is raised, whatever is known about the groups."""
    user = {"user": told} if told else {}
    there = {"SYNC_GROUP_ID": THERE, "EXCLUDED_GROUP_ID": THERE}

    for group in ((200, {"value": [GROUP]}), error(404, "Request_ResourceNotFound")):
        with pytest.raises(kind):
            in_groups(in_turn(batch_of(**user, **there, group=group))).user(ID)


@pytest.mark.parametrize(("group_asks", "photo_asks"), [("20", "90"), ("90", "20")])
def test_longer_wait_wins(group_asks, photo_asks):
    """If group and photo both ask for a wait, the longer one counts."""
    _, busy = error(429, "TooManyRequests")
    group = inner("EXCLUDED_GROUP_ID", busy, 429, Retry_After=group_asks)
    others = [inner("user", FIELDS), inner("SYNC_GROUP_ID", THERE[1])]
    photo = inner("photo", busy, 429, Retry_After=photo_asks)
    web = in_turn(batch(group, *others), batch(photo))

    with pytest.raises(Throttled) as raised:
        scope.check(in_groups(web).user_and_photo(ID).user, read())

    assert raised.value.retry_after == 90


def test_guest():
    """A guest is out of scope whatever the groups are."""
    guest = User(ID, "anne@contoso.com", True, True, unasked=Refused("Unknown."))

    with pytest.raises(OutOfScope, match="guest"):
        scope.check(guest, read())
