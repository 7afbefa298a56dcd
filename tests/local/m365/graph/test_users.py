"""Users and groups as Graph shows them, and what it refuses."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from local.m365.graph import query as graph_query
from local.m365.graph.wire import Refusal
from local.m365.tenant.records import Group
from tests.local.m365.simulator import POOR_APP, Cloud

EVENTUAL = {"ConsistencyLevel": "eventual"}


@pytest.fixture
def graph(m365: Cloud) -> Iterator[requests.Session]:
    with m365.session(m365.tenant.urls.graph) as session:
        yield session


def test_listing_pages_hold_every_user_once(m365: Cloud, graph: requests.Session):
    """Following the whole nextLink shows each user exactly once."""
    ids = {m365.add_user(f"user{number}").id for number in range(7)}
    url = f"{m365.tenant.urls.graph}/v1.0/users?$select=id,userType&$top=3"

    seen: list[dict[str, str]] = []
    while url:
        body = graph.get(url).json()
        assert len(body["value"]) <= 3
        seen += body["value"]
        url = body.get("@odata.nextLink", "")

    assert sorted(user["id"] for user in seen) == sorted(ids)
    assert all(set(user) == {"id", "userType"} for user in seen)


def test_short_and_empty_pages_hold_every_user_once(m365: Cloud, graph: requests.Session):
    """Pages may be shorter than asked for, or empty, and still have a next one."""
    for number in range(9):
        m365.add_user(f"user{number}")
    lengths = {}
    for form in ("full", "short", "empty"):
        m365.tenant.switches.list_pages = form
        lengths[form] = [len(page) for page in itertools.islice(walked(m365, graph), 20)]

    assert lengths == {"full": [3] * 3, "short": [1] * 9, "empty": [0, 3, 0, 3, 0, 3]}


@pytest.mark.parametrize("form", ["stuck", "circle"])
def test_lists_without_end(m365: Cloud, graph: requests.Session, form: str):
    """A next link that never changes, and a last page that leads back: both for ever."""
    for number in range(9):
        m365.add_user(f"user{number}")
    m365.tenant.switches.list_pages = form

    seen = [frozenset(page) for page in itertools.islice(walked(m365, graph), 12)]

    assert len(seen) == 12
    assert len(set(seen)) == (2 if form == "stuck" else 3)


def walked(m365: Cloud, graph: requests.Session) -> Iterator[list[str]]:
    """The ids of page after page."""
    url = f"{m365.tenant.urls.graph}/v1.0/users?$select=id&$top=3"
    while url:
        body = graph.get(url).json()
        yield [user["id"] for user in body["value"]]
        url = body.get("@odata.nextLink", "")


def test_the_last_page_has_no_next_link(m365: Cloud, graph: requests.Session):
    """A list that fills its page exactly ends there."""
    for number in range(3):
        m365.add_user(f"user{number}")
    body = graph.get(f"{m365.tenant.urls.graph}/v1.0/users?$top=3").json()
    assert len(body["value"]) == 3
    assert "@odata.nextLink" not in body


def test_a_next_link_that_was_rebuilt_is_refused(m365: Cloud, graph: requests.Session):
    """A skip token belongs to the options it was made with."""
    for number in range(3):
        m365.add_user(f"user{number}")
    base = f"{m365.tenant.urls.graph}/v1.0/users"
    link = graph.get(f"{base}?$top=1").json()["@odata.nextLink"]

    rebuilt = graph.get(link.replace("$top=1", "$top=2"))

    assert rebuilt.status_code == 400


def test_filters_in_use_narrow_the_list(m365: Cloud, graph: requests.Session):
    """`accountEnabled eq true and userType eq 'Member'` leaves guests and disabled ones out."""
    member, guest, disabled = (m365.add_user(name) for name in ("anna", "gast", "dora"))
    guest.user_type, disabled.account_enabled = "Guest", False
    options = {"$filter": "accountEnabled eq true and userType eq 'Member'"}

    found = graph.get(f"{m365.tenant.urls.graph}/v1.0/users", params=options).json()["value"]

    assert [user["id"] for user in found] == [member.id]


@pytest.mark.parametrize("raw", ["1000", "0", "-1", "many", "1.5"])
def test_page_sizes_graph_does_not_know_are_refused(raw: str):
    """$top is a whole number from 1 to 999."""
    with pytest.raises(Refusal) as refusal:
        graph_query.page_size(raw)
    assert refusal.value.status == 400


def test_a_user_is_found_by_id_and_by_awkward_upn(m365: Cloud, graph: requests.Session):
    """GET takes an object id or a UPN, percent-encoded, with an apostrophe or a hash in it."""
    guest = m365.add_user("anne.o'brien_fabrikam.com#EXT#")
    users = f"{m365.tenant.urls.graph}/v1.0/users"

    by_id = graph.get(f"{users}/{guest.id.upper()}?$select=id,userPrincipalName")
    by_upn = graph.get(f"{users}/{quote(guest.user_principal_name, safe='')}")

    assert by_id.json()["userPrincipalName"] == guest.user_principal_name
    assert by_upn.json()["id"] == guest.id
    assert "accountEnabled" not in by_upn.json()  # not among the default properties


def test_a_upn_with_a_dollar_needs_the_form_in_parentheses(m365: Cloud, graph: requests.Session):
    """A UPN that begins with `$` is a 400 after a slash, and found in quotes, which are doubled."""
    user = m365.add_user("$anne.o'brien")
    users = f"{m365.tenant.urls.graph}/v1.0/users"
    upn = quote(user.user_principal_name, safe="$'@")

    found = graph.get(f"{users}('{upn.replace(chr(39), chr(39) * 2)}')")
    refused = [
        graph.get(f"{users}/{upn}"),
        graph.get(f"{users}/{quote(upn, safe='')}"),
        graph.get(f"{users}('{upn}')"),
        graph.get(f"{users}({upn})"),
        graph.get(f"{users}/('{user.id}')"),
    ]

    assert found.json()["id"] == user.id
    assert [answer.status_code for answer in refused] == [400] * 5


def test_every_path_of_a_user_takes_both_forms(m365: Cloud, graph: requests.Session):
    """What is below a user is found below the form in parentheses as well."""
    user = m365.add_user("anne")
    users = f"{m365.tenant.urls.graph}/v1.0/users"

    answers = [graph.get(f"{users}{key}/photo") for key in (f"/{user.id}", f"('{user.id}')")]

    assert [answer.json()["error"]["code"] for answer in answers] == ["ErrorEntityNotFound"] * 2


def test_an_unknown_user_is_a_404_in_graphs_form(m365: Cloud, graph: requests.Session):
    """The error body names code, message and both request ids, and the headers repeat them."""
    headers = {"client-request-id": "mine"}
    answer = graph.get(f"{m365.tenant.urls.graph}/v1.0/users/nobody@contoso.com", headers=headers)

    error = answer.json()["error"]
    assert answer.status_code == 404
    assert error["code"] == "Request_ResourceNotFound"
    assert error["innerError"]["request-id"] == answer.headers["request-id"]
    assert answer.headers["client-request-id"] == "mine"


@pytest.mark.parametrize(
    "query", ["$select=shoeSize", "$filter=mail ne 'a'", "$orderby=id", "$search=x", "$skip=1"]
)
def test_options_out_of_use_are_refused(m365: Cloud, graph: requests.Session, query: str):
    """An option or a property that the simulator does not act on is a 400."""
    assert graph.get(f"{m365.tenant.urls.graph}/v1.0/users?{query}").status_code == 400


def test_a_call_without_the_role_is_denied(m365: Cloud):
    """403 without a role, 401 without a token or with one for another host."""
    users = f"{m365.tenant.urls.graph}/v1.0/users"

    with m365.session(m365.tenant.urls.graph, POOR_APP) as poor:
        denied = poor.get(users)
    with m365.session(m365.tenant.urls.my) as elsewhere:
        foreign = elsewhere.get(users)
    nobody = requests.get(users, timeout=10)

    assert (denied.status_code, foreign.status_code, nobody.status_code) == (403, 401, 401)
    assert denied.json()["error"]["code"] == "Authorization_RequestDenied"
    assert nobody.json()["error"]["code"] == "InvalidAuthenticationToken"


def test_an_edit_changes_the_user_and_tells_listeners(m365: Cloud, graph: requests.Session):
    """PATCH answers 204 and any edit counts as `updated`."""
    user, heard = m365.add_user("anna"), []
    m365.tenant.on_user_changed.append(lambda user, change: heard.append((user.id, change)))
    url = f"{m365.tenant.urls.graph}/v1.0/users/{user.id}"

    answer = graph.patch(url, json={"displayName": "Anna B", "jobTitle": "Baker"})

    assert answer.status_code == 204
    assert graph.get(url).json()["jobTitle"] == "Baker"
    assert heard == [(user.id, "updated")]


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"},
        {"accountEnabled": "yes"},
        {"displayName": ""},
        {"userPrincipalName": "no at sign"},
        {"userPrincipalName": "taken@contoso.com"},
        ["displayName"],
    ],
)
def test_bad_edits_are_refused_and_change_nothing(
    m365: Cloud, graph: requests.Session, change: object
):
    """A value of the wrong kind, a read-only property or a name in use is a 400."""
    user = m365.add_user("anna")
    m365.add_user("taken")

    answer = graph.patch(f"{m365.tenant.urls.graph}/v1.0/users/{user.id}", json=change)

    assert answer.status_code == 400
    assert (user.user_principal_name, user.display_name) == ("anna@contoso.com", "Anna")


def test_deleting_is_soft_first(m365: Cloud, graph: requests.Session):
    """A soft delete counts as `updated`, only the permanent one as `deleted`."""
    user, heard = m365.add_user("anna"), []
    m365.tenant.on_user_changed.append(lambda user, change: heard.append(change))
    base = f"{m365.tenant.urls.graph}/v1.0"

    assert graph.delete(f"{base}/users/{user.id}").status_code == 204
    assert graph.get(f"{base}/users/{user.id}").status_code == 404
    assert graph.delete(f"{base}/directory/deletedItems/{user.id}").status_code == 204
    assert heard == ["updated", "deleted"]


def test_deleted_user_can_be_restored(m365: Cloud, graph: requests.Session):
    """Until it is deleted for good: with its id and its groups, and subscribers hear of it."""
    user, heard = m365.add_user("anna"), []
    group = m365.tenant.new_id()
    m365.tenant.groups[group] = Group({user.id})
    base = f"{m365.tenant.urls.graph}/v1.0"
    graph.delete(f"{base}/users/{user.id}")
    m365.tenant.on_user_changed.append(lambda user, change: heard.append(change))
    restored = graph.post(f"{base}/directory/deletedItems/{user.id}/restore")

    assert (restored.status_code, restored.json()["id"]) == (200, user.id)
    assert graph.get(f"{base}/users/{user.id}").status_code == 200
    assert m365.tenant.groups[group].members == {user.id}
    assert heard == ["updated"]
    assert graph.post(f"{base}/directory/deletedItems/{user.id}/restore").status_code == 404


def test_name_that_is_taken_is_not_restored(m365: Cloud, graph: requests.Session):
    """Two users never have one name."""
    user = m365.add_user("anna")
    base = f"{m365.tenant.urls.graph}/v1.0"
    graph.delete(f"{base}/users/{user.id}")
    m365.add_user("anna")

    assert graph.post(f"{base}/directory/deletedItems/{user.id}/restore").status_code == 400


def test_paths_graph_does_not_have_are_refused(m365: Cloud, graph: requests.Session):
    """An unknown segment is an error in Graph's form too."""
    answer = graph.get(f"{m365.tenant.urls.graph}/v1.0/sites")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")


