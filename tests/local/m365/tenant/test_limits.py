"""Limits that the services count: photos of a mailbox, profile calls of a tenant."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

from local.m365.tenant.fault_plan import Latency
from local.m365.tenant.records import User
from tests.local.m365.graph.test_batch import answers, get, send
from tests.local.m365.sharepoint.test_csom import OPEN, body, method, post
from tests.local.m365.simulator import ADMIN_APP, PHOTOSYNC_APP, STRICT, Cloud


@pytest.fixture(autouse=True)
def as_before(office: Cloud) -> Iterator[None]:
    """Each test begins without limits and leaves time and latency as they were."""
    for name in STRICT:
        setattr(office.tenant.switches, name, 0)
    yield
    office.tenant.skew = timedelta()
    office.tenant.faults.latency.clear()


@pytest.fixture
def graph(office: Cloud) -> Iterator[requests.Session]:
    with office.session(office.tenant.urls.graph) as session:
        yield session


def photo(office: Cloud, user: User, name: str = "photo") -> str:
    return f"{office.tenant.urls.graph}/v1.0/users/{user.id}/{name}"


def people(office: Cloud) -> requests.Response:
    admin = office.tenant.urls.admin
    with office.session(admin) as session:
        return session.get(
            f"{admin}/_api/SP.UserProfiles.PeopleManager/GetPropertiesFor(accountName=@v)",
            params={"@v": "'i:0#.f|membership|anne@contoso.com'"},
        )


def last_entry(office: Cloud) -> dict[str, Any]:
    return office.tenant.journal.after(0)[-1]


def test_no_limits_unless_asked_for(office: Cloud, graph: requests.Session):
    """A batch may ask for one mailbox as often as it likes."""
    anne = office.add_user("anne")
    asked = [get(str(n), f"/users/{anne.id}/photo") for n in range(20)]

    found = answers(send(office, graph, *asked))

    assert {each["status"] for each in found.values()} == {404}


def test_four_photo_requests_at_a_time(office: Cloud, graph: requests.Session):
    """The fifth for an app and a mailbox is throttled; another mailbox and later ones are not."""
    anne, otto = office.add_user("anne"), office.add_user("otto")
    office.tenant.switches.photo_requests_at_once = 4
    # Long enough that all items of the batch are under way together.
    office.tenant.faults.latency["graph"] = Latency(ms=100)
    same = [get(str(n), f"/users/{anne.id}/photos/48x48/$value") for n in range(6)]

    found = answers(send(office, graph, *same, get("other", f"/users/{otto.id}/photo")))

    other = found.pop("other")
    refused = [each for each in found.values() if each["status"] == 429]
    assert (len(refused), other["status"]) == (2, 404)
    assert refused[0]["headers"]["Retry-After"] == "1"
    assert graph.get(photo(office, anne)).status_code == 404


def test_a_mailbox_is_the_same_by_any_name_and_another_for_another_app(
    office: Cloud, graph: requests.Session
):
    """User id and UPN are one mailbox; each app has its own share."""
    anne = office.add_user("anne")
    office.tenant.switches.photo_requests_per_10_minutes = 2
    named = f"{office.tenant.urls.graph}/v1.0/users('{anne.user_principal_name}')/photo/$value"

    assert graph.get(photo(office, anne)).status_code == 404
    assert graph.get(named).status_code == 404
    assert graph.get(named).status_code == 429
    assert last_entry(office)["fault"] == "limit: photos"
    assert last_entry(office)["clientId"] == ADMIN_APP
    with office.session(office.tenant.urls.graph, PHOTOSYNC_APP) as other:
        assert other.get(photo(office, anne)).status_code == 404
    assert graph.get(f"{office.tenant.urls.graph}/v1.0/users/{anne.id}").status_code == 200


def test_photos_are_served_again_when_the_window_has_passed(office: Cloud, graph: requests.Session):
    """Retry-After says when that is, to the fraction of a second."""
    anne = office.add_user("anne")
    office.tenant.switches.photo_requests_per_10_minutes = 1
    graph.get(photo(office, anne))

    refused = graph.get(photo(office, anne))
    wait = float(refused.headers["Retry-After"])
    office.tenant.skew += timedelta(seconds=wait + 0.01)

    assert refused.status_code == 429
    assert 0 < wait <= 600
    assert graph.get(photo(office, anne)).status_code == 404


def test_profile_calls_of_the_tenant_are_counted(office: Cloud):
    """Refused calls count too; other calls of SharePoint do not."""
    office.tenant.switches.people_calls_per_5_minutes = 2

    statuses = [people(office).status_code for _ in range(3)]
    refused = people(office)

    assert statuses == [200, 200, 429]
    assert last_entry(office)["fault"] == "limit: people calls"
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    my = office.tenant.urls.my
    with office.session(my) as session:
        assert session.post(f"{my}/_api/contextinfo").status_code == 200
    office.tenant.skew += timedelta(seconds=300)
    assert people(office).status_code == 200


@pytest.mark.parametrize(("counts", "status"), [("requests", 200), ("methods", 429)])
def test_processquery_is_a_profile_call(office: Cloud, counts: str, status: int):
    """One request counts as one, or as one a property: nobody says which."""
    anne = office.add_user("anne")
    office.tenant.switches.people_calls_per_5_minutes = 2
    office.tenant.switches.csom_counts = counts
    writes = [method(n, anne, "Office", "1") for n in (3, 4, 5)]
    with office.session(office.tenant.urls.admin) as session:
        assert post(office, session, body(OPEN, *writes)).status_code == 200
        assert post(office, session, body(OPEN, *writes)).status_code == status
        assert post(office, session, body(OPEN, *writes)).status_code == 429


def test_limits_hold_for_single_connections_too(office: Cloud):
    """Not only items of a batch are counted."""
    anne = office.add_user("anne")
    office.tenant.switches.photo_requests_at_once = 1
    office.tenant.faults.latency["graph"] = Latency(ms=200)
    together = threading.Barrier(2)

    def ask(_: int) -> int:
        with office.session(office.tenant.urls.graph) as session:
            together.wait(10)
            return session.get(photo(office, anne)).status_code

    office.token(office.tenant.urls.graph)
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, range(2))) == [404, 429]
