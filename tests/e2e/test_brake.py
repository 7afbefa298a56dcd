"""The brake: an outage of the source must never remove a whole tenant's pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.sweeping.sweep_rules import BRAKE_USERS
from tests.e2e.cloud import LiveCloud
from tests.e2e.test_sweep import sweep


def test_many_photos_missing_at_once(cloud: LiveCloud):
    """If too many photos are missing, no picture is removed; a release removes them all."""
    people = [cloud.add_unnotified(1) for _ in range(BRAKE_USERS + 1)]
    sweep(cloud)
    for user_id, _ in people:
        cloud.change(user_id, photo=None)
    sweep(cloud)
    for user_id, _ in people:
        long_ago = datetime.now(UTC) - timedelta(minutes=11)
        cloud.watcher.skip_time(user_id, missingSince=long_ago)
    braked = sweep(cloud)
    kept = [upn for _, upn in people if cloud.admin.shown(upn).files]
    released = cloud.console.order("sweep", releaseRemovals=True)
    cloud.watcher.until(list)
    left = [upn for _, upn in people if cloud.admin.shown(upn).files]

    assert braked["removals"] == "braked"
    assert "None is removed until a person releases the removals" in str(braked["detail"])
    assert len(kept) == len(people)
    assert released == {"released": len(people)}
    assert left == []
