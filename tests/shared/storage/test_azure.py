"""The storage account: how it is opened, delayed messages, and what its refusals mean."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.storage.blob import BlobServiceClient, ContainerClient, ExponentialRetry
from azure.storage.queue import QueueClient, QueueServiceClient

import shared.storage.azure
from local.cloud.azurite import Azurite, Storage
from shared.errors import AccessDenied, ServiceDown
from shared.microsoft365.http import LONGEST_WAIT_IN_PLACE
from shared.runtime import COPIES_AT_ONCE
from shared.settings.app import StorageSettings
from shared.storage.azure import CONTAINER, USERS, BlobStore, StorageQueue, open_storage
from tests.doubles.office import ANNE
from tests.shared.storage.test_state_blobs import FIRST


def by_connection_string(text: str) -> StorageSettings:
    return StorageSettings(text, blob_uri="", queue_uri="", identity_client_id="")


def test_settings_lead_to_the_account(storage):
    """The state lives in the container that the design names."""
    store = open_storage(by_connection_string(storage.connection_string)).states
    store.create(FIRST)

    with BlobServiceClient.from_connection_string(storage.connection_string) as service:
        assert service.get_blob_client(CONTAINER, f"users/{ANNE.id}.json").exists()


def test_netrc_is_not_read(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A password for every host would take the place of the signature of each request."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login anne password secret-of-anne\n")
    monkeypatch.setenv("NETRC", str(netrc))
    opened = open_storage(by_connection_string(storage.connection_string))

    assert opened.documents.read("nobody-wrote-this.json") is None
    assert opened.users.length() >= 0


def test_threads_open_no_connection_for_each_call(storage: Storage, caplog):
    """As many as copies are made at once ask at once, and keep their connections."""
    states = open_storage(by_connection_string(storage.connection_string)).states
    together = threading.Barrier(COPIES_AT_ONCE)

    def read(_: int) -> None:
        together.wait(10)
        states.read(ANNE.id)

    with ThreadPoolExecutor(COPIES_AT_ONCE) as pool:
        list(pool.map(read, range(5 * COPIES_AT_ONCE)))

    assert "Connection pool is full" not in caplog.text


@pytest.fixture
def queue(storage: Storage):
    """Queue `photo-sync`, empty."""
    with QueueServiceClient.from_connection_string(storage.connection_string) as service:
        client = service.create_queue(USERS)
        yield client
        client.delete_queue()


def test_messages_are_taken_and_deleted(storage, queue):
    """Each comes once, over several calls; what is deleted is gone, what is not stays."""
    users = open_storage(by_connection_string(storage.connection_string)).users
    sent = [f"message {number}" for number in range(40)]
    for text in sent:
        users.send(text, delay_seconds=0)
    taken = list(users.take(1000))
    for message in taken[1:]:
        message.delete()

    assert sorted(message.body.decode() for message in taken) == sorted(sent)
    assert users.length() == 1
    assert list(users.take(1000)) == []


def test_nothing_is_taken_where_there_is_no_queue(storage):
    """The host makes a poison queue only when it gives up on something."""
    poisoned = open_storage(by_connection_string(storage.connection_string)).poisoned

    assert [list(each.take(1000)) for each in poisoned.values()] == [[], []]


def test_message_is_plain_text(storage, queue):
    """A message arrives as the text it is, neither encoded nor escaped."""
    sender = open_storage(by_connection_string(storage.connection_string)).users
    sender.send('{"userId": "anne"}', delay_seconds=0)

    assert queue.receive_message().content == '{"userId": "anne"}'


def test_message_is_delayed(storage, queue):
    """A message is not seen before its delay is over."""
    sender = open_storage(by_connection_string(storage.connection_string)).users
    sender.send("later", delay_seconds=599.6)

    assert queue.receive_message() is None
    assert queue.get_queue_properties().approximate_message_count == 1


def test_queue_is_made_when_absent(storage):
    """The first message makes the queue."""
    sender = open_storage(by_connection_string(storage.connection_string)).users
    sender.send("first", delay_seconds=0)

    with QueueServiceClient.from_connection_string(storage.connection_string) as service:
        [message] = service.get_queue_client(USERS).receive_messages()
        assert message.content == "first"
        service.delete_queue(USERS)


def test_wrong_key_is_access_denied(storage):
    """A refused key is a sentence that names the roles."""
    key = storage.connection_string.split("AccountKey=")[1].split(";")[0]
    wrong = storage.connection_string.replace(key, "d3Jvbmc=")
    opened = open_storage(by_connection_string(wrong))
    store, sender = opened.states, opened.users

    with pytest.raises(AccessDenied, match="Storage Blob Data Owner"):
        store.read(ANNE.id)
    with pytest.raises(AccessDenied, match="Storage Queue Data Contributor"):
        sender.send("x", delay_seconds=0)


@pytest.mark.parametrize("client_id", ["", "0b000000-0000-4000-8000-000000000002"])
def test_service_uris_mean_an_identity(client_id):
    """Service URIs need no key: a managed identity, unnamed or named, is asked later."""
    uri = "https://photosync.blob.core.windows.net"

    opened = open_storage(StorageSettings("", uri, uri, client_id))
    store, sender = opened.states, opened.users

    assert isinstance(store, BlobStore)
    assert isinstance(sender, StorageQueue)


def test_patience():
    """A thread is held by waits for storage no longer than by those for any other service."""
    waits = ExponentialRetry(**shared.storage.azure._PATIENCE)
    tries = range(1, waits.total_retries + 1)

    assert len(tries) == 3
    assert sum(waits.get_backoff_time({"count": each}) for each in tries) <= LONGEST_WAIT_IN_PLACE


def test_storage_down(tmp_path: Path, monkeypatch):
    """Storage that does not answer is a passing error of every call."""
    azurite = Azurite(tmp_path / "azurite.log")
    gone = azurite.wait_until_ready()
    azurite.stop()
    # The client's own patience is not what is asked here.
    monkeypatch.setitem(shared.storage.azure._PATIENCE, "retry_total", 0)
    opened = open_storage(by_connection_string(gone.connection_string))
    store, sender = opened.states, opened.users

    for call in (
        lambda: store.read(ANNE.id),
        lambda: store.create(FIRST),
        lambda: store.replace(FIRST, version='"1"'),
        lambda: store.keep_unreadable("x", b"x", "x"),
        lambda: sender.send("x", delay_seconds=0),
    ):
        with pytest.raises(ServiceDown):
            call()


class NoIdentity:
    """A credential whose endpoint gives no token now (azure-functions-host#10238)."""

    def get_token(self, *scopes: str, **_: object) -> AccessToken:
        raise ClientAuthenticationError("The identity endpoint did not answer.")


def test_no_token_is_no_refusal():
    """Storage that nobody could sign in to has refused nothing: the message waits."""
    uri = "https://photosync.blob.core.windows.net"
    blobs = BlobStore(ContainerClient(uri, "photo-sync-state", NoIdentity(), retry_total=0))
    queue = StorageQueue(QueueClient(uri, "photo-sync", credential=NoIdentity(), retry_total=0))

    with pytest.raises(ServiceDown, match="No token for storage could be obtained"):
        blobs.read(ANNE.id)
    with pytest.raises(ServiceDown, match="No token for storage could be obtained"):
        queue.send("x", delay_seconds=0)
