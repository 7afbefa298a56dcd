"""The handlers as the Functions host calls them, without a host."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import azure.functions as func
import pytest

import function_app
from shared import version
from shared.errors import SettingsError
from tests.shared.microsoft365.test_certificates import OURS
from tests.shared.settings.test_app import ENOUGH
from tests.shared.webhook.notifying import ID, STATE, TENANT, item, lifecycle

TOKEN = "Validation: Testing client application reachability Request-Id: 5"
STORAGE = (
    "DefaultEndpointsProtocol=http;AccountName=nobody;AccountKey=bm9ib2R5;"
    "BlobEndpoint=http://127.0.0.1:1/nobody;QueueEndpoint=http://127.0.0.1:1/nobody"
)

# Indexed once, since an app cannot be indexed again.
FUNCTIONS = {str(found.get_function_name()): found for found in function_app.app.get_functions()}


class Posted:
    """One POST to the webhook: the answer, and the messages for the two queues."""

    def __init__(self, body: bytes, params: dict[str, str] | None = None) -> None:
        request = func.HttpRequest(
            method="POST", url="/api/notifications", params=params or {}, body=body
        )
        sync, upkeep = Out(), Out()
        handler = user_function("notifications")
        self.answer: func.HttpResponse = handler(request, sync, upkeep)
        self.sync, self.upkeep = sync.value, upkeep.value


class Out(func.Out[list[str]]):
    """An output binding that keeps its value."""

    value: list[str] | None = None

    def set(self, val: list[str]) -> None:
        self.value = val

    def get(self) -> list[str]:
        return self.value or []


def user_function(name: str) -> Any:
    """The function that the host calls under *name*."""
    return FUNCTIONS[name].get_user_function()


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TENANT_ID", TENANT)
    monkeypatch.setenv("CLIENT_STATE", STATE)


def body(*items: Any) -> bytes:
    return json.dumps({"value": items}).encode()


# The webhook


def test_handshake():
    """A handshake is answered 200 with the token as plain text that no browser may interpret."""
    answer = Posted(b"", {"validationToken": TOKEN}).answer

    assert (answer.status_code, answer.get_body()) == (200, TOKEN.encode())
    assert answer.mimetype == "text/plain"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("posted", "params", "status"),
    [
        (b"", {"validationToken": "x" * 4097}, 400),
        (b"{", None, 400),
        (b"{}", None, 400),
        (b" " * (1024 * 1024 + 1), None, 413),
    ],
    ids=["long token", "malformed", "no value", "large"],
)
def test_refusals(posted, params, status):
    """A request that Graph never sends is refused in one sentence, and nothing is queued."""
    refused = Posted(posted, params)

    assert refused.answer.status_code == status
    assert refused.answer.mimetype == "text/plain"
    assert refused.answer.headers["X-Content-Type-Options"] == "nosniff"
    assert refused.answer.get_body().decode().count(".") == 1
    assert (refused.sync, refused.upkeep) == (None, None)


def test_notifications_are_queued():
    """Users go to photo-sync, lifecycle items to photo-upkeep, and the answer is 202."""
    posted = Posted(body(item(), item(), lifecycle()))

    assert posted.answer.status_code == 202
    assert [json.loads(text)["userId"] for text in posted.sync or []] == [ID]
    assert [json.loads(text)["kind"] for text in posted.upkeep or []] == ["lifecycle"]


def test_many_users_are_queued_together():
    """More than eight go to photo-upkeep in one message, before lifecycle items."""
    ids = [f"4e1a1f5d-0000-4000-8000-{number:012d}" for number in range(9)]
    posted = Posted(body(*(item(resourceData={"id": each}) for each in ids), lifecycle()))

    assert (posted.answer.status_code, posted.sync) == (202, None)
    bundle, _ = [json.loads(text) for text in posted.upkeep or []]
    assert (bundle["kind"], bundle["userIds"]) == ("bundle", ids)


def test_each_message_has_its_own_correlation_id():
    """Two users of one POST can be distinguished in the log."""
    other = item(resourceData={"id": TENANT})
    messages = [json.loads(text) for text in Posted(body(item(), other)).sync or []]

    assert len({message["correlationId"] for message in messages}) == 2


@pytest.mark.parametrize(
    "posted",
    [body(), body(item(clientState="guess")), body(item(tenantId=ID)), body(1, None)],
    ids=["nothing", "clientState", "tenant", "no objects"],
)
def test_forged_post(posted):
    """A forged POST is answered like a genuine one, and nothing is queued."""
    answered = Posted(posted)

    assert (answered.answer.status_code, answered.answer.get_body()) == (202, b"")
    assert (answered.sync, answered.upkeep) == (None, None)


def test_log_counts_without_secrets(caplog: pytest.LogCaptureFixture):
    """One line per POST counts accepted and ignored items; it contains no clientState."""
    with caplog.at_level(logging.INFO, "photosync"):
        Posted(body(item(), lifecycle(), item(clientState="guess"), item(clientState="guess"), 5))

    assert caplog.messages == [
        "notifications.accepted users=1 lifecycle=1 ignored.client-state=2 ignored.not-an-object=1"
    ]
    assert STATE not in caplog.text
    assert "guess" not in caplog.text


def test_handshake_is_not_logged(caplog: pytest.LogCaptureFixture):
    """No token reaches the log."""
    with caplog.at_level(logging.DEBUG):
        Posted(b"", {"validationToken": TOKEN})

    assert TOKEN not in caplog.text


def test_unset_client_state(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    """Without CLIENT_STATE the answer is still 202, and the log says what to set."""
    monkeypatch.delenv("CLIENT_STATE")
    posted = Posted(body(item()))

    assert (posted.answer.status_code, posted.sync) == (202, None)
    assert [r.levelname for r in caplog.records if "set CLIENT_STATE" in r.message] == ["ERROR"]


# The others


def test_health():
    """The probe gets "ok" and the version, and nothing else."""
    answer = user_function("health")(func.HttpRequest(method="GET", url="/api/health", body=b""))

    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.get_body().decode() == f"ok {version.VERSION}"


def bindings() -> dict[str, list[dict[str, Any]]]:
    return {
        name: [binding.get_dict_repr() for binding in function.get_bindings()]
        for name, function in FUNCTIONS.items()
    }


def test_every_route_but_probe_and_page_needs_a_key():
    """Only routes without data need no function key; no route belongs to the host."""
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
    assert not [t for t in http.values() if t["route"].startswith(("admin", "runtime"))]


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


@pytest.mark.parametrize("name", ["sync_photo", "upkeep"])
@pytest.mark.usefixtures("no_runtime")
def test_missing_settings_keep_the_message(name: str):
    """Without any settings, even storage's, the run fails, so that the host keeps the message."""
    with pytest.raises(SettingsError, match="CLIENT_ID is missing"):
        user_function(name)(func.QueueMessage(body=b"anne@contoso.com"))


@pytest.mark.usefixtures("no_runtime")
def test_one_runtime_per_process(monkeypatch: pytest.MonkeyPatch):
    """Simultaneous first messages use the same runtime."""
    more = {"CLIENT_CERTIFICATE": OURS.pem, "AzureWebJobsStorage": STORAGE, "CLIENT_STATE": STATE}
    for key, value in {**ENOUGH, **more}.items():
        monkeypatch.setenv(key, value)
    ready, built = threading.Barrier(8), []

    def first_message() -> None:
        ready.wait(10)
        built.append(function_app.runtime())

    threads = [threading.Thread(target=first_message) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(built) == 8
    assert len(set(map(id, built))) == 1
