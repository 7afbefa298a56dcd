"""
A deployment after `azd down`: storage is empty and the keys are new, but SharePoint still has our
pictures, and Graph the former deployment's subscription.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import ContainerClient

from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import QUIET
from tests.e2e.terminal import with_key
from tests.e2e.test_sweep import sweep

pytestmark = pytest.mark.server
CHOSEN = "https://cdn.contoso.com/chosen.jpg"
NAMES = ("same", "changed", "gone", "chooser")


class Redeployed:
    """Four users were copied before; two photos changed while nothing was deployed."""

    def __init__(self, cloud: LiveCloud) -> None:
        self.cloud = cloud
        cloud.subscribe()
        self.ids = {name: self._copied(name, number) for number, name in enumerate(NAMES)}
        cloud.change(self.ids["chooser"], profile={"PictureURL": CHOSEN})
        self.former = cloud.subscriptions()
        cloud.stack.kill_host()
        self._empty_storage()
        cloud.seed_photo(self.ids["changed"], picture(7))
        cloud.change(self.ids["gone"], photo=None)
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

    def picture_url(self, name: str) -> str:
        return self.cloud.profile(self.ids[name]).get("PictureURL", "")


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redeployed]:
    with Stack(tmp_path_factory.mktemp("back"), settings=QUIET) as stack:
        yield Redeployed(LiveCloud(stack))


def test_the_former_subscription_is_replaced(back: Redeployed):
    """There is one subscription, with the new key, and it is a new one."""
    [former], [subscription] = back.former, back.cloud.subscriptions()

    assert subscription["id"] != former["id"]
    assert subscription["notificationUrl"].endswith(back.cloud.at.master_key)


def test_our_pictures_are_recognised(back: Redeployed):
    """The first sweep overwrites them; if a photo is deleted later, its picture is removed."""
    cloud, user_id = back.cloud, back.ids["same"]
    assert cloud.shows("same@contoso.com", picture(0))
    assert cloud.shows("changed@contoso.com", picture(7))

    cloud.admin.delete_photo(user_id)
    cloud.wait_for(lambda: bool(cloud.watcher.states()[user_id]["missingSince"]))
    cloud.watcher.until(list)
    cloud.watcher.skip_time(user_id, missingSince=datetime.now(UTC) - timedelta(minutes=11))
    sweep(cloud)
    assert back.picture_url("same") == ""


def test_chosen_picture_stays(back: Redeployed):
    """A picture that the user chose stays, although PhotoSync has lost all states."""
    assert back.picture_url("chooser") == CHOSEN


def test_photo_deleted_between_deployments(back: Redeployed):
    """No state says that the picture is ours, so it stays, and `check` reports the difference."""
    said = with_key(back.cloud)("check", "gone@contoso.com")

    assert back.picture_url("gone") != ""
    assert (said.code, said.err) == (1, "")
    assert "no photo in Exchange" in said.out
