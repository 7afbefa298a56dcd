"""
A new version is deployed while an older one is working: it takes over the older one's storage.

Azure ends running executions when code is deployed (functions.md section Deployment); so do these
tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.cloud.stack import Stack
from tests.e2e.cloud import SHORT_LOCK, USUAL_LOCK, LiveCloud, picture
from tests.e2e.terminal import with_key
from tests.e2e.test_uninstall import EMPTY, World
from tests.retained import left
from tests.retained.record import SETTINGS

pytestmark = [pytest.mark.server, pytest.mark.local_host("the lock of a message is shortened")]
BEGUN = 6
SHOW_THE_PHOTO = ("synced", "changed", "waiting", "dying", "failed")


class Upgraded:
    """A cloud in which an older version was killed, and this version runs since."""

    def __init__(self, cloud: LiveCloud, version: str) -> None:
        self.cloud = cloud
        people = left.people(version)
        self.ids = {each["userPrincipalName"].partition("@")[0]: each["id"] for each in people}
        end_the_instance(cloud.stack)
        for person in people:
            profile = {
                name: left.to_hosts(text, cloud.at) for name, text in person["profile"].items()
            }
            cloud.add(**{**person, "profile": profile})
        left.put_into(cloud.at, version)
        assert self.ids["dying"] in cloud.expire_claims()
        cloud.stack.start_host()
        cloud.watcher.until(self._sweeping)
        self.next_sweep = cloud.sweep()

    def _sweeping(self) -> list[str]:
        return [] if self.cloud.watcher.sweep().get("finishedAt") else ["the sweep"]

    def shows_its_photo(self, name: str) -> bool:
        """Whether SharePoint shows the photo that Exchange has."""
        photo = self.cloud.admin.photo(self.ids[name])
        assert photo
        return self.cloud.shows(f"{name}@contoso.com", photo)

    def picture_url(self, name: str) -> str:
        return self.cloud.profile(self.ids[name]).get("PictureURL", "")

    def status(self, name: str) -> str:
        return self.cloud.status(self.ids[name])


@pytest.fixture(scope="module", params=left.VERSIONS)
def upgraded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Upgraded]:
    with Stack(tmp_path_factory.mktemp("upgraded"), settings=SETTINGS) as stack:
        yield Upgraded(LiveCloud(stack), request.param)


def test_no_unfinished_work_is_lost(upgraded: Upgraded):
    """Notified, waiting, half copied and replayed users have the right picture."""
    cloud = upgraded.cloud

    assert [name for name in SHOW_THE_PHOTO if not upgraded.shows_its_photo(name)] == []
    assert {name: upgraded.status(name) for name in SHOW_THE_PHOTO} == dict.fromkeys(
        SHOW_THE_PHOTO, "synced"
    )
    assert len(cloud.watcher.unreadable()) == 1, "only the older version's"
    assert len(cloud.subscriptions()) == 1


def test_our_pictures_are_still_removed(upgraded: Upgraded):
    """A photo missing in the older version's first check is removed; chosen pictures stay."""
    assert (upgraded.status("missing"), upgraded.picture_url("missing")) == ("removed", "")
    assert upgraded.status("removed") == "removed"
    assert upgraded.picture_url("chosen") == "https://cdn.contoso.com/chosen.jpg"
    assert [upgraded.picture_url(name) for name in ("excluded", "guest", "without")] == [""] * 3


def test_it_sweeps_and_replays(upgraded: Upgraded):
    """The next sweep finds nothing to do, and a changed photo is copied."""
    cloud = upgraded.cloud
    assert (upgraded.next_sweep["changed"], upgraded.next_sweep["failed"]) == ({}, 0)

    cloud.seed_photo(upgraded.ids["synced"], picture(9))
    with_key(cloud)("replay", "synced@contoso.com", "--wait")
    assert cloud.shows("synced@contoso.com", picture(9))


def test_it_can_be_uninstalled(upgraded: Upgraded):
    """An uninstall also removes what the older version wrote into SharePoint."""
    world = World(upgraded.cloud)
    world.begin("--remove-pictures")
    world.pass_time()
    end = world.manage("uninstall", "--yes", "--remove-pictures")

    assert (end.code, end.err) == (0, ""), end
    for name in SHOW_THE_PHOTO:
        profile = upgraded.cloud.admin.shown(f"{name}@contoso.com").profile
        assert {each: profile[each] for each in EMPTY} == EMPTY
    assert upgraded.picture_url("chosen") == "https://cdn.contoso.com/chosen.jpg"
    world.assert_gone()


def test_deployment_during_copies(tmp_path: Path):
    """Copies that a deployment interrupts or precedes are all completed afterwards."""
    with Stack(tmp_path, settings=SETTINGS | SHORT_LOCK) as stack:
        cloud = LiveCloud(stack)
        people = [cloud.add_unnotified(number) for number in range(BEGUN + 2)]
        begun, others = people[:BEGUN], people[BEGUN:]
        cloud.fault(service="sharepoint", path="LThumb", fault="timeout", next=1_000, seconds=600)
        cloud.notify([cloud.item(id_) for id_, _ in begun]).raise_for_status()
        cloud.wait_for(lambda: has_small_picture(cloud) == {id_ for id_, _ in begun})
        end_the_instance(stack)
        assert [id_ for id_, _ in begun if cloud.status(id_) == "synced"] == []
        cloud.admin.control("DELETE", "/faults")
        cloud.expire_claims()
        for id_, _ in others:
            cloud.watcher.type_into_queue(id_)
        stack.change_settings(USUAL_LOCK)
        stack.start_host()
        cloud.watcher.until(lambda: [id_ for id_, _ in people if cloud.status(id_) != "synced"])

        assert [
            upn for at, (_, upn) in enumerate(people) if not cloud.shows(upn, picture(at))
        ] == []
        assert cloud.watcher.unreadable() == []


def has_small_picture(cloud: LiveCloud) -> set[str]:
    """The users whose first file has been written."""
    return {
        entry["userId"]
        for entry in cloud.watcher.journal()
        if "SThumb" in entry["path"] and entry["status"] == 200
    }


def end_the_instance(stack: Stack) -> None:
    """Kill host and worker together, as when Azure removes their container."""
    workers = psutil.Process(stack._children["host"].process.pid).children()
    stack.kill_host()
    for worker in workers:
        worker.kill()
