"""Users as Graph shows and changes them, and its refusals."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from local.m365.graph import query as graph_query
from local.m365.graph.wire import Refusal
from local.m365.tenant.records import Group, User
from tests.local.m365.simulator import EVENTUAL, POOR_APP, TIMEOUT, Cloud, HostSession, refusal


@pytest.fixture
def heard(m365: Cloud) -> list[tuple[str, str]]:
    """The changes that listeners of the tenant get."""
    changes: list[tuple[str, str]] = []
    m365.tenant.on_user_changed.append(lambda user, change: changes.append((user.id, change)))
    return changes


def pages(graph: HostSession) -> Iterator[list[dict[str, str]]]:
    url = "/users?$select=id,userType&$top=3"
    while url:
        body = graph.get(url).json()
        yield body["value"]
        url = body.get("@odata.nextLink", "")


@pytest.mark.parametrize(
    ("form", "lengths"),
    [("full", [3, 3, 3]), ("short", [1] * 9), ("empty", [0, 3, 0, 3, 0, 3])],
)
def test_pages_contain_every_user_once(
    m365: Cloud, graph: HostSession, form: str, lengths: list[int]
):
    """Pages may be short or empty and still have a next one; a full last page has none."""
    ids = {m365.add_user(f"user{number}").id for number in range(9)}
    m365.tenant.switches.list_pages = form

    found = list(itertools.islice(pages(graph), 20))

    assert [len(page) for page in found] == lengths
    users = [user for page in found for user in page]
    assert sorted(user["id"] for user in users) == sorted(ids)
    assert all(set(user) == {"id", "userType"} for user in users)


@pytest.mark.parametrize(("form", "distinct"), [("stuck", 2), ("circle", 3)])
def test_endless_lists(m365: Cloud, graph: HostSession, form: str, distinct: int):
    """A next link that never changes, and a last page that links back."""
    for number in range(9):
        m365.add_user(f"user{number}")
    m365.tenant.switches.list_pages = form

    found = [frozenset(user["id"] for user in page) for page in itertools.islice(pages(graph), 12)]

    assert (len(found), len(set(found))) == (12, distinct)


def test_changed_next_link_is_refused(m365: Cloud, graph: HostSession):
    """A skip token is valid only with the options of its query."""
    for number in range(3):
        m365.add_user(f"user{number}")
    link = graph.get("/users?$top=1").json()["@odata.nextLink"]

    assert graph.get(link.replace("$top=1", "$top=2")).status_code == 400


@pytest.mark.parametrize("raw", ["1000", "0", "-1", "many", "1.5"])
def test_invalid_page_sizes_are_refused(raw: str):
    """$top is a whole number from 1 to 999."""
    with pytest.raises(Refusal) as refusal:
        graph_query.page_size(raw)
    assert refusal.value.status == 400


def test_user_is_found_by_id_and_upn(m365: Cloud, graph: HostSession):
    """By object id or UPN, percent-encoded, with an apostrophe or a hash in it."""
    guest = m365.add_user("anne.o'brien_fabrikam.com#EXT#")

    by_id = graph.get(f"/users/{guest.id.upper()}?$select=id,userPrincipalName").json()
    by_upn = graph.get(f"/users/{quote(guest.user_principal_name, safe='')}").json()

    assert by_id["userPrincipalName"] == guest.user_principal_name
    assert by_upn["id"] == guest.id
    assert "accountEnabled" not in by_upn  # not among the default properties


def test_upn_with_a_dollar_needs_parentheses(m365: Cloud, graph: HostSession):
    """A UPN that starts with `$` is a 400 after a slash, and found in doubled quotes."""
    user = m365.add_user("$anne.o'brien")
    upn = quote(user.user_principal_name, safe="$'@")

    found = graph.get(f"/users('{upn.replace(chr(39), chr(39) * 2)}')")
    wrong = (f"/{upn}", f"/{quote(upn, safe='')}", f"('{upn}')", f"({upn})", f"/('{user.id}')")

    assert found.json()["id"] == user.id
    assert [graph.get(f"/users{key}").status_code for key in wrong] == [400] * 5


def test_unknown_user_is_a_404_in_graphs_form(graph: HostSession):
    """The error has code, message and both request ids, which the headers repeat."""
    answer = graph.get("/users/nobody@contoso.com", headers={"client-request-id": "mine"})

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (404, "Request_ResourceNotFound")
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    assert answer.headers["client-request-id"] == "mine"


def test_call_without_the_role_is_denied(m365: Cloud):
    """403 without a role, 401 without a token or with one for another host."""
    users = f"{m365.tenant.urls.graph}/v1.0/users"

    with m365.session(m365.tenant.urls.graph, POOR_APP) as poor:
        denied = poor.get(users)
    with m365.session(m365.tenant.urls.my) as elsewhere:
        foreign = elsewhere.get(users)
    without = requests.get(users, timeout=TIMEOUT)

    assert refusal(denied) == (403, "Authorization_RequestDenied")
    assert [refusal(answer) for answer in (foreign, without)] == [
        (401, "InvalidAuthenticationToken")
    ] * 2


def test_edit_changes_the_user(graph: HostSession, anna: User, heard: list[tuple[str, str]]):
    """204, and listeners get `updated`; `@odata.type` is allowed and changes nothing."""
    body = {"@odata.type": "#microsoft.graph.user", "displayName": "Anna B", "jobTitle": "Baker"}
    answer = graph.patch(f"/users/{anna.id}", json=body)

    shown = graph.get(f"/users/{anna.id}?$select=jobTitle,createdDateTime,usageLocation").json()
    assert (answer.status_code, anna.display_name) == (204, "Anna B")
    assert (shown["jobTitle"], shown["usageLocation"]) == ("Baker", None)
    assert shown["createdDateTime"].endswith("Z")
    assert heard == [(anna.id, "updated")]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"},
        {"@odata.id": "x"},
        {"accountEnabled": "yes"},
        {"displayName": ""},
        {"userPrincipalName": "no at sign"},
        {"userPrincipalName": "taken@contoso.com"},
        ["displayName"],
    ],
)
def test_bad_edits_are_refused(m365: Cloud, graph: HostSession, anna: User, change: object):
    """A value of the wrong type, a read-only property or a name in use: 400, and no change."""
    m365.add_user("taken")

    assert graph.patch(f"/users/{anna.id}", json=change).status_code == 400
    assert (anna.user_principal_name, anna.display_name) == ("anna@contoso.com", "Anna")


def test_permanent_deletion(graph: HostSession, anna: User, heard: list[tuple[str, str]]):
    """A soft deletion counts as `updated`, only the permanent one as `deleted`."""
    assert graph.delete(f"/users/{anna.id}").status_code == 204
    assert graph.get(f"/users/{anna.id}").status_code == 404
    assert graph.delete(f"/directory/deletedItems/{anna.id}").status_code == 204
    assert heard == [(anna.id, "updated"), (anna.id, "deleted")]


def test_deleted_user_can_be_restored(
    m365: Cloud, graph: HostSession, anna: User, heard: list[tuple[str, str]]
):
    """Once, with its id and its groups; listeners get `updated`."""
    group, path = m365.tenant.new_id(), f"/directory/deletedItems/{anna.id}/restore"
    m365.tenant.groups[group] = Group({anna.id})
    graph.delete(f"/users/{anna.id}")
    heard.clear()

    restored = graph.post(path)

    assert (restored.status_code, restored.json()["id"]) == (200, anna.id)
    assert graph.get(f"/users/{anna.id}").status_code == 200
    assert m365.tenant.groups[group].members == {anna.id}
    assert heard == [(anna.id, "updated")]
    assert graph.post(path).status_code == 404


def test_user_whose_name_is_taken_is_not_restored(m365: Cloud, graph: HostSession, anna: User):
    """Two users never have the same UPN."""
    graph.delete(f"/users/{anna.id}")
    m365.add_user("anna")

    assert graph.post(f"/directory/deletedItems/{anna.id}/restore").status_code == 400


@pytest.mark.parametrize("path", ["/sites", "/usersx", "///users"])
def test_unknown_paths_are_refused(m365: Cloud, graph: HostSession, path: str):
    """An unknown segment is an error in Graph's form too."""
    assert refusal(graph.get(f"{graph.base}{path}")) == (400, "BadRequest")


@pytest.mark.parametrize("path", ["/Users/", "/USERS('anna@contoso.com')/", "//users"])
def test_paths_in_other_spellings(graph: HostSession, anna: User, path: str):
    """Names ignore case; a trailing slash, and a second one after the version, are ignored."""
    body = graph.get(f"{graph.base}{path}").json()
    assert body.get("value", [body])[0]["id"] == anna.id


def test_no_metadata(m365: Cloud, graph: HostSession):
    """`odata.metadata=none` leaves the data, the next link and the count."""
    m365.add_user("anne")
    m365.add_user("bert")
    headers = {**EVENTUAL, "Accept": "application/json; odata.metadata=none"}

    body = graph.get("/users?$top=1&$count=true&$select=userType", headers=headers).json()

    assert body.keys() == {"@odata.nextLink", "@odata.count", "value"}
    assert body["value"] == [{"userType": "Member"}]
