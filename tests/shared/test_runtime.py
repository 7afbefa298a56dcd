"""Everything is built from settings alone; the first message makes the first call."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.budget.tenant_limit import TenantLimit
from shared.copying.worker import Worker
from shared.errors import ServiceDown
from shared.graph.client import Fetched
from shared.misconfigured import NoUpkeep, NoWorker
from shared.runtime import COPIES_AT_ONCE, _pace, build
from shared.settings.app import Settings
from shared.storage import azure
from shared.upkeep.upkeep import Upkeep
from tests.doubles.office import ANNE, failing
from tests.shared.budget.fleet import Fleet
from tests.shared.settings.test_app import ENOUGH, GUID, NO_STORAGE, WEBHOOK

SETTINGS = {
    **ENOUGH,
    "CLIENT_ID": "",
    "MANAGED_IDENTITY_CLIENT_ID": GUID,
    "WEBHOOK_URL": WEBHOOK,
    "AzureWebJobsStorage": NO_STORAGE,
}


class Dialled(BaseException):
    """A connection was opened."""


@pytest.fixture
def no_network(monkeypatch):
    """Any connection is an error that no code handles."""
    monkeypatch.setattr(socket, "getaddrinfo", failing(Dialled()))
    monkeypatch.setattr(socket.socket, "connect", failing(Dialled()))


@pytest.mark.usefixtures("no_network")
def test_first_message_calls():
    """Building makes no call; the first message makes the worker call Microsoft 365."""
    worker = build(SETTINGS).worker

    with pytest.raises(Dialled):
        worker.process(b"anne@contoso.com")


def test_throttled_subscriptions_hold_up_no_photo():
    """If calls about subscriptions are throttled, photos can still be read."""
    built = build(SETTINGS)
    assert isinstance(built.upkeep, Upkeep)
    assert isinstance(built.worker, Worker)
    subscriptions: Any = built.upkeep._keeper._client
    photos: Any = built.worker._directory
    subscriptions._http._throttle.refused(600.0, begun_in=0)

    assert subscriptions._http._throttle.paused_for() > 0
    assert photos._http._throttle.paused_for() == 0


def test_copies_read_user_and_photo_at_once(monkeypatch):
    """No request waits for another, of the same copy or of one that runs at the same time."""
    worker: Any = build(SETTINGS).worker
    graph, meeting = worker._sync._source, threading.Barrier(2 * COPIES_AT_ONCE, timeout=60)

    def meet(answer: Any) -> Any:
        meeting.wait()
        return answer

    monkeypatch.setattr(graph, "user", lambda user_id: meet(ANNE))
    monkeypatch.setattr(graph, "_photo_and_etag", lambda user_id: meet((b"photo", "etag")))

    with ThreadPoolExecutor(COPIES_AT_ONCE) as copies:
        fetched = list(copies.map(graph.user_and_photo, [ANNE.id] * COPIES_AT_ONCE))

    assert fetched == [Fetched(ANNE, b"photo", "etag")] * COPIES_AT_ONCE


def test_copies_do_not_wait_for_their_own_threads():
    """A copy's thread waits for Graph's, so a pool that runs both could wait forever."""
    worker: Any = build(SETTINGS).worker

    assert worker._sync._at_once._pool is not worker._sync._source._at_once._pool


@pytest.mark.parametrize(("set_to", "calls"), [("0", 9000), ("120", 120)])
def test_sweeps_go_by_the_limit_of_the_fleet(set_to, calls):
    """A process that makes no profile call itself still knows the tenant's limit."""
    settings = Settings.from_mapping(SETTINGS | {"PROFILE_CALLS_PER_5_MINUTES": set_to})
    limit = TenantLimit(settings.profile_calls, lambda: 5001, lambda: 0)

    assert _pace(settings, [Fleet().instance(limit=limit)])().profile_calls == calls


def test_bad_certificate_lets_messages_wait():
    """With an unreadable certificate, messages wait."""
    certificate = {"CLIENT_ID": GUID, "CLIENT_CERTIFICATE": "/no/such/file.pem"}

    built = build(SETTINGS | {"MANAGED_IDENTITY_CLIENT_ID": ""} | certificate)

    assert isinstance(built.worker, NoWorker)
    assert isinstance(built.upkeep, NoUpkeep)


def test_message_is_raised_when_storage_is_down(monkeypatch):
    """A message that can be neither parsed nor set aside stays with the host."""
    # The retries of the storage client are not under test.
    monkeypatch.setitem(azure._RETRIES, "retry_total", 0)
    worker = build(SETTINGS).worker

    with pytest.raises(ServiceDown):
        worker.process(b"?")
