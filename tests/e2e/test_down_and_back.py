"""
`azd down`, and deployed again: storage is empty and the keys are new, while SharePoint has our
pictures and Graph the subscription of the deployment that is gone.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from local.cloud.stack import Stack
from tests.admin.console.test_live import Terminal
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import NEVER
from tests.e2e.test_sweep import sweep

pytestmark = pytest.mark.server
CHOSEN = "https://cdn.contoso.com/chosen.jpg"
SCHEDULES = {"SWEEP_SCHEDULE": NEVER, "RENEW_SCHEDULE": NEVER}
NAMES = ("same", "changed", "gone", "chooser")


class Redeployed:
    """Four people were copied before; of two the photo has changed while nothing was deployed."""

    def __init__(self, cloud: LiveCloud) -> None:
        self.cloud = cloud
        cloud.subscribe()
        self.ids = {name: self._copied(name, number) for number, name in enumerate(NAMES)}
        cloud.admin.control(
            "PATCH", f"/users/{self.ids['chooser']}", {"profile": {"PictureURL": CHOSEN}}
        )
        self.former = self.subscriptions()
        cloud.stack.kill_host()
        self._empty_storage()
        cloud.seed_photo(self.ids["changed"], picture(7))
        cloud.admin.control("PATCH", f"/users/{self.ids['gone']}", {"photo": None})
        new_key = f"{cloud.at.functions}/api/notifications?code={cloud.at.master_key}"
        settings = {"WEBHOOK_URL": new_key, "CLIENT_STATE": secrets.token_urlsafe(32)}
        cloud.stack.change_settings(settings)
        cloud.stack.start_host()
        cloud.subscribe()

    def _copied(self, name: str, number: int) -> str:
        user_id, _ = self.cloud.add(userPrincipalName=f"{name}@contoso.com")
        self.cloud.seed_photo(user_id, picture(number))
        self.cloud.replayed(user_id)
        return user_id

    def _empty_storage(self) -> None:
        storage = ContainerClient.from_connection_string(self.cloud.at.storage, "photo-sync-state")
        for name in [*storage.list_blob_names()]:
            storage.delete_blob(name)

    def subscriptions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cloud.admin.control("GET", "/subscriptions")[
            "subscriptions"
        ]
        return found

    def picture_url(self, name: str) -> str:
        known = self.cloud.admin.control("GET", f"/users/{self.ids[name]}")
        return str(known["profile"].get("PictureURL", ""))


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redeployed]:
    with Stack(tmp_path_factory.mktemp("back"), settings=SCHEDULES) as stack:
        yield Redeployed(LiveCloud(stack))


def test_the_former_subscription_is_replaced(back: Redeployed):
    """One works, with the new key, and the former one raises no notification any more."""
    [former], [subscription] = back.former, back.subscriptions()

    assert subscription["id"] != former["id"]
    assert subscription["notificationUrl"].endswith(back.cloud.at.master_key)


def test_pictures_of_ours_are_known_as_ours(back: Redeployed):
    """The first sweep copies over them, and takes one back whose photo is gone later."""
    cloud, user_id = back.cloud, back.ids["same"]
    assert cloud.shows("same@contoso.com", picture(0))
    assert cloud.shows("changed@contoso.com", picture(7))

    cloud.admin.delete_photo(user_id)
    cloud.wait_for(lambda: bool(cloud.watcher.states()[user_id]["missingSince"]))
    cloud.watcher.until(list)
    cloud.watcher.skip_time(user_id, missingSince=datetime.now(UTC) - timedelta(minutes=11))
    sweep(cloud)
    assert back.picture_url("same") == ""


def test_others_pictures_stay(back: Redeployed):
    """What a person chose is no less theirs for PhotoSync having forgotten everybody."""
    assert back.picture_url("chooser") == CHOSEN


def test_whose_photo_went_meanwhile_keeps_the_picture(back: Redeployed):
    """Nobody remembers that it was ours, so it is left, and `check` says that the sides differ."""
    said = Terminal(back.cloud)("check", "gone@contoso.com")

    assert back.picture_url("gone") != ""
    assert (said.code, said.err) == (1, "")
    assert "no photo in Exchange" in said.out
