"""Documents in real storage: Azurite answers, not a stand-in."""

from __future__ import annotations

import time

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient
from azure.storage.queue import QueueServiceClient

from shared.errors import Conflict
from shared.settings.app import StorageSettings
from shared.storage.azure import (
    CONTAINER,
    UPKEEP,
    USERS,
    BlobDocuments,
    StorageQueue,
    open_storage,
)
from shared.storage.blobs import Blobs

NAME = "sweeps/latest.json"


@pytest.fixture
def documents(container: ContainerClient) -> BlobDocuments:
    return BlobDocuments(container)


def test_none_yet(documents):
    """A document that nobody wrote is none, also before there is a container."""
    assert documents.read(NAME) is None


def test_written_and_read(documents):
    """A document is read as it was written, with the version that its writer got."""
    written = documents.write(NAME, {"id": "käse", "n": [1]}, after=None)

    assert documents.read(NAME)[:2] == written[:2]
    assert written.fields == {"id": "käse", "n": [1]}


def test_storage_tells_its_time(documents):
    """Who reads a document knows what storage's clock says, whatever its own may be."""
    documents.write(NAME, {}, after=None)
    at = documents.read(NAME).at

    assert abs(at - time.time()) < 60
    assert at == int(at)


def test_of_two_first_writes_one_counts(documents):
    """Two runs that found nothing do not both write."""
    documents.write(NAME, {"by": 1}, after=None)

    with pytest.raises(Conflict):
        documents.write(NAME, {"by": 2}, after=None)
    assert documents.read(NAME).fields == {"by": 1}


def test_of_two_changes_one_counts(documents):
    """Two runs that read the same version do not both replace it."""
    read = documents.write(NAME, {"by": 0}, after=None)
    documents.write(NAME, {"by": 1}, after=read)

    with pytest.raises(Conflict):
        documents.write(NAME, {"by": 2}, after=read)
    assert documents.read(NAME).fields == {"by": 1}


def test_deleted_one_is_not_brought_back(documents, container):
    """A document that a person deleted is a conflict for whoever had read it."""
    read = documents.write(NAME, {"by": 0}, after=None)
    container.delete_blob(NAME)

    with pytest.raises(Conflict):
        documents.write(NAME, {"by": 1}, after=read)


def test_deleted(documents):
    """A document is deleted if it is still what was read, and only then."""
    read = documents.write(NAME, {"by": 0}, after=None)
    changed = documents.write(NAME, {"by": 1}, after=read)

    with pytest.raises(Conflict):
        documents.delete(NAME, after=read)
    documents.delete(NAME, after=changed)
    assert documents.read(NAME) is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"\xff", b"7", b"null", b'"text"', b"[" * 200_000],
    ids=["empty", "cut", "not text", "number", "null", "text", "deep"],
)
def test_damaged_one_is_written_over(documents, damage, container):
    """A damaged document is an empty one, and a version that can be replaced like any other."""
    Blobs(container).put(NAME, damage)

    read = documents.read(NAME)

    assert read.fields == {}
    assert documents.write(NAME, {"sound": True}, after=read)[:2] == documents.read(NAME)[:2]


def test_containers_and_queues_have_their_names(storage):
    """Documents lie beside the states; users and upkeep have a queue each."""
    text = storage.connection_string
    opened = open_storage(StorageSettings(text, "", "", ""))
    opened.documents.write("here.json", {}, after=None)
    opened.users.send("user", delay_seconds=0)
    opened.upkeep.send("upkeep", delay_seconds=0)

    with BlobServiceClient.from_connection_string(text) as service:
        assert service.get_blob_client(CONTAINER, "here.json").exists()
    with QueueServiceClient.from_connection_string(text) as service:
        for queue, content in ((USERS, "user"), (UPKEEP, "upkeep")):
            [message] = service.get_queue_client(queue).receive_messages()
            assert message.content == content


def test_queue_is_emptied(storage):
    """Messages that are hidden go with the others, and an absent queue is an empty one."""
    with QueueServiceClient.from_connection_string(storage.connection_string) as service:
        queue = StorageQueue(service.get_queue_client("emptied"))
        queue.clear()
        queue.send("seen", delay_seconds=0)
        queue.send("hidden", delay_seconds=600)
        before = queue.length()
        queue.clear()

        assert (before, queue.length()) == (2, 0)
