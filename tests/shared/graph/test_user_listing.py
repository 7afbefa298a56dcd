"""Pages of users, or of one group's members."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from shared.errors import AccessDenied, Refused, ServiceDown, Throttled
from shared.graph.client import USER_FIELDS
from shared.graph.user_listing import PAGE, UserListing
from shared.user import User
from tests.doubles.web import Answer, Web, answer, http, in_turn

GRAPH = "https://graph.contoso.com"
GROUP = "0c000000-0000-4000-8000-00000000000a"
NEXT = f"{GRAPH}/v1.0/users?$select=id&$top=999&$skiptoken=Kx%2B1%3D"
ANNE: dict[str, Any] = {
    "id": "0A000000-0000-4000-8000-000000000001",
    "userPrincipalName": "anne@contoso.com",
    "accountEnabled": True,
    "userType": "Guest",
}


class Recorded:
    """Remembers what was asked for."""

    def __init__(self, web: Web) -> None:
        self.asked: list[str] = []
        self._web = web

    def __call__(self, request: requests.PreparedRequest) -> Answer:
        self.asked.append(request.path_url)
        return self._web(request)


def listing(web: Web, group: str = "") -> UserListing:
    return UserListing(http(web, audience=GRAPH), group)


@pytest.mark.parametrize(
    ("group", "source"),
    [
        ("", f"users?$select={USER_FIELDS}&$top={PAGE}"),
        (
            GROUP,
            f"groups/{GROUP}/transitiveMembers/microsoft.graph.user"
            f"?$select={USER_FIELDS}&$top={PAGE}&$count=true",
        ),
    ],
    ids=["everybody", "group"],
)
def test_first_page(group, source):
    """The first page has as many users as Graph gives, with the fields that decide about scope."""
    web = Recorded(in_turn(answer({"value": [ANNE]})))

    page = listing(web, group).page()

    assert page.users == [User(ANNE["id"].lower(), "anne@contoso.com", True, is_guest=True)]
    assert web.asked == [f"/v1.0/{source}"]


@pytest.mark.parametrize(
    ("group", "level"), [("", None), (GROUP, "eventual")], ids=["all", "group"]
)
def test_every_page_of_a_group_asks_the_index(group: str, level: str | None):
    """The cast to users is documented with the header only, which no link can carry."""
    levels: list[str | None] = []

    def web(request: requests.PreparedRequest) -> Answer:
        levels.append(request.headers.get("ConsistencyLevel"))
        return answer({"value": [ANNE], "@odata.nextLink": NEXT if len(levels) == 1 else None})

    assert len(list(listing(web, group).all_pages())) == 2
    assert levels == [level, level]


def test_next_page():
    """The next page is asked for by the whole link that Graph gave, as it is."""
    web = Recorded(
        in_turn(answer({"value": [], "@odata.nextLink": NEXT}), answer({"value": [ANNE]}))
    )
    users = listing(web)

    first = users.page()
    second = users.page(first.next)

    assert (first.users, len(second.users)) == ([], 1)
    assert web.asked[1] == NEXT.removeprefix(GRAPH)
    assert second.next == ""


@pytest.mark.parametrize("link", ["https://elsewhere.contoso.com/v1.0/users", f"{GRAPH}.evil/v1.0"])
def test_next_page_elsewhere(link):
    """No token goes to another host."""
    with pytest.raises(Refused, match="another host"):
        listing(in_turn(answer({"value": [], "@odata.nextLink": link}))).page()


@pytest.mark.parametrize(
    "fields",
    [{}, [], {"value": None}, {"value": 7}, {"value": [{"id": "x"}] * 10}],
    ids=["empty", "list", "no value", "number", "ten who are none"],
)
def test_unknown_shape(fields):
    """A page that is no list of users is refused, and no user of it is looked at."""
    with pytest.raises(Refused, match="with unexpected JSON"):
        listing(in_turn(answer(fields))).page()


BERT = "0a000000-0000-4000-8000-000000000002"
ODD = [
    (
        {"id": BERT.upper(), "userPrincipalName": None},
        f"User {BERT} cannot be read: userPrincipalName is null.",
    ),
    ({"id": BERT}, f"User {BERT} cannot be read: userPrincipalName is missing."),
    (
        {"id": BERT, "userPrincipalName": ["b"]},
        f"User {BERT} cannot be read: userPrincipalName is ['b'].",
    ),
    (
        {"id": None, "userPrincipalName": "bert@contoso.com"},
        "A user has no object id: id is null, userPrincipalName is 'bert@contoso.com'.",
    ),
    (
        {"id": "../sweeps/latest"},
        "A user has no object id: id is '../sweeps/latest', userPrincipalName is missing.",
    ),
    (None, "An entry in the list of users is not a user."),
]


@pytest.mark.parametrize(("odd", "sentence"), ODD, ids=[each[1] for each in ODD])
def test_user_who_cannot_be_read(odd, sentence):
    """One odd user is set aside by name, as far as one is told; the page and the next go on."""
    page = listing(in_turn(answer({"value": [odd, ANNE], "@odata.nextLink": NEXT}))).page()

    assert [each.user_principal_name for each in page.users] == ["anne@contoso.com"]
    assert page.set_aside == [sentence]
    assert page.next == NEXT.removeprefix(GRAPH)


def test_last_page_of_one_odd_user():
    """A page whose only user is odd says nothing about the others."""
    page = listing(in_turn(answer({"value": [{"id": BERT}]}))).page()

    assert (page.users, len(page.set_aside)) == ([], 1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, Throttled), (500, ServiceDown), (403, AccessDenied), (404, Refused), (410, Refused)],
)
def test_refused_page(status, kind):
    """An unknown group or an old link is refused; the rest waits or needs a person."""
    said = answer({"error": {"code": "X", "message": "In words."}}, status)

    with pytest.raises(kind, match="In words"):
        listing(in_turn(said)).page()
