"""Whether a user is in the groups that the settings name."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from shared import scope
from shared.errors import AccessDenied, OutOfScope, Refused, Throttled
from shared.graph.client import GraphClient
from shared.graph.groups import Groups
from shared.user import User
from tests.doubles.web import Answer, Recorded, Web, answer, http, in_turn
from tests.shared.graph.graph_answers import ETAG, FIELDS, ID, PHOTO, batch_of, text_of
from tests.shared.settings.test_app import read

GROUP = "0c000000-0000-4000-8000-000000000009"
EXCLUDED = "0c000000-0000-4000-8000-00000000000a"
THERE = (200, {"id": GROUP, "displayName": "Pilot", "visibility": None})
HIDDEN = (200, {"id": GROUP, "displayName": "Pilot", "visibility": "HiddenMembership"})
FAILED_DEPENDENCY = (424, {"error": {"code": "FailedDependency", "message": "Left out."}})


def error(status: int, code: str) -> tuple[int, Any]:
    return status, {"error": {"code": code, "message": "In words."}}


def in_groups(web: Web) -> GraphClient:
    return GraphClient(http(web, audience="https://graph.contoso.com"), Groups(GROUP, EXCLUDED))


def groups(**answers: tuple[int, Any]) -> dict[str, tuple[int, Any]]:
    return {"SYNC_GROUP_ID": THERE, "EXCLUDED_GROUP_ID": THERE, **answers}


def alone(**answers: tuple[int, Any]) -> User:
    web = in_turn(answer(FIELDS), batch_of(**groups(**answers)))
    return in_groups(web).user("anne@contoso.com")


def with_photo(**answers: tuple[int, Any]) -> User:
    responses = {
        "user": (200, FIELDS),
        "photo": (200, text_of(PHOTO)),
        "etag": (200, {"id": "504X504", "@odata.mediaEtag": ETAG}),
        **groups(**answers),
    }
    return in_groups(in_turn(batch_of(**responses))).user_and_photo(ID).user


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
    """One request names the user and both groups, beside one for each group."""

    def respond(request: requests.PreparedRequest) -> Answer:
        is_batch = "$batch" in request.path_url
        return batch_of(**groups(group=(200, {"value": []}))) if is_batch else answer(FIELDS)

    web = Recorded(respond)
    in_groups(web).user("anne@contoso.com")

    *groups_asked, membership = web.batched
    fields = "$select=id,displayName,visibility"
    assert [each["url"] for each in groups_asked] == [
        f"/groups/{id_}?{fields}" for id_ in (GROUP, EXCLUDED)
    ]
    assert (membership["method"], membership["url"]) == ("POST", f"/users/{ID}/checkMemberGroups")
    assert membership["body"] == {"groupIds": [GROUP, EXCLUDED]}


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
    # As in a real batch: the requests that follow are not executed.
    skipped = {
        "group": FAILED_DEPENDENCY,
        **unreadable,
        "photo": FAILED_DEPENDENCY,
        "etag": FAILED_DEPENDENCY,
    }

    for user in (alone(**unreadable), with_photo(**unreadable), with_photo(**skipped)):
        with pytest.raises(kind, match=sentence):
            scope.check(user, read())
        # A caller that needs only the user, as an uninstall does, gets it.
        assert user.user_principal_name == "anne@contoso.com"


def test_guest():
    """A guest is out of scope whatever the groups are."""
    guest = User(ID, "anne@contoso.com", True, True, unasked=Refused("Unknown."))

    with pytest.raises(OutOfScope, match="guest"):
        scope.check(guest, read())
