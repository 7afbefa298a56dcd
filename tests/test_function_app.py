"""The handlers as the Functions host calls them, without a host."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import pytest

import function_app
from shared import version
from shared.errors import SettingsError
from tests.shared.microsoft365.test_certificates import OURS
from tests.shared.settings.test_app import ENOUGH, NO_STORAGE
from tests.shared.webhook.notifying import ID, STATE, TENANT, item, lifecycle

TOKEN = "Validation: Testing client application reachability Request-Id: 5"

# Indexed once: an app refuses to be indexed again.
FUNCTIONS = {str(found.get_function_name()): found for found in function_app.app.get_functions()}


class Posted:
    """One POST to the webhook: the answer, and what both queues received."""

    def __init__(self, body: bytes, params: dict[str, str] | None = None) -> None:
        request = func.HttpRequest(
            method="POST", url="/api/notifications", params=params or {}, body=body
        )
        sync: list[list[str]] = []
        upkeep: list[list[str]] = []
        bindings = (SimpleNamespace(set=each.append) for each in (sync, upkeep))
        self.answer: func.HttpResponse = user_function("notifications")(request, *bindings)
        self.sync, self.upkeep = (each[0] if each else None for each in (sync, upkeep))


def user_function(name: str) -> Any:
    """The function that the host calls under *name*."""
    return FUNCTIONS[name].get_user_function()


def get(name: str, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """The answer of the function *name* to a GET."""
    request = func.HttpRequest(method="GET", url="/api", headers=headers, body=b"")
    answer: func.HttpResponse = user_function(name)(request)
    return answer


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANT_ID", TENANT)
    monkeypatch.setenv("CLIENT_STATE", STATE)


def body(*items: Any) -> bytes:
    return json.dumps({"value": items}).encode()


# The webhook


@pytest.mark.parametrize(
    ("posted", "params", "status"),
    [
        (b"", {"validationToken": TOKEN}, 200),
        (b"", {"validationToken": "x" * 4097}, 400),
        (b"{", None, 400),
    ],
    ids=["handshake", "long token", "malformed"],
)
def test_plain_answers(posted, params, status, caplog: pytest.LogCaptureFixture):
    """A handshake gets its token, a bad request one sentence; nothing is queued or logged."""
    with caplog.at_level(logging.DEBUG):
        request = Posted(posted, params)
    text = request.answer.get_body().decode()

    assert request.answer.status_code == status
    assert request.answer.mimetype == "text/plain"
    assert request.answer.headers["X-Content-Type-Options"] == "nosniff"
    assert text == TOKEN if status == 200 else text.count(".") == 1
    assert (request.sync, request.upkeep) == (None, None)
    assert TOKEN not in caplog.text


def test_notifications_are_queued():
    """Users go to photo-sync, each with its own correlation id, lifecycle items to upkeep."""
    other = item(resourceData={"id": TENANT})
    posted = Posted(body(item(), item(), other, lifecycle()))
    messages = [json.loads(text) for text in posted.sync or []]

    assert posted.answer.status_code == 202
    assert [message["userId"] for message in messages] == [ID, TENANT]
    assert len({message["correlationId"] for message in messages}) == 2
    assert [json.loads(text)["kind"] for text in posted.upkeep or []] == ["lifecycle"]


def test_many_users_are_queued_together():
    """More than eight users go to photo-upkeep in one message, before lifecycle items."""
    ids = [f"4e1a1f5d-0000-4000-8000-{number:012d}" for number in range(9)]
    posted = Posted(body(*(item(resourceData={"id": each}) for each in ids), lifecycle()))

    assert (posted.answer.status_code, posted.sync) == (202, None)
    bundle, _ = [json.loads(text) for text in posted.upkeep or []]
    assert (bundle["kind"], bundle["userIds"]) == ("bundle", ids)


def test_stranger_learns_nothing():
    """Foreign items get the same answer, and nothing is queued."""
    posted = Posted(body(item(clientState="guess"), item(tenantId=ID), 1, None))

    assert (posted.answer.status_code, posted.answer.get_body()) == (202, b"")
    assert (posted.sync, posted.upkeep) == (None, None)


def test_log_counts_and_shows_no_secret(caplog: pytest.LogCaptureFixture):
    """One line per POST counts accepted and ignored items; it contains no clientState."""
    with caplog.at_level(logging.INFO, "photosync"):
        Posted(body(item(), lifecycle(), item(clientState="guess"), item(clientState="guess"), 5))

    assert caplog.messages == [
        "notifications.accepted users=1 lifecycle=1 ignored.client-state=2 ignored.not-an-object=1"
    ]
    assert STATE not in caplog.text
    assert "guess" not in caplog.text


def test_unset_client_state_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """Without CLIENT_STATE the answer is still 202, and the log says what to set."""
    monkeypatch.delenv("CLIENT_STATE")
    posted = Posted(body(item()))

    assert (posted.answer.status_code, posted.sync) == (202, None)
    assert [r.levelname for r in caplog.records if "set CLIENT_STATE" in r.message] == ["ERROR"]


# Other functions


def test_health():
    """The probe learns that the app runs, and its version; some probes need "ok" first."""
    answer = get("health")

    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.get_body().decode() == f"ok {version.VERSION}"


def bindings() -> dict[str, list[dict[str, Any]]]:
    return {
        name: [binding.get_dict_repr() for binding in function.get_bindings()]
        for name, function in FUNCTIONS.items()
    }


def test_every_route_but_probe_and_page_needs_a_key():
    """
    Without CONSOLE_SIGN_IN, only routes without data are open; none is reserved by the host, and
    none exists twice.
    """
    http = {
        name: trigger
        for name, found in bindings().items()
        for trigger in found
        if trigger["type"] == "httpTrigger"
    }
    anonymous = {n for n, t in http.items() if t["authLevel"] is func.AuthLevel.ANONYMOUS}

    assert anonymous == {"health", "console_page"}
    others = {t["authLevel"] for n, t in http.items() if n not in anonymous}
    assert others == {func.AuthLevel.FUNCTION}
    assert not [t for t in http.values() if t["route"].startswith(("admin", "runtime", "keyed"))]


def test_queues():
    """Each queue of the design has its function."""
    queues = {
        name: trigger["queueName"]
        for name, found in bindings().items()
        for trigger in found
        if trigger["type"] == "queueTrigger"
    }

    # None on a poison queue, where a message can get stuck (see shared/parking.py).
    assert queues == {"sync_photo": "photo-sync", "upkeep": "photo-upkeep"}


@pytest.mark.parametrize(("count", "redelivered"), [(None, False), (1, False), (2, True)])
@pytest.mark.parametrize(("name", "part"), [("sync_photo", "worker"), ("upkeep", "upkeep")])
def test_message_is_passed_on(monkeypatch: pytest.MonkeyPatch, name, part, count, redelivered):
    """With its id, and whether an earlier run of it died or raised."""
    passed: list[tuple[bytes, dict[str, object]]] = []
    recorder = SimpleNamespace(process=lambda body, **more: passed.append((body, more)))
    monkeypatch.setattr(function_app, "runtime", lambda: SimpleNamespace(**{part: recorder}))

    user_function(name)(SimpleNamespace(get_body=lambda: b"x", id="m-1", dequeue_count=count))

    assert passed == [(b"x", {"redelivered": redelivered, "message_id": "m-1"})]


@pytest.mark.parametrize("name", ["sync_photo", "upkeep"])
@pytest.mark.usefixtures("no_runtime")
def test_missing_settings_keep_the_message(name: str):
    """If storage is missing too, the run names all that is wrong; the host keeps the message."""
    with pytest.raises(SettingsError, match=r"CLIENT_ID.*AzureWebJobsStorage"):
        user_function(name)(func.QueueMessage(body=b"anne@contoso.com"))


@pytest.mark.usefixtures("no_runtime")
def test_one_runtime_a_process(monkeypatch: pytest.MonkeyPatch):
    """The first messages, arriving together, share one runtime."""
    more = {
        "CLIENT_CERTIFICATE": OURS.pem,
        "AzureWebJobsStorage": NO_STORAGE,
        "CLIENT_STATE": STATE,
    }
    for key, value in {**ENOUGH, **more}.items():
        monkeypatch.setenv(key, value)
    ready = threading.Barrier(8)

    def first_message(_: int) -> Any:
        ready.wait(120)
        return function_app.runtime()

    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(first_message, range(8)))
    assert len(set(map(id, built))) == 1
