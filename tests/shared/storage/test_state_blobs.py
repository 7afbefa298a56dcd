"""States in real storage: Azurite answers, not a stand-in."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from azure.core.exceptions import ResourceNotFoundError

from shared.errors import Conflict
from shared.storage.blobs import Blobs
from shared.storage.user_state import SYNCED, Stored, UserState
from shared.telemetry import calls
from tests.doubles.office import ANNE

FIRST = UserState(ANNE.id, status=SYNCED, detail="first")
SECOND = replace(FIRST, detail="second")


def test_first_write(store):
    """The first write creates the container and the state; other users still have none."""
    assert store.read(ANNE.id) is None
    version = store.create(FIRST)

    assert store.read(ANNE.id) == Stored(FIRST, version)
    assert store.read("nobody") is None
    with pytest.raises(Conflict):
        store.create(SECOND)
    assert store.read(ANNE.id).state == FIRST


def test_container_created_by_another(container):
    """An instance that loses the race to create the container still writes."""

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


def test_replacement(store):
    """A write replaces the version it names, even with the same text, and returns the new one."""
    first = store.create(FIRST)
    with calls.noted() as made:
        second = store.replace(SECOND, version=store.read(ANNE.id).version)

    assert made == ["blob", "blob"]
    assert store.read(ANNE.id) == Stored(SECOND, second)
    assert len({first, second, store.replace(SECOND, version=second)}) == 3


@pytest.mark.parametrize("since", ["replaced", "deleted", "container deleted"])
def test_stale_version_is_a_conflict(store, container, since):
    """A version that was replaced or deleted since it was read is neither replaced nor restored."""
    stale = store.create(FIRST)
    if since == "replaced":
        store.replace(SECOND, version=stale)
    elif since == "deleted":
        container.delete_blob(f"users/{ANNE.id}.json")
    else:
        container.delete_container()

    with pytest.raises(Conflict):
        store.replace(replace(FIRST, detail="third"), version=stale)
    if since == "replaced":
        with pytest.raises(Conflict):
            store.delete(ANNE.id, version=stale)
    found = store.read(ANNE.id)
    assert (found and found.state) == (SECOND if since == "replaced" else None)


def test_deletion(store):
    """A second try, whose first answer was lost, finds nothing wrong; a new state stays."""
    version = store.create(FIRST)
    store.delete(ANNE.id, version=version)
    store.delete(ANNE.id, version=version)
    assert store.read(ANNE.id) is None

    store.create(SECOND)
    with pytest.raises(Conflict):
        store.delete(ANNE.id, version=version)
    assert store.read(ANNE.id).state == SECOND


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
    """A message that cannot be parsed is stored whole, with the reason."""
    store.keep_unreadable("a-name", body, "Not a user.")

    text = container.download_blob("unreadable/a-name.json").readall()
    assert json.loads(text) == {"reason": "Not a user.", **kept}
