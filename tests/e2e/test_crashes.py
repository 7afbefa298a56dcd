"""Throttling and sudden death on the way: the message comes back and the picture ends up right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture


@pytest.fixture
def fragile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveCloud]:
    """A cloud of its own, whose host hides a message for seconds instead of ten minutes."""
    monkeypatch.setenv("LOCAL_HOST_LOCK_SECONDS", "4")
    with Stack(tmp_path) as stack:
        cloud = LiveCloud(stack)
        cloud.subscribe()
        yield cloud


def test_throttled_for_longer_than_a_thread_waits(cloud: LiveCloud):
    """A long Retry-After becomes a delayed message, and the picture arrives after it."""
    cloud.fault(service="sharepoint", path="AddUsingPath", fault="429", next=1, retryAfter=11)
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    state = cloud.replayed(user_id)
    events = [run["event"] for run in cloud.outcomes(user_id)]

    assert events == ["waiting", "synced"]
    assert state["status"] == "synced"
    assert cloud.shows(upn, picture(1))


@pytest.mark.parametrize("kind", ["reset", "half", "lost-answer", "500", "503-bare"])
def test_upload_that_breaks(cloud: LiveCloud, kind: str):
    """However an upload breaks, a later run makes all three files right."""
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    cloud.seed_photo(user_id, picture(2))
    cloud.fault(service="sharepoint", path="LThumb", fault=kind, next=1)
    cloud.replayed(user_id)

    assert cloud.shows(upn, picture(2))


@pytest.mark.local_host("the lock of a message is shortened")
def test_host_killed_mid_copy(fragile: LiveCloud):
    """A host that dies between two files loses nothing: the message returns and is finished."""
    user_id, upn = fragile.add()
    fragile.seed_photo(user_id, picture(1))
    fragile.replayed(user_id)
    fragile.seed_photo(user_id, picture(2))
    # The small picture is written, the large one hangs: that is when the host is killed.
    fragile.fault(service="sharepoint", path="LThumb", fault="timeout", next=1, seconds=60)
    before = len(fragile.journal_of(user_id))
    fragile.watcher.type_into_queue(user_id)
    fragile.wait_for(
        lambda: any(
            "SThumb" in entry["path"] and entry["status"] == 200
            for entry in fragile.journal_of(user_id)[before:]
        )
    )
    fragile.stack.kill_host()
    fragile.admin.control("DELETE", "/faults")
    let_the_claim_run_out(fragile, user_id)
    fragile.stack.start_host()
    fragile.watcher.until(
        lambda: [] if fragile.watcher.states()[user_id]["status"] == "synced" else ["again"]
    )

    assert fragile.shows(upn, picture(2))


def let_the_claim_run_out(cloud: LiveCloud, user_id: str) -> None:
    """Enough time passes, as far as the dead run's claim knows."""
    service = BlobServiceClient.from_connection_string(cloud.at.storage)
    blob = service.get_blob_client("photo-sync-state", f"users/{user_id}.json")
    state = json.loads(blob.download_blob().readall())
    assert state["claim"], "the run died without a claim"
    state["claim"]["seconds"] = 0
    blob.upload_blob(json.dumps(state), overwrite=True)
