"""The storage account: how it is opened, delayed messages, and what its refusals mean."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import BlobServiceClient, ContainerClient, ExponentialRetry
from azure.storage.queue import QueueClient, QueueServiceClient

import shared.storage.azure
from local.cloud.azurite import Azurite, Storage
from shared.errors import AccessDenied, ServiceDown
from shared.microsoft365.http import LONGEST_WAIT_IN_PLACE
from shared.runtime import COPIES_AT_ONCE
from shared.settings.app import StorageSettings
from shared.storage.azure import (
    CONTAINER,
    UPKEEP,
    USERS,
    BlobStore,
    OpenStorage,
    StorageQueue,
    open_storage,
)
from tests.doubles.office import ANNE, failing
from tests.shared.storage.test_state_blobs import FIRST


def by_connection_string(text: str) -> StorageSettings:
    return StorageSettings(text, blob_uri="", queue_uri="", identity_client_id="")


def test_names_in_the_account(storage, opened):
    """States and documents share a container; users and upkeep have a queue each, as plain text."""
    opened.states.create(FIRST)
    opened.documents.write("here.json", {}, after=None)
    opened.users.send('{"userId": "anne"}', delay_seconds=0)
    opened.upkeep.send("upkeep", delay_seconds=0)

    text = storage.connection_string
    with BlobServiceClient.from_connection_string(text) as service:
        for name in (f"users/{ANNE.id}.json", "here.json"):
            assert service.get_blob_client(CONTAINER, name).exists()
    with QueueServiceClient.from_connection_string(text) as service:
        for queue, content in ((USERS, '{"userId": "anne"}'), (UPKEEP, "upkeep")):
            [message] = service.get_queue_client(queue).receive_messages()
            assert message.content == content


def test_queues(opened):
    """A queue is created by its first message; hidden ones are counted and cleared, not taken."""
    assert [list(queue.take(1000)) for queue in (opened.users, *opened.poisoned.values())] == [
        []
    ] * 3
    opened.users.clear()
    opened.users.send("seen", delay_seconds=0)
    opened.users.send("hidden", delay_seconds=599.6)

    empty = {"photo-upkeep": 0, "photo-sync-poison": 0, "photo-upkeep-poison": 0}
    assert opened.lengths() == {"photo-sync": 2, **empty}
    assert [message.body for message in opened.users.take(1000)] == [b"seen"]
    opened.users.clear()
    assert opened.users.length() == 0


def test_netrc_is_not_read(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A password for every host would replace the signature of each request."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login anne password secret-of-anne\n")
    monkeypatch.setenv("NETRC", str(netrc))
    opened = open_storage(by_connection_string(storage.connection_string))

    assert opened.documents.read("nobody-wrote-this.json") is None
    assert opened.users.length() >= 0


def test_threads_keep_their_connections(storage: Storage, caplog):
    """As many threads as copy at once can call at once, and keep their connections."""
    states = open_storage(by_connection_string(storage.connection_string)).states
    together = threading.Barrier(COPIES_AT_ONCE)

    def read(_: int) -> None:
        together.wait(120)
        states.read(ANNE.id)

    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        list(pool.map(read, range(5 * COPIES_AT_ONCE)))

    assert "Connection pool is full" not in caplog.text


@pytest.fixture
def opened(storage: Storage) -> OpenStorage:
    """The storage account without any queue."""
    with QueueServiceClient.from_connection_string(storage.connection_string) as service:
        for queue in list(service.list_queues()):
            service.delete_queue(queue)
    return open_storage(by_connection_string(storage.connection_string))


def test_messages_are_taken_and_deleted(opened):
    """Each message is taken once, over several calls; deleted ones are gone, others stay."""
    users = opened.users
    sent = [f"message {number}" for number in range(40)]
    for text in sent:
        users.send(text, delay_seconds=0)
    taken = list(users.take(1000))
    for message in taken[1:]:
        message.delete()

    assert sorted(message.body.decode() for message in taken) == sorted(sent)
    assert users.length() == 1
    assert list(users.take(1000)) == []


def test_wrong_key_is_access_denied(storage):
    """The error for a refused key names the roles."""
    key = storage.connection_string.split("AccountKey=")[1].split(";")[0]
    wrong = storage.connection_string.replace(key, "d3Jvbmc=")
    opened = open_storage(by_connection_string(wrong))

    with pytest.raises(AccessDenied, match="Storage Blob Data Owner"):
        opened.states.read(ANNE.id)
    with pytest.raises(AccessDenied, match="Storage Queue Data Contributor"):
        opened.users.send("x", delay_seconds=0)


@pytest.mark.parametrize("client_id", ["", "0b000000-0000-4000-8000-000000000002"])
def test_service_uris_mean_an_identity(client_id):
    """With service URIs, a managed identity is used, named or not."""
    uri = "https://photosync.blob.core.windows.net"

    opened = open_storage(StorageSettings("", uri, uri, client_id))

    assert isinstance(opened.states, BlobStore)
    assert isinstance(opened.users, StorageQueue)


def test_retries():
    """Retries of storage hold a thread no longer than those of any other service."""
    waits = ExponentialRetry(**shared.storage.azure._RETRIES)
    tries = range(1, waits.total_retries + 1)

    assert len(tries) == 3
    assert sum(waits.get_backoff_time({"count": each}) for each in tries) <= LONGEST_WAIT_IN_PLACE


def test_storage_down(tmp_path: Path, monkeypatch):
    """If storage does not answer, every call raises ServiceDown."""
    azurite = Azurite(tmp_path / "azurite.log")
    gone = azurite.wait_until_ready()
    azurite.stop()
    # Not the client's own retries.
    monkeypatch.setitem(shared.storage.azure._RETRIES, "retry_total", 0)
    opened = open_storage(by_connection_string(gone.connection_string))

    for call in (
        lambda: opened.states.read(ANNE.id),
        lambda: opened.states.create(FIRST),
        lambda: opened.states.replace(FIRST, version='"1"'),
        lambda: opened.states.keep_unreadable("x", b"x", "x"),
        lambda: opened.users.send("x", delay_seconds=0),
    ):
        with pytest.raises(ServiceDown):
            call()


def test_missing_token_is_not_a_refusal():
    """Without a token storage has refused nothing: the message waits."""
    # As reported in azure-functions-host#10238.
    no_answer = ClientAuthenticationError("The identity endpoint did not answer.")
    identity: Any = SimpleNamespace(get_token=failing(no_answer))
    uri = "https://photosync.blob.core.windows.net"
    blobs = BlobStore(ContainerClient(uri, "photo-sync-state", identity, retry_total=0))
    queue = StorageQueue(QueueClient(uri, "photo-sync", credential=identity, retry_total=0))

    with pytest.raises(ServiceDown, match="No token for storage could be obtained"):
        blobs.read(ANNE.id)
    with pytest.raises(ServiceDown, match="No token for storage could be obtained"):
        queue.send("x", delay_seconds=0)
