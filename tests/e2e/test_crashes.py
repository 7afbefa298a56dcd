"""After broken uploads and a killed host, the picture ends up right."""

from __future__ import annotations

import pytest

from tests.e2e.cloud import USUAL_LOCK, LiveCloud, picture


@pytest.mark.parametrize("kind", ["reset", "half", "lost-answer", "500", "503-bare"])
def test_upload_that_breaks(cloud: LiveCloud, kind: str):
    """However an upload breaks, a later run writes all three files."""
    user_id, upn = cloud.copied(1)
    cloud.seed_photo(user_id, picture(2))
    cloud.fault(service="sharepoint", path="LThumb", fault=kind, next=1)
    cloud.replayed(user_id)

    assert cloud.shows(upn, picture(2))


@pytest.mark.local_host("the lock of a message is shortened")
def test_host_killed_mid_copy(fragile: LiveCloud):
    """If the host dies between two files, the message is redelivered and the copy completed."""
    user_id, upn = fragile.copied(1)
    fragile.seed_photo(user_id, picture(2))
    # The host is killed after the small picture is written, while the large one hangs.
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
    assert fragile.expire_claims() == [user_id]
    fragile.stack.change_settings(USUAL_LOCK)
    fragile.stack.start_host()
    fragile.watcher.until(lambda: [] if fragile.status(user_id) == "synced" else ["again"])

    assert fragile.shows(upn, picture(2))
