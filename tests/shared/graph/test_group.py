"""Whether a user is in the group that is synced."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from shared.errors import Throttled
from shared.graph.client import GraphClient
from tests.doubles.web import Answer, Web, answer, http, in_turn
from tests.shared.graph.graph_answers import ETAG, FIELDS, ID, PHOTO, batch_of

GROUP = "0c000000-0000-4000-8000-000000000009"


def in_group(web: Web) -> GraphClient:
    return GraphClient(http(web, audience="https://graph.contoso.com"), GROUP)


MEMBERSHIPS: dict[str, tuple[list[str], bool]] = {
    "member": ([GROUP.upper()], True),
    "no member": ([], False),
    "member of another": ([ID], False),
}


@pytest.mark.parametrize(("groups", "member"), MEMBERSHIPS.values(), ids=MEMBERSHIPS)
def test_membership_comes_with_the_user(groups, member):
    """With SYNC_GROUP_ID a user says whether he is in that group, whoever asks for him."""
    group = (200, {"value": groups})
    alone = in_group(in_turn(answer(FIELDS), batch_of(group=group))).user("anne@contoso.com")
    photo = (200, base64.b64encode(PHOTO).decode())
    etag = (200, {"id": "504X504", "@odata.mediaEtag": ETAG})
    together = batch_of(user=(200, FIELDS), group=group, photo=photo, etag=etag)

    assert alone.in_group is member
    assert in_group(in_turn(together)).user_and_photo(ID).user.in_group is member


def test_group_is_asked_about_the_user():
    """The question names the user by id and the group that is meant."""
    asked: list[Any] = []

    def web(request: requests.PreparedRequest) -> Answer:
        if "$batch" not in request.path_url:
            return answer(FIELDS)
        asked.extend(json.loads(request.body or b"")["requests"])
        return batch_of(group=(200, {"value": []}))

    in_group(web).user("anne@contoso.com")

    [question] = asked
    assert (question["method"], question["url"]) == ("POST", f"/users/{ID}/checkMemberGroups")
    assert question["body"] == {"groupIds": [GROUP]}


def test_group_that_cannot_be_asked():
    """A group that could not be asked is the reason, not the photo that was left out for it."""
    error = {"error": {"code": "TooManyRequests", "message": "Busy."}}
    left_out = {"error": {"code": "FailedDependency", "message": "Left out."}}
    said = batch_of(
        user=(200, FIELDS), group=(429, error), photo=(424, left_out), etag=(424, left_out)
    )

    with pytest.raises(Throttled):
        in_group(in_turn(said)).user_and_photo(ID)
