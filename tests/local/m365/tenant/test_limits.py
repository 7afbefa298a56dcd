"""Throttling limits: photo requests per mailbox, profile calls per tenant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from local.m365.tenant.fault_plan import Latency
from local.m365.tenant.records import User
from tests.local.m365.graph.test_batch import answers, get, send
from tests.local.m365.sharepoint.test_csom import OPEN, body, method, post
from tests.local.m365.sharepoint.test_profiles import read
from tests.local.m365.simulator import ADMIN_APP, PHOTOSYNC_APP, STRICT, Cloud, HostSession


@pytest.fixture(autouse=True)
def as_before(office: Cloud) -> Iterator[None]:
    """Each test starts without limits, and restores time and latency."""
    for name in STRICT:
        setattr(office.tenant.switches, name, 0)
    yield
    office.tenant.skew = timedelta()
    office.tenant.faults.latency.clear()


@pytest.fixture
def graph(office: Cloud) -> Iterator[HostSession]:
    with office.session(office.tenant.urls.graph) as session:
        yield session


def photo(user: User) -> str:
    return f"/users/{user.id}/photo"


def last_entry(office: Cloud) -> dict[str, Any]:
    return office.tenant.journal.after(0)[-1]


def test_no_limits_by_default(graph: HostSession, anne: User):
    """A batch may request the photo of one mailbox twenty times."""
    found = answers(send(graph, *(get(str(n), photo(anne)) for n in range(20))))

    assert {each["status"] for each in found.values()} == {404}


def test_four_concurrent_photo_requests(office: Cloud, graph: HostSession, anne: User):
    """The fifth for an app and a mailbox is throttled; another mailbox and later ones are not."""
    otto = office.add_user("otto")
    office.tenant.switches.photo_requests_at_once = 4
    # Long enough that all items of the batch run concurrently.
    office.tenant.faults.latency["graph"] = Latency(ms=100)
    same = [get(str(n), f"/users/{anne.id}/photos/48x48/$value") for n in range(6)]

    found = answers(send(graph, *same, get("other", photo(otto))))

    other = found.pop("other")
    refused = [each for each in found.values() if each["status"] == 429]
    assert (len(refused), other["status"]) == (2, 404)
    assert refused[0]["headers"]["Retry-After"] == "1"
    assert graph.get(photo(anne)).status_code == 404


def test_limit_per_mailbox_and_app(office: Cloud, graph: HostSession, anne: User):
    """Object id and UPN are the same mailbox; each app has its own limit."""
    office.tenant.switches.photo_requests_per_10_minutes = 2
    named = f"/users('{anne.user_principal_name}')/photo/$value"

    assert graph.get(photo(anne)).status_code == 404
    assert graph.get(named).status_code == 404
    assert graph.get(named).status_code == 429
    assert last_entry(office)["fault"] == "limit: photos"
    assert last_entry(office)["clientId"] == ADMIN_APP
    with office.session(office.tenant.urls.graph, PHOTOSYNC_APP) as other:
        assert other.get(photo(anne)).status_code == 404
    assert graph.get(f"/users/{anne.id}").status_code == 200


def test_photos_are_served_again_after_the_window(office: Cloud, graph: HostSession, anne: User):
    """Retry-After says when, to the fraction of a second."""
    office.tenant.switches.photo_requests_per_10_minutes = 1
    graph.get(photo(anne))

    refused = graph.get(photo(anne))
    wait = float(refused.headers["Retry-After"])
    office.tenant.skew += timedelta(seconds=wait + 0.01)

    assert refused.status_code == 429
    assert 0 < wait <= 600
    assert graph.get(photo(anne)).status_code == 404


def test_profile_calls_of_the_tenant_are_counted(office: Cloud, admin: HostSession):
    """Refused calls count too; other calls of SharePoint do not."""
    office.tenant.switches.people_calls_per_5_minutes = 2
    account = "i:0#.f|membership|anne@contoso.com"

    statuses = [read(admin, account).status_code for _ in range(3)]
    refused = read(admin, account)

    assert statuses == [200, 200, 429]
    assert last_entry(office)["fault"] == "limit: people calls"
    assert 0 < int(refused.headers["Retry-After"]) <= 300
    assert admin.post("/_api/contextinfo").status_code == 200
    office.tenant.skew += timedelta(seconds=300)
    assert read(admin, account).status_code == 200


@pytest.mark.parametrize(("counts", "status"), [("requests", 200), ("methods", 429)])
def test_processquery_is_a_profile_call(
    office: Cloud, admin: HostSession, anne: User, counts: str, status: int
):
    """A request counts as one call, or as one per property; which is unknown."""
    office.tenant.switches.people_calls_per_5_minutes = 2
    office.tenant.switches.csom_counts = counts
    text = body(OPEN, *(method(n, anne, "Office", "1") for n in (3, 4, 5)))

    assert [post(admin, text).status_code for _ in range(3)] == [200, status, 429]
