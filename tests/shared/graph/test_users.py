"""Many users at once: each user, or why it is unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.errors import AccessDenied, Refused, Throttled, UnknownUser
from shared.graph import batch
from shared.graph.client import GraphClient
from shared.graph.groups import Groups
from tests.doubles.web import http
from tests.shared.graph.graph_answers import (
    ANNE,
    FIELDS,
    Batches,
    client,
    error_body,
    inner,
)

GROUP = "0c000000-0000-4000-8000-000000000009"
IDS = [f"0a000000-0000-4000-8000-0000000000{n:02}" for n in range(45)]


class Directory(Batches):
    """Users in a group or not; *odd* has the other answers by id."""

    def __init__(self, odd: dict[str, dict[str, Any]], members: list[str] | None = None) -> None:
        super().__init__(self._one)
        self._odd = odd
        self._members = members or []

    def _one(self, each: dict[str, Any]) -> dict[str, Any]:
        key, user_id = each["id"], each["url"].split("/")[2].partition("?")[0]
        if key in self._odd:
            return self._odd[key]
        if each["url"].startswith("/groups/"):
            return inner(key, {"id": user_id})
        if "checkMemberGroups" in each["url"]:
            return inner(key, {"value": [GROUP] if user_id in self._members else []})
        return inner(key, {**FIELDS, "id": user_id})


def in_groups(web: Directory, groups: Groups) -> GraphClient:
    return GraphClient(http(web, audience="https://graph.contoso.com"), groups)


def test_all_users():
    """Each user is returned, in as few calls as possible."""
    web = Directory({})
    found = client(web).users(IDS)

    assert found == {each: replace(ANNE, id=each) for each in IDS}
    assert sorted(web.sizes) == [5, batch.LIMIT, batch.LIMIT]


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        (inner("", error_body("Request_ResourceNotFound"), 404), UnknownUser),
        (inner("", error_body("TooManyRequests"), 429), Throttled),
        (inner("", error_body("Authorization_RequestDenied"), 403), AccessDenied),
        (inner("", "<html>", 404), Refused),
        (inner("", {"id": 5}), Refused),
    ],
    ids=["gone", "busy", "denied", "a page", "no user"],
)
def test_one_error(odd, kind):
    """An error of one user is returned for that user; only Graph's own 404 means unknown."""
    found = client(Directory({IDS[3]: odd})).users(IDS)

    assert isinstance(found.pop(IDS[3]), kind)
    assert found == {each: replace(ANNE, id=each) for each in IDS if each != IDS[3]}


def test_membership():
    """With SYNC_GROUP_ID, each user has the membership, or the error if it cannot be read."""
    busy = inner("", error_body("TooManyRequests"), 429)
    web = Directory({f"group {IDS[2]}": busy}, members=IDS[:1])
    found = in_groups(web, Groups(GROUP)).users(IDS)

    assert found[IDS[0]] == replace(ANNE, id=IDS[0], in_group=True)
    assert found[IDS[1]] == replace(ANNE, id=IDS[1], in_group=False)
    assert isinstance(found[IDS[2]], Throttled)
    # The group, and two requests for each of nine.
    assert sorted(web.sizes) == [19] * 5
