"""What a listing says about states: as much as decides about a check."""

from __future__ import annotations

from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from shared.storage import cover, roster_entry, user_state
from shared.storage.azure import BlobStore
from shared.storage.roster_entry import Entry
from shared.storage.user_state import (
    FAILED,
    NO_PHOTO,
    SYNCED,
    WAITING,
    Claim,
    UserState,
)
from tests.doubles.office import ANNE, NOON

SHOWN = UserState(
    ANNE.id,
    status=SYNCED,
    source_etag='W/"1"',
    picture_url="https://contoso-my.sharepoint.com/anne.jpg",
    sizes="48,72,300",
    recipe=1,
    checked_at=NOON,
)


def listed(state: UserState, **edited: str) -> Entry:
    content = user_state.to_json(state)
    metadata = roster_entry.describe(state) | cover.describe(state, content) | edited
    return roster_entry.entry(state.user_id, metadata, cover.digest(content))


def test_equal_etags_have_equal_marks():
    """Marks are compared in place of etags; an empty etag has an empty mark."""
    assert cover.mark('W/"1"') == cover.mark('W/"1"') != cover.mark('W/"2"')
    assert cover.mark("") == ""
    assert cover.mark("\ud800") != cover.mark("\ud801")


def test_outline():
    """It has the status, reason, etag, recipe and times that decide about a check."""
    missing = UserState(
        ANNE.id, status=NO_PHOTO, picture_url="x", missing_since=NOON, checked_at=NOON
    )
    failed = UserState(ANNE.id, status=FAILED, reason="refused", checked_at=NOON)
    outlines: list[Any] = [listed(each).outline for each in (SHOWN, missing, failed)]
    shown, gone, bad = outlines

    assert shown.covers(cover.mark('W/"1"'), sizes="48,72,300", recipe=1)
    assert (shown.checked_at, bool(shown.picture_url)) == (NOON, True)
    assert (gone.status, gone.missing_since, gone.source_etag) == (NO_PHOTO, NOON, "")
    assert (bad.status, bad.reason, bad.checked_at) == (FAILED, "refused", NOON)


@pytest.mark.parametrize(
    "state",
    [
        UserState(ANNE.id, status=WAITING),
        UserState(ANNE.id, status=SYNCED, claim=Claim("run", 60.0, 60.0)),
        UserState(ANNE.id, status=SYNCED, sizes="größer"),
        UserState(ANNE.id, status=SYNCED, sizes="4" * 1000),
    ],
    ids=["waiting", "claimed", "no metadata could say it", "too long"],
)
def test_no_outline(state: UserState):
    """The state must be read for a claimed or waiting user, or sizes that metadata cannot hold."""
    assert listed(state).outline is None
    assert listed(state).outlined


@pytest.mark.parametrize(
    "damage",
    [{"made": "48/x"}, {"made": "48/-1"}, {"checked": "soon"}, {"missing": "never"}],
    ids=str,
)
def test_damaged_metadata(damage: dict[str, Any]):
    """If somebody edited the metadata, the state is read."""
    assert listed(SHOWN, **damage).outline is None


def test_blob_of_an_older_version():
    """It is listed without an outline."""
    old = roster_entry.entry(ANNE.id, roster_entry.describe(SHOWN), "a" * 32)

    assert (old.outline, old.outlined, old.status) == (None, None, SYNCED)


def test_digest_of_real_storage(container: ContainerClient):
    """Storage lists each blob's digest, which shows that somebody else has written it."""
    store = BlobStore(container)
    store.create(SHOWN)
    [before] = store.leaf("", 10).entries
    name = f"users/{ANNE.id}.json"
    blob = container.get_blob_client(name)
    kept = blob.get_blob_properties().metadata
    blob.upload_blob(b'{"status": "failed"}', overwrite=True, metadata=kept)
    [after] = store.leaf("", 10).entries

    assert before.outline == listed(SHOWN).outline
    assert before.outline is not None
    assert (after.outline, after.outlined) == (None, None)
