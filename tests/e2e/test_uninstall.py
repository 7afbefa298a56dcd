"""PhotoSync is taken back from a running tenant, with the terminal that an admin uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from tests.admin.console.test_live import Terminal
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import NEVER

EMPTY = dict.fromkeys(
    (
        "PictureURL",
        "SPS-PicturePlaceholderState",
        "SPS-PictureExchangeSyncState",
        "SPS-PictureTimestamp",
    ),
    "",
)
CHOSEN = "https://cdn.contoso.com/chosen.jpg"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    """A cloud of its own, whose host hides the message of a dead run for seconds."""
    schedules = {"SWEEP_SCHEDULE": NEVER, "RENEW_SCHEDULE": NEVER}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_HOST_LOCK_SECONDS", "4")
        with Stack(tmp_path_factory.mktemp("cloud"), settings=schedules) as stack:
            cloud = LiveCloud(stack)
            cloud.subscribe()
            yield cloud


class Town:
    """Some people whose pictures PhotoSync has copied, and the order to take it back."""

    def __init__(self, cloud: LiveCloud) -> None:
        self.cloud = cloud
        self.manage = Terminal(cloud)
        blobs = BlobServiceClient.from_connection_string(cloud.at.storage)
        self._order = blobs.get_blob_client(CONTAINER, NAME)

    def copied(self, number: int) -> tuple[str, str, dict[str, str]]:
        """Somebody whose picture is in SharePoint: object id, UPN and the files by size."""
        user_id, upn = self.cloud.add()
        self.cloud.seed_photo(user_id, picture(number))
        self.cloud.replayed(user_id)
        return user_id, upn, picture_paths(self.cloud.admin.shown(upn).profile["PictureURL"])

    @property
    def order(self) -> dict[str, Any]:
        return self.cloud.watcher.document(NAME)

    @property
    def subscriptions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cloud.admin.control("GET", "/subscriptions")[
            "subscriptions"
        ]
        return found

    def begin(self, *options: str) -> None:
        """Order it, and stop waiting: the app goes on."""
        said = self.manage("uninstall", "--yes", "--timeout", "1", *options)
        assert said.code in (0, 5), said

    def pass_time(self) -> None:
        """Five minutes pass, as far as the order knows: no run that began before it is left."""
        self.cloud.wait_for(lambda: self.order["round"] > 1)
        self.cloud.wait_for(lambda: self.cloud.watcher._length("photo-sync") == 0)
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
        """Whether PhotoSync has asked SharePoint so since."""
        journal = self.cloud.watcher.journal(after)
        return any(path in entry["path"] and entry["service"] == "sharepoint" for entry in journal)

    def is_gone(self, path: str) -> bool:
        """Whether SharePoint has no such file."""
        host = self.cloud.at.sharepoint_my
        return self.cloud.admin._get_file(host, path).status_code == 404


@pytest.fixture
def town(installed: LiveCloud) -> Iterator[Town]:
    """PhotoSync runs, and runs again for the next test."""
    town = Town(installed)
    yield town
    installed.admin.control("DELETE", "/faults")
    town.manage("uninstall", "--cancel")
    installed.wait_for(
        lambda: bool(installed.admin.control("GET", "/subscriptions")["subscriptions"])
    )
    installed.watcher.until(list)


def test_taken_back_with_the_pictures(town: Town):
    """Nothing of PhotoSync is left in the tenant, a chosen picture stays, a repeat says so."""
    people = [town.copied(number) for number in (1, 2)]
    chooser_id, _, own_files = town.copied(3)
    gone_id, _, gone_files = town.copied(4)
    town.cloud.admin.control("PATCH", f"/users/{chooser_id}", {"profile": {"PictureURL": CHOSEN}})
    town.cloud.admin._graph("DELETE", f"/v1.0/users/{gone_id}")
    town.cloud.watcher.until(list)
    before = town.cloud.admin.shown(people[0][1]).profile

    plan = town.manage("uninstall", "--remove-pictures", "--dry-run")
    assert plan.code == 0
    assert "are removed" in plan.out
    assert (town.order.get("status") in (None, "cancelled"), len(town.subscriptions)) == (True, 1)
    assert town.cloud.admin.shown(people[0][1]).profile == before

    town.begin("--remove-pictures")
    town.pass_time()
    end = town.manage("uninstall", "--yes", "--remove-pictures")
    assert (end.code, end.err) == (0, ""), end
    assert "azd down" in end.out
    for _, upn, files in people:
        profile = town.cloud.admin.shown(upn).profile
        assert {name: profile[name] for name in EMPTY} == EMPTY
        assert all(town.is_gone(path) for path in files.values())
    chosen = town.cloud.admin.control("GET", f"/users/{chooser_id}")["profile"]
    assert chosen["PictureURL"] == CHOSEN
    assert all(town.is_gone(path) for path in (*own_files.values(), *gone_files.values()))
    assert town.cloud.watcher.states() == {}
    assert town.subscriptions == []
    assert town.cloud.watcher.document("subscription.json") == {}

    order = town.order
    again = town.manage("uninstall", "--yes", "--remove-pictures")
    assert (again.code, town.order) == (0, order)
    assert "Nothing is left" in again.out


def test_pictures_stay_by_default(town: Town):
    """States and subscription go, the pictures stay, and nobody is copied or swept meanwhile."""
    user_id, upn, _ = town.copied(1)
    town.begin()
    town.cloud.seed_photo(user_id, picture(2))
    town.cloud.notify([town.cloud.item(user_id)])
    for order in ("sweep", "renew"):
        town.cloud.watcher.type_into_queue(order, "photo-upkeep")
    refused = town.manage("replay", upn)
    town.pass_time()
    end = town.manage("uninstall", "--yes")

    assert (refused.code, "--cancel" in refused.err) == (1, True), refused
    assert end.code == 0, end
    assert town.cloud.shows(upn, picture(1))
    assert town.cloud.watcher.states() == {}
    assert town.subscriptions == []


def test_cancelled(town: Town):
    """The order is taken back: what has changed meanwhile, and what was taken back, is copied."""
    user_id, upn, _ = town.copied(1)
    other_id, other, _ = town.copied(2)
    town.begin("--remove-pictures")
    town.cloud.wait_for(lambda: other_id not in town.cloud.watcher.states())
    town.cloud.seed_photo(user_id, picture(3))
    said = town.manage("uninstall", "--cancel")

    assert said.code == 0
    town.cloud.wait_for(lambda: bool(town.cloud.watcher.states().get(other_id, {}).get("syncedAt")))
    town.cloud.watcher.until(list)
    assert town.cloud.shows(upn, picture(3))
    assert town.cloud.shows(other, picture(2))
    assert len(town.subscriptions) == 1


def test_who_cannot_be_served_is_named(town: Town):
    """Code 1, with who and why; once that is mended a repeat ends it."""
    user_id, upn, files = town.copied(1)
    other = town.copied(2)
    path = f"{user_id}_MThumb"
    town.cloud.fault(service="sharepoint", path=path, fault="403", next=1000)
    town.begin("--remove-pictures")
    town.pass_time()
    end = town.manage("uninstall", "--yes", "--remove-pictures")

    assert end.code == 1
    assert upn in end.out
    assert town.cloud.watcher.states().keys() == {user_id}
    assert all(town.is_gone(path) for path in other[2].values())

    town.cloud.admin.control("DELETE", "/faults")
    town.begin("--remove-pictures")
    town.pass_time()
    assert town.manage("uninstall", "--yes", "--remove-pictures").code == 0
    assert all(town.is_gone(path) for path in files.values())


@pytest.mark.local_host("the lock of a message is shortened")
def test_death_in_the_middle(town: Town):
    """The host dies while a picture is taken back, pages come twice: it ends right all the same."""
    people = [town.copied(number) for number in (1, 2, 3)]
    town.cloud.fault(service="sharepoint", path="LThumb", fault="timeout", next=1, seconds=60)
    began = max(entry["n"] for entry in town.cloud.watcher.journal())
    town.begin("--remove-pictures")
    town.cloud.wait_for(lambda: town.has_asked("/recycle", after=began))
    town.cloud.stack.kill_host()
    town.cloud.admin.control("DELETE", "/faults")
    for user_id, state in town.cloud.watcher.states().items():
        if state["claim"]:
            over = {**state["claim"], "seconds": 0.001}
            _write_state(town.cloud, user_id, {**state, "claim": over})
    town.cloud.stack.start_host()
    for page in (1, 2):
        message = {"kind": "uninstall", "uninstallId": town.order["id"], "page": page}
        town.cloud.watcher.type_into_queue(json.dumps(message), "photo-upkeep")
    town.pass_time()
    end = town.manage("uninstall", "--yes", "--remove-pictures")

    assert end.code == 0, end
    for _, upn, files in people:
        profile = town.cloud.admin.shown(upn).profile
        assert {name: profile[name] for name in EMPTY} == EMPTY
        assert all(town.is_gone(path) for path in files.values())
    assert town.cloud.watcher.states() == {}
    assert town.subscriptions == []


def _write_state(cloud: LiveCloud, user_id: str, state: dict[str, Any]) -> None:
    service = BlobServiceClient.from_connection_string(cloud.at.storage)
    blob = service.get_blob_client(CONTAINER, f"users/{user_id}.json")
    blob.upload_blob(json.dumps(state), overwrite=True)
