"""States in real storage: Azurite answers, not a stand-in."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import ContainerClient

from shared.errors import Conflict
from shared.storage.azure import BlobStore
from shared.storage.blobs import Blobs
from shared.storage.user_state import SYNCED, Stored, UserState
from shared.telemetry import calls
from tests.doubles.office import ANNE

FIRST = UserState(ANNE.id, status=SYNCED, detail="first")
SECOND = replace(FIRST, detail="second")


@pytest.fixture
def store(container: ContainerClient) -> BlobStore:
    return BlobStore(container)


def test_user_without_state(store):
    """A user nobody has seen has no state, also before there is a container."""
    assert store.read(ANNE.id) is None


def test_container_is_made_when_absent(store):
    """The first write makes the container."""
    version = store.create(FIRST)

    assert store.read(ANNE.id) == Stored(FIRST, version)


def test_user_without_state_beside_others(store):
    """A user without a state has none, whoever else has."""
    store.create(FIRST)

    assert store.read("nobody") is None


def test_container_made_by_another(container):
    """An instance that loses the race for making the container writes all the same."""

    class Overtaken(Blobs):
        def _upload(self, *args):
            try:
                return super()._upload(*args)
            except ResourceNotFoundError:
                container.create_container()
                raise

    version = Overtaken(container).create("users/anne.json", b"{}")

    found = Blobs(container).read("users/anne.json")
    assert found
    assert (found.content, found.version) == (b"{}", version)


def test_many_first_writes_at_once(container):
    """Many first writes for different users, without a container yet, all arrive."""
    users = [f"user-{number}" for number in range(8)]
    barrier = threading.Barrier(len(users))

    def write(user: str) -> str:
        barrier.wait()
        return BlobStore(container).create(UserState(user))

    with ThreadPoolExecutor(len(users)) as pool:
        list(pool.map(write, users))

    assert all(BlobStore(container).read(user) for user in users)


def test_second_create_is_a_conflict(store):
    """There is one first version only."""
    store.create(FIRST)

    with pytest.raises(Conflict):
        store.create(SECOND)
    assert store.read(ANNE.id).state == FIRST


def test_replace_names_its_version(store):
    """A write replaces the version it names and returns the new one."""
    version = store.replace(SECOND, version=store.create(FIRST))

    assert store.read(ANNE.id) == Stored(SECOND, version)


def test_stale_replace_is_a_conflict(store):
    """A version that another write has replaced cannot be written over."""
    stale = store.create(FIRST)
    store.replace(SECOND, version=stale)

    with pytest.raises(Conflict):
        store.replace(replace(FIRST, detail="third"), version=stale)
    assert store.read(ANNE.id).state == SECOND


def test_same_text_is_a_new_version(store):
    """Writing the same state again makes a new version: nobody else may write over the old one."""
    first = store.create(FIRST)

    assert store.replace(FIRST, version=first) != first


def test_deleted_state_is_a_conflict(store, container):
    """A state that a person deleted is not brought back by a run that knew it."""
    version = store.create(FIRST)
    container.delete_blob(f"users/{ANNE.id}.json")

    with pytest.raises(Conflict):
        store.replace(SECOND, version=version)
    assert store.read(ANNE.id) is None


def test_deleted_container_is_a_conflict(store, container):
    """The same holds when the whole container is gone: it is not made for a replacement."""
    version = store.create(FIRST)
    container.delete_container()

    with pytest.raises(Conflict):
        store.replace(SECOND, version=version)


def test_user_is_forgotten(store):
    """A state is deleted if it is still the version that was read."""
    version = store.create(FIRST)
    store.delete(ANNE.id, version=version)

    assert store.read(ANNE.id) is None


def test_stale_delete_is_a_conflict(store):
    """What another run has written since it was read is not deleted."""
    stale = store.create(FIRST)
    store.replace(SECOND, version=stale)

    with pytest.raises(Conflict):
        store.delete(ANNE.id, version=stale)
    assert store.read(ANNE.id).state == SECOND


def test_second_delete_is_a_conflict(store):
    """Of two runs that would forget the same user one is told that it is too late."""
    version = store.create(FIRST)
    store.delete(ANNE.id, version=version)

    with pytest.raises(Conflict):
        store.delete(ANNE.id, version=version)


def test_of_many_replacements_one_wins(store):
    """Of many runs that replace the same version at once exactly one succeeds."""
    version, barrier = store.create(FIRST), threading.Barrier(6)

    def write(number: int) -> int:
        barrier.wait()
        try:
            store.replace(replace(FIRST, attempt=number), version=version)
        except Conflict:
            return 0
        return number

    with ThreadPoolExecutor(6) as pool:
        won = [number for number in pool.map(write, range(1, 7)) if number]

    assert [store.read(ANNE.id).state.attempt] == won


def test_blob_is_json_for_people(store, container):
    """A portal shows the state as JSON."""
    store.create(FIRST)
    blob = container.download_blob(f"users/{ANNE.id}.json")

    assert blob.properties.content_settings.content_type == "application/json"
    assert json.loads(blob.readall())["detail"] == "first"


@pytest.mark.parametrize(
    ("body", "kept"),
    [("käse".encode(), {"body": "käse"}), (b"\xff\x00", {"bodyBase64": "/wA="})],
    ids=["text", "bytes"],
)
def test_unreadable_message_is_kept(store, container, body, kept):
    """A message that could not be understood is kept whole, with the reason."""
    store.keep_unreadable("a-name", body, "Not a user.")

    text = container.download_blob("unreadable/a-name.json").readall()
    assert json.loads(text) == {"reason": "Not a user.", **kept}


def test_calls_are_counted(store):
    """Every read and write is noted as one call to the blob service."""
    store.create(FIRST)

    with calls.noted() as made:
        store.replace(SECOND, version=store.read(ANNE.id).version)

    assert made == ["blob", "blob"]
