"""PhotoSync is uninstalled from a running tenant, with the admin's terminal commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError
from azure.storage.blob import BlobServiceClient

from local.cloud.stack import Stack
from local.outside.tenant_client import picture_paths
from shared.storage.azure import CONTAINER
from shared.uninstalling.uninstall import RESTS
from shared.uninstalling.uninstall_log import NAME
from tests.e2e.cloud import SHORT_LOCK, USUAL_LOCK, LiveCloud, picture, quiet_cloud
from tests.e2e.terminal import with_key

OURS = "PictureURL SPS-PicturePlaceholderState SPS-PictureExchangeSyncState SPS-PictureTimestamp"
EMPTY = dict.fromkeys(OURS.split(), "")
CHOSEN = "https://cdn.contoso.com/chosen.jpg"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    with quiet_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.subscribe()
        yield cloud


class World:
    """Users whose pictures PhotoSync has copied, and the order to uninstall it."""

    def __init__(self, cloud: LiveCloud) -> None:
        self.cloud = cloud
        self.manage = with_key(cloud)
        blobs = BlobServiceClient.from_connection_string(cloud.at.storage)
        self._order = blobs.get_blob_client(CONTAINER, NAME)

    def copied(self, number: int) -> tuple[str, str, dict[str, str]]:
        """Add a user whose picture is in SharePoint: object id, UPN and the files by size."""
        user_id, upn = self.cloud.copied(number)
        return user_id, upn, picture_paths(self.cloud.admin.shown(upn).profile["PictureURL"])

    @property
    def order(self) -> dict[str, Any]:
        return self.cloud.watcher.document(NAME)

    def begin(self, *options: str) -> None:
        """Order the uninstall, and stop waiting after one second; the app continues."""
        begun = self.manage("uninstall", "--yes", "--timeout", "1", *options)
        assert begun.code in (0, 5), begun

    def pass_time(self) -> None:
        """Change the order as if the five minutes had passed in which older runs may still end."""
        self.cloud.wait_for(lambda: self.order["round"] > 1)
        self.cloud.wait_for(lambda: self.cloud.watcher.length("photo-sync") == 0)
        while True:
            found = self._order.download_blob()
            fields = json.loads(found.readall())
            hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
            fields |= {"startedAt": hour_ago, "rests": RESTS}
            try:
                self._order.upload_blob(
                    json.dumps(fields),
                    overwrite=True,
                    etag=found.properties.etag,
                    match_condition=MatchConditions.IfNotModified,
                )
                return
            except ResourceModifiedError:
                continue

    def has_asked(self, path: str, *, after: int) -> bool:
        """Whether PhotoSync has called SharePoint with *path* since *after*."""
        journal = self.cloud.watcher.journal(after)
        return any(path in entry["path"] and entry["service"] == "sharepoint" for entry in journal)

    def is_gone(self, path: str) -> bool:
        """Whether SharePoint has no such file."""
        host = self.cloud.at.sharepoint_my
        return self.cloud.admin._get_file(host, path).status_code == 404

    def assert_gone(self, people: Sequence[tuple[str, str, dict[str, str]]] = ()) -> None:
        """Nothing is left: no pictures of *people*, no state, no subscription."""
        for _, upn, files in people:
            profile = self.cloud.admin.shown(upn).profile
            assert {name: profile[name] for name in EMPTY} == EMPTY
            assert all(self.is_gone(path) for path in files.values())
        assert self.cloud.watcher.states() == {}
        assert self.cloud.subscriptions() == []


@pytest.fixture
def world(installed: LiveCloud) -> World:
    """PhotoSync is running, also after a test that uninstalled it."""
    world = World(installed)
    world.manage("uninstall", "--cancel")
    installed.wait_for(lambda: bool(installed.subscriptions()))
    installed.watcher.until(list)
    return world


def test_removed_with_the_pictures(world: World):
    """The tenant keeps nothing of PhotoSync; a chosen picture stays; a repeat changes nothing."""
    people = [world.copied(number) for number in (1, 2)]
    chooser_id, _, own_files = world.copied(3)
    gone_id, _, gone_files = world.copied(4)
    world.cloud.change(chooser_id, profile={"PictureURL": CHOSEN})
    world.cloud.admin.delete_user(gone_id)
    world.cloud.watcher.until(list)
    before = world.cloud.admin.shown(people[0][1]).profile

    plan = world.manage("uninstall", "--remove-pictures", "--dry-run")
    assert plan.code == 0
    assert "are removed" in plan.out
    assert world.order.get("status") in (None, "cancelled")
    assert len(world.cloud.subscriptions()) == 1
    assert world.cloud.admin.shown(people[0][1]).profile == before

    world.begin("--remove-pictures")
    world.pass_time()
    end = world.manage("uninstall", "--yes", "--remove-pictures")
    assert (end.code, end.err) == (0, ""), end
    assert "azd down" in end.out
    world.assert_gone(people)
    assert world.cloud.profile(chooser_id)["PictureURL"] == CHOSEN
    assert all(world.is_gone(path) for path in (*own_files.values(), *gone_files.values()))
    assert world.cloud.watcher.document("subscription.json") == {}

    order = world.order
    again = world.manage("uninstall", "--yes", "--remove-pictures")
    assert (again.code, world.order) == (0, order)
    assert "Nothing is left" in again.out


def test_pictures_stay_by_default(world: World):
    """States and subscription are deleted, pictures stay, and meanwhile nothing is copied."""
    user_id, upn, _ = world.copied(1)
    world.begin()
    world.cloud.seed_photo(user_id, picture(2))
    world.cloud.notify([world.cloud.item(user_id)])
    for order in ("sweep", "renew"):
        world.cloud.watcher.type_into_queue(order, "photo-upkeep")
    refused = world.manage("replay", upn)
    world.pass_time()
    end = world.manage("uninstall", "--yes")

    assert (refused.code, "--cancel" in refused.err) == (1, True), refused
    assert end.code == 0, end
    assert world.cloud.shows(upn, picture(1))
    world.assert_gone()


def test_cancelled(world: World):
    """After a cancellation, changed photos and removed pictures are copied again."""
    user_id, upn, _ = world.copied(1)
    other_id, other, _ = world.copied(2)
    world.begin("--remove-pictures")
    world.cloud.wait_for(lambda: other_id not in world.cloud.watcher.states())
    world.cloud.seed_photo(user_id, picture(3))
    assert world.manage("uninstall", "--cancel").code == 0

    world.cloud.wait_for(
        lambda: bool(world.cloud.watcher.states().get(other_id, {}).get("syncedAt"))
    )
    world.cloud.watcher.until(list)
    assert world.cloud.shows(upn, picture(3))
    assert world.cloud.shows(other, picture(2))
    assert len(world.cloud.subscriptions()) == 1


@pytest.mark.local_host("the lock of a message is shortened")
def test_crash_during_removal(world: World):
    """If the host dies during a removal, and pages come twice, everything is still removed."""
    people = [world.copied(number) for number in (1, 2, 3)]
    restart(world.cloud.stack, SHORT_LOCK)
    world.cloud.fault(service="sharepoint", path="LThumb", fault="timeout", next=1, seconds=60)
    began = world.cloud.last_entry()
    world.begin("--remove-pictures")
    world.cloud.wait_for(lambda: world.has_asked("/recycle", after=began))
    world.cloud.stack.kill_host()
    world.cloud.admin.control("DELETE", "/faults")
    world.cloud.expire_claims()
    world.cloud.stack.change_settings(USUAL_LOCK)
    world.cloud.stack.start_host()
    for page in (1, 2):
        message = {"kind": "uninstall", "uninstallId": world.order["id"], "page": page}
        world.cloud.watcher.type_into_queue(json.dumps(message), "photo-upkeep")
    world.pass_time()
    end = world.manage("uninstall", "--yes", "--remove-pictures")

    assert end.code == 0, end
    world.assert_gone(people)


def restart(stack: Stack, changes: Mapping[str, str]) -> None:
    """Restart the host, which has nothing to do, with *changes* of the app settings."""
    stack.kill_host()
    stack.change_settings(changes)
    stack.start_host()
