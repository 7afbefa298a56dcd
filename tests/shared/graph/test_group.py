"""Whether a user is in the groups that settings name."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from shared import scope
from shared.errors import AccessDenied, OutOfScope, Refused, Throttled
from shared.graph.client import GraphClient
from shared.graph.groups import Groups
from shared.user import User
from tests.doubles.web import Answer, Web, answer, http, in_turn
from tests.shared.graph.graph_answers import ETAG, FIELDS, ID, PHOTO, batch_of, text_of
from tests.shared.settings.test_app import read

GROUP = "0c000000-0000-4000-8000-000000000009"
EXCLUDED = "0c000000-0000-4000-8000-00000000000a"
THERE = (200, {"id": GROUP, "displayName": "Pilot", "visibility": None})
HIDDEN = (200, {"id": GROUP, "displayName": "Pilot", "visibility": "HiddenMembership"})
LEFT_OUT = (424, {"error": {"code": "FailedDependency", "message": "Left out."}})


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
    told = {
        "user": (200, FIELDS),
        "photo": (200, text_of(PHOTO)),
        "etag": (200, {"id": "504X504", "@odata.mediaEtag": ETAG}),
        **groups(**answers),
    }
    return in_groups(in_turn(batch_of(**told))).user_and_photo(ID).user


@pytest.mark.parametrize(
    ("told", "why"),
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
def test_membership_decides(ask: Any, told: list[str], why: str):
    """Who is in SYNC_GROUP_ID and not in EXCLUDED_GROUP_ID is looked after: excluded wins."""
    user = ask(group=(200, {"value": told}))

    if why:
        with pytest.raises(OutOfScope, match=why):
            scope.check(user, read())
    else:
        scope.check(user, read())


def test_groups_are_asked_about_the_user():
    """One question names the user and both groups, beside a look at the groups themselves."""
    asked: list[Any] = []

    def web(request: requests.PreparedRequest) -> Answer:
        if "$batch" not in request.path_url:
            return answer(FIELDS)
        asked.extend(json.loads(request.body or b"")["requests"])
        return batch_of(**groups(group=(200, {"value": []})))

    in_groups(web).user("anne@contoso.com")

    *looks, question = asked
    fields = "$select=id,displayName,visibility"
    assert [look["url"] for look in looks] == [
        f"/groups/{id_}?{fields}" for id_ in (GROUP, EXCLUDED)
    ]
    assert (question["method"], question["url"]) == ("POST", f"/users/{ID}/checkMemberGroups")
    assert question["body"] == {"groupIds": [GROUP, EXCLUDED]}


UNTOLD: dict[str, tuple[str, tuple[int, Any], type[Exception], str]] = {
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
    "question busy": ("group", error(429, "TooManyRequests"), Throttled, "429"),
    # The user is there, for Graph has just said so.
    "question of nobody": ("group", error(404, "Request_ResourceNotFound"), Refused, "404"),
}


@pytest.mark.parametrize(("key", "told", "kind", "sentence"), UNTOLD.values(), ids=UNTOLD)
def test_groups_that_tell_nothing(key, told, kind, sentence):
    """A group that cannot be read holds nobody knows whom: never everybody, and never nobody."""
    silent = {"group": (200, {"value": []}), key: told}
    # As the real batch does it: what stands behind is not carried out.
    left_out = {"group": LEFT_OUT, **silent, "photo": LEFT_OUT, "etag": LEFT_OUT}

    for user in (alone(**silent), with_photo(**silent), with_photo(**left_out)):
        with pytest.raises(kind, match=sentence):
            scope.check(user, read())
        # Who only wants to know the user, as an uninstall does, is told.
        assert user.user_principal_name == "anne@contoso.com"


def test_who_is_left_out_anyway_needs_no_group():
    """A guest is out of scope whatever the groups say."""
    guest = User(ID, "anne@contoso.com", True, True, unasked=Refused("Not told."))

    with pytest.raises(OutOfScope, match="guest"):
        scope.check(guest, read())
