"""Blobs in the Archive tier, which can be listed but neither read nor overwritten; on Azurite."""

from dataclasses import replace
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from shared.console.roster import Roster
from shared.errors import Conflict
from shared.storage.azure import BlobStore
from shared.storage.blobs import Blobs
from shared.storage.user_state import SYNCED, UserState
from tests.doubles.office import ANNE

KNOWN = UserState(ANNE.id, status=SYNCED, user_principal_name=ANNE.user_principal_name)
STATE = f"users/{ANNE.id}.json"


def archive(container: ContainerClient, name: str) -> None:
    container.get_blob_client(name).set_standard_blob_tier("Archive")


@pytest.fixture
def store(container: ContainerClient) -> BlobStore:
    """Anne's state is archived."""
    store = BlobStore(container)
    store.create(KNOWN)
    archive(container, STATE)
    return store


def test_archived_state_is_replaced(store):
    """It reads as a user who was never synced, says why, and can be replaced."""
    read = store.read(ANNE.id)

    assert read.state == UserState(
        ANNE.id,
        detail="This blob is in the Archive tier, where it cannot be read. PhotoSync replaces it.",
    )
    assert [one.user_principal_name for one in Roster(store).page().entries] == [
        ANNE.user_principal_name
    ]
    version = store.replace(KNOWN, version=read.version)
    assert store.read(ANNE.id) == (KNOWN, version)


def test_archived_state_that_has_changed(store, container):
    """A newer state, archived again, is not deleted."""
    stale = store.read(ANNE.id).version
    store.replace(replace(KNOWN, detail="newer"), version=stale)
    archive(container, STATE)

    with pytest.raises(Conflict):
        store.replace(KNOWN, version=stale)
    assert container.get_blob_client(STATE).exists()


@pytest.mark.parametrize("created", [True, False], ids=["after the deletion", "before it"])
def test_write_by_another_run_in_between(store, container, created):
    """What another run writes around our deletion is neither overwritten nor deleted."""
    version = store.read(ANNE.id).version
    delete = container.delete_blob

    def and_another_writes(name, **condition):
        delete(name, **(condition if created else {}))
        BlobStore(container).create(replace(KNOWN, detail="another"))
        if not created:
            delete(name, **condition)

    container.delete_blob = and_another_writes
    with pytest.raises(Conflict):
        store.replace(KNOWN, version=version)

    assert store.read(ANNE.id).state.detail == "another"


def test_archived_document_reads_as_empty(documents, container):
    """It is replaced as a damaged document is."""
    documents.write("sweeps/latest.json", {"id": "s-1"}, after=None)
    archive(container, "sweeps/latest.json")
    read = documents.read("sweeps/latest.json")

    assert read.fields == {}
    written = documents.write("sweeps/latest.json", {"id": "s-2"}, after=read)
    assert documents.read("sweeps/latest.json")[:2] == written[:2]


def test_archived_message_hides_no_other(container):
    """All messages set aside are listed, with a sentence for one that cannot be read."""
    store = BlobStore(container)
    store.keep_unreadable("2026-01-01-old", b"anne@", "Not a user.")
    store.keep_unreadable("2026-01-02-new", b"bert@", "Not a user.")
    archive(container, "unreadable/2026-01-02-new.json")
    total, shown = store.unreadable(10)

    assert total == 2
    assert [(one["reason"], one["body"]) for one in shown] == [
        ("This blob is in the Archive tier, where it cannot be read.", ""),
        ("Not a user.", "anne@"),
    ]


def test_archived_and_deleted_at_once(container):
    """A blob that was deleted before its properties were read is missing."""
    blobs = Blobs(container)
    blobs.put("a.json", b"{}")
    archive(container, "a.json")
    get = container.get_blob_client

    class Deleting:
        def __getattr__(self, name):
            return getattr(container, name)

        def get_blob_client(self, name):
            container.delete_blob(name)
            return get(name)

    deleting: Any = Deleting()
    assert Blobs(deleting).read("a.json") is None
