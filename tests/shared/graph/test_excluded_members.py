"""A listing that marks the users in EXCLUDED_GROUP_ID, and the calls that it makes for that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from shared.errors import AccessDenied, EndlessList, PhotoSyncError, Refused, ServiceDown
from shared.graph.excluded_members import GOOD_FOR, MOST_PAGES, MarkedListing
from shared.graph.user_listing import UserListing, UserPage
from tests.doubles.web import Answer, Clock, answer, http
from tests.shared.graph.graph_answers import graph_error

GRAPH = "https://graph.contoso.com"
GROUP = "0c000000-0000-4000-8000-00000000000a"
THE_GROUP = {"id": GROUP, "displayName": "No", "visibility": None}
HIDDEN = {"visibility": "HiddenMembership"}
PEOPLE = [f"0a000000-0000-4000-8000-00000000000{number}" for number in range(4)]


def user(user_id: str) -> dict[str, Any]:
    return {"id": user_id, "userPrincipalName": f"{user_id}@contoso.com"}


class Directory:
    """Users and a group's members in pages of two; `calls` are the paths requested."""

    def __init__(self) -> None:
        self.members: list[Any] = []
        self.calls: list[str] = []
        self.odd: dict[str, Answer] = {}
        self.clock = Clock()
        self.listing = self.new()

    def new(self) -> MarkedListing:
        way = http(self, audience=GRAPH, clock=self.clock)
        return MarkedListing(UserListing(way), way, GROUP, self.clock)

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        parts = urlsplit(request.path_url)
        what = parts.path.removeprefix("/v1.0/").replace(GROUP, "G")
        self.calls.append(what)
        if what in self.odd:
            return self.odd[what]
        if what == "groups/G":
            return answer(THE_GROUP)
        items = [user(each) for each in PEOPLE]
        if "transitiveMembers" in what:
            assert request.headers["ConsistencyLevel"] == "eventual"
            items = [each if isinstance(each, dict) else {"id": each} for each in self.members]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        start = int(query.get("$skiptoken", 0))
        body: dict[str, Any] = {"value": items[start : start + 2]}
        if start + 2 < len(items):
            body["@odata.nextLink"] = f"{GRAPH}{parts.path}?$count=true&$skiptoken={start + 2}"
        return answer(body)


@pytest.fixture
def tenant() -> Directory:
    return Directory()


def excluded(page: UserPage) -> list[str]:
    return [user.id for user in page.users if user.is_excluded]


MEMBERS = "groups/G/transitiveMembers/microsoft.graph.user"


def test_members_are_marked(tenant: Directory):
    """Members of the group are marked on every page; they are listed once for all pages."""
    tenant.members = [PEOPLE[1].upper(), PEOPLE[3], GROUP]
    first = tenant.listing.page()
    second = tenant.listing.page(first.next)

    assert (excluded(first), excluded(second)) == ([PEOPLE[1]], [PEOPLE[3]])
    assert tenant.calls == ["groups/G", MEMBERS, MEMBERS, "users", "users"]


def test_members_among_ids(tenant: Directory):
    """Users on no page are looked up in the same list, without a call."""
    tenant.members = [PEOPLE[0]]
    tenant.listing.page()
    tenant.calls.clear()

    assert tenant.listing.among([*PEOPLE, "typed by hand"]) == {PEOPLE[0]}
    assert tenant.calls == []


def test_next_sweep_reads_members_again(tenant: Directory):
    """A listing's first page lists the members again, so a user who left the group is found."""
    tenant.members = [PEOPLE[0]]
    assert excluded(tenant.listing.page()) == [PEOPLE[0]]
    tenant.members = []

    assert excluded(tenant.listing.page()) == []


def test_old_list(tenant: Directory):
    """Later pages list them again after GOOD_FOR: another instance may have begun the sweep."""
    tenant.members = [PEOPLE[2]]
    path = tenant.listing.page().next
    tenant.members = [PEOPLE[3]]
    tenant.clock.now += GOOD_FOR
    assert excluded(tenant.listing.page(path)) == [PEOPLE[2]]
    tenant.clock.now += timedelta(seconds=1)

    assert excluded(tenant.listing.page(path)) == [PEOPLE[3]]
    # A new instance has no list yet.
    assert excluded(tenant.new().page(path)) == [PEOPLE[3]]


UNREADABLE: dict[str, tuple[str, Answer, type[PhotoSyncError]]] = {
    "no such group": ("groups/G", graph_error("Request_ResourceNotFound", 404), Refused),
    "hidden members": ("groups/G", answer({**THE_GROUP, **HIDDEN}), Refused),
    "denied": ("groups/G", graph_error("Authorization_RequestDenied", 403), AccessDenied),
    "members denied": (MEMBERS, graph_error("Authorization_RequestDenied", 403), AccessDenied),
    "down": (MEMBERS, graph_error("UnknownError", 500), ServiceDown),
    "no list": (MEMBERS, answer({}), Refused),
    "an object": (MEMBERS, answer({"value": {"id": PEOPLE[0]}}), Refused),
    "no member can be parsed": (MEMBERS, answer({"value": [{"id": 5}] * 10}), Refused),
}


@pytest.mark.parametrize(("what", "response", "kind"), UNREADABLE.values(), ids=UNREADABLE)
def test_no_page_without_the_members(
    tenant: Directory, what: str, response: Answer, kind: type[PhotoSyncError]
):
    """If the members are unknown, there is no page: it would queue excluded users."""
    tenant.odd = {what: response}
    for _ in range(2):
        with pytest.raises(kind):
            tenant.listing.page()
    assert "users" not in tenant.calls


def test_list_without_end(tenant: Directory):
    """At most MOST_PAGES pages are read."""
    tenant.members = PEOPLE * MOST_PAGES

    with pytest.raises(EndlessList, match="EXCLUDED_GROUP_ID"):
        tenant.listing.page()
    assert tenant.calls.count(MEMBERS) == MOST_PAGES


def test_odd_members(tenant: Directory):
    """A member that cannot be parsed is skipped: the worker reads the membership itself."""
    tenant.members = [{"id": None}, {}, {"id": "x"}, PEOPLE[0]]

    assert excluded(tenant.listing.page()) == [PEOPLE[0]]
