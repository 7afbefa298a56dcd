"""Pages of users, or of one group's members."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import Refused
from shared.graph.client import USER_FIELDS
from shared.graph.user_listing import PAGE, UserListing
from shared.user import User
from tests.doubles.web import Recorded, Web, answer, http, in_turn

GRAPH = "https://graph.contoso.com"
GROUP = "0c000000-0000-4000-8000-00000000000a"
NEXT = f"{GRAPH}/v1.0/users?$select=id&$top=999&$skiptoken=Kx%2B1%3D"
ANNE: dict[str, Any] = {
    "id": "0A000000-0000-4000-8000-000000000001",
    "userPrincipalName": "anne@contoso.com",
    "accountEnabled": True,
    "userType": "Guest",
}


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
    """The first page has the most users that Graph returns, with the fields for the scope."""
    web = Recorded(answer({"value": [ANNE]}))

    page = listing(web, group).page()

    assert page.users == [User(ANNE["id"].lower(), "anne@contoso.com", True, is_guest=True)]
    assert web.paths == [f"/v1.0/{source}"]


@pytest.mark.parametrize(
    ("group", "level"), [("", None), (GROUP, "eventual")], ids=["all", "group"]
)
def test_next_page(group: str, level: str | None):
    """
    The next page is requested by Graph's link, unchanged, until there is none.

    The cast to users is documented only with the header, which a link cannot contain.
    """
    first, last = answer({"value": [], "@odata.nextLink": NEXT}), answer({"value": [ANNE]})
    web = Recorded(in_turn(first, last))
    read = list(listing(web, group).all_pages())

    assert [len(page.users) for page in read] == [0, 1]
    assert web.paths[1:] == [NEXT.removeprefix(GRAPH)]
    assert [each.headers.get("ConsistencyLevel") for each in web.requests] == [level, level]


@pytest.mark.parametrize("link", ["https://elsewhere.contoso.com/v1.0/users", f"{GRAPH}.evil/v1.0"])
def test_next_page_elsewhere(link):
    """The token goes to no other host."""
    with pytest.raises(Refused, match="another host"):
        listing(in_turn(answer({"value": [], "@odata.nextLink": link}))).page()


@pytest.mark.parametrize(
    "fields",
    [{}, [], {"value": None}, {"value": 7}, {"value": [{"id": "x"}] * 10}],
    ids=["empty", "list", "no value", "number", "ten malformed users"],
)
def test_unknown_shape(fields):
    """A page that is no list of users is refused."""
    with pytest.raises(Refused, match="with unexpected JSON"):
        listing(in_turn(answer(fields))).page()


BERT = "0a000000-0000-4000-8000-000000000002"
MALFORMED = [
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


@pytest.mark.parametrize(("odd", "sentence"), MALFORMED, ids=[each[1] for each in MALFORMED])
def test_malformed_user(odd, sentence):
    """A malformed user is set aside with what is known of it; the rest of the page is returned."""
    page = listing(in_turn(answer({"value": [odd, ANNE], "@odata.nextLink": NEXT}))).page()

    assert [each.user_principal_name for each in page.users] == ["anne@contoso.com"]
    assert page.set_aside == [sentence]
    assert page.next == NEXT.removeprefix(GRAPH)


def test_page_of_one_malformed_user():
    """A page with only one malformed user is still a page."""
    page = listing(in_turn(answer({"value": [{"id": BERT}]}))).page()

    assert (page.users, len(page.set_aside)) == ([], 1)


def test_refused_page():
    """The error says what Graph says: an old link is refused, for example."""
    response = answer({"error": {"code": "X", "message": "In words."}}, 410)

    with pytest.raises(Refused, match="410: X In words"):
        listing(in_turn(response)).page()