def test_what_an_sdk_sends_and_selects(m365: Cloud, graph: requests.Session):
    """A body may say its type, which changes nothing; documented properties are known."""
    anne = m365.add_user("anne")
    url = f"{m365.tenant.urls.graph}/v1.0/users/{anne.id}"
    body = {"@odata.type": "#microsoft.graph.user", "jobTitle": "Pilot"}

    assert graph.patch(url, json=body).status_code == 204
    shown = graph.get(f"{url}?$select=jobTitle,createdDateTime,usageLocation").json()
    assert (shown["jobTitle"], shown["usageLocation"]) == ("Pilot", None)
    assert shown["createdDateTime"].endswith("Z")
    assert graph.patch(url, json={"@odata.id": "x"}).status_code == 400


def test_addresses_in_any_spelling(m365: Cloud, graph: requests.Session):
    """Names in any case, a slash at the end, two behind the version; ids and UPNs as they are."""
    anne = m365.add_user("anne")
    base = f"{m365.tenant.urls.graph}/v1.0"

    assert graph.get(f"{base}/Users/").json()["value"][0]["id"] == anne.id
    assert graph.get(f"{base}/USERS('anne@contoso.com')/").json()["id"] == anne.id
    assert graph.get(f"{base}/users/{anne.id}/PHOTO/$Value").status_code == 404
    assert graph.get(f"{base}//users").json()["value"][0]["id"] == anne.id
    assert [graph.get(base + odd).status_code for odd in ("/usersx", "///users")] == [400, 400]


def test_no_metadata(m365: Cloud, graph: requests.Session):
    """`odata.metadata=none` leaves the data, the next link and the count."""
    m365.add_user("anne")
    m365.add_user("bert")
    url = f"{m365.tenant.urls.graph}/v1.0/users?$top=1&$count=true&$select=userType"
    headers = {**EVENTUAL, "Accept": "application/json; odata.metadata=none"}

    body = graph.get(url, headers=headers).json()

    assert body.keys() == {"@odata.nextLink", "@odata.count", "value"}
    assert body["value"] == [{"userType": "Member"}]
