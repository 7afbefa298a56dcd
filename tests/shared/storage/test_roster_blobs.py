"""The listing of users in real storage, which is Azurite."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from azure.storage.blob import ContainerClient

from shared.console.roster import Roster
from shared.storage.azure import BlobStore
from shared.storage.user_state import FAILED, SYNCED, UserState
from shared.telemetry import calls
from tests.doubles.office import ANNE, NOON

ODD = [
    "O'Neil",
    "C# & Co. %41",
    "Zoë 😀 Łukasz",
    "x" * 200,
    "😀" * 250,
    "字" * 250,
    " two\tblanks ",
    "a=b;c,d",
    "a\r\nb: c",
]


def object_id(number: int) -> str:
    return f"{number:08}-0000-4000-8000-000000000000"


def test_no_container(store: BlobStore):
    """Before the first write no user is listed, and no message was set aside."""
    assert Roster(store).page().entries == []
    assert store.unreadable(10) == (0, [])


def test_odd_characters(store: BlobStore):
    """Names, reasons and sentences come back from the metadata unchanged, but for their length."""
    for number, text in enumerate(ODD):
        store.create(
            UserState(
                object_id(number),
                user_principal_name=f"o'neil#{number}@contoso.com",
                display_name=text,
                status=FAILED,
                reason=text,
                detail=text,
                checked_at=NOON,
            )
        )
    store.create(UserState(object_id(99), status=FAILED, reason="😀" * 1000, detail="😀" * 1000))
    *listed, last = sorted(Roster(store).page().entries, key=lambda one: one.user_id)

    assert [one.display_name for one in listed] == ODD
    assert [one.detail for one in listed] == ODD
    assert [one.reason for one in listed] == [text[:100] for text in ODD]
    assert last.reason == "😀" * 100
    assert listed[1].user_principal_name == "o'neil#1@contoso.com"
    assert listed[1].user_id == object_id(1)


def test_metadata_follows_the_state(store: BlobStore):
    """Every write replaces all metadata."""
    version = store.create(
        UserState(ANNE.id, user_principal_name="anne@contoso.com", status=FAILED, detail="Broken.")
    )
    store.replace(
        UserState(ANNE.id, user_principal_name="anne@contoso.com", status=SYNCED), version=version
    )
    [one] = Roster(store).page().entries

    assert (one.status, one.detail) == (SYNCED, "")


def test_pages(store: BlobStore):
    """Storage's tokens lead through all users, one call per page."""
    for number in range(5):
        store.create(UserState(object_id(number)))
    token, seen = "", []
    with calls.noted() as made:
        while True:
            entries, token = store.leaf(token, 2)
            seen += [one.user_id for one in entries]
            if not token:
                break

    assert seen == [object_id(number) for number in range(5)]
    assert made == ["blob"] * 3


def test_blob_of_no_user(store: BlobStore, container: ContainerClient):
    """A blob that somebody put beside the states, such as a copy of one, is no user."""
    store.create(UserState(ANNE.id, status=SYNCED))
    failed = {"status": FAILED}
    for name in (f"{ANNE.id} - Copy", f"old/{ANNE.id}", "anne@contoso.com", ""):
        container.upload_blob(f"users/{name}.json", b"{}", metadata=failed)

    assert [one.user_id for one in Roster(store).page().entries] == [ANNE.id]
    assert Roster(store).census(9).counts == {SYNCED: 1}


def test_unreadable_messages(store: BlobStore, container: ContainerClient):
    """The newest messages set aside are shown, even if they are not text or not JSON."""
    store.keep_unreadable("2026-01-01-old", b"old", "Not a user.")
    store.keep_unreadable("2026-01-02-text", b"anne@", "Not a user.")
    store.keep_unreadable("2026-01-03-bytes", b"\xff", "Not text.")
    container.upload_blob("unreadable/2026-01-04-damaged.json", b"{")
    container.upload_blob("unreadable/2026-01-05-empty.json", json.dumps({"reason": None}))
    total, shown = store.unreadable(4)

    assert total == 5
    assert store.unreadable(4, datetime.now(UTC) + timedelta(minutes=1)) == (0, [])
    assert all(one["at"].startswith(str(datetime.now(UTC).year)) for one in shown)
    assert [one["name"][:10] for one in shown] == [f"2026-01-0{n}" for n in (5, 4, 3, 2)]
    assert [one["body"] for one in shown] == ["", "", "(not text, in base64) /w==", "anne@"]
    assert [one["reason"] for one in shown] == [
        *("", "PhotoSync did not write this blob.", "Not text.", "Not a user.")
    ]
