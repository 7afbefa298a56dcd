"""An outage of the source must never blank a tenant: the brake, and the person who releases it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.sweeping.sweep_rules import BRAKE_USERS
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.test_sweep import sweep


def test_many_photos_gone_at_once_are_not_believed(cloud: LiveCloud):
    """Nobody's picture is removed while too many are gone; a release removes them all."""
    people = [cloud.add() for _ in range(BRAKE_USERS + 1)]
    for user_id, _ in people:
        cloud.seed_photo(user_id, picture(1))
    sweep(cloud)
    for user_id, _ in people:
        cloud.admin.control("PATCH", f"/users/{user_id}", {"photo": None})
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
