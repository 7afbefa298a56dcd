"""The page in front of the running local cloud: a broken picture is found, understood, repaired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture
from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import HOSTILE


@pytest.fixture(scope="module")
def cloud(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    with Stack(tmp_path_factory.mktemp("cloud")) as stack:
        running = LiveCloud(stack)
        running.subscribe()
        yield running
        assert running.told_of_failures() == []


@pytest.fixture(scope="module")
def browser(chromium: str, cloud: LiveCloud) -> Iterator[Browser]:
    certificate = Path(cloud.at.ca).with_name("server.pem")
    with browsers.running_browser(chromium, certificate) as running:
        yield running


@pytest.fixture
def console(cloud: LiveCloud) -> str:
    return f"{cloud.at.functions}/api/console"


def picture_on(page: Page, side: str) -> list[int]:
    """The colour in the middle of the left edge: each test picture has its own."""
    image = page.locator(f"#{side}-photo img")
    expect(image).to_be_visible()
    colour: list[int] = image.evaluate(
        """async (image) => {
            await image.decode();
            const pen = Object.assign(document.createElement("canvas"), {width: 8, height: 8})
                .getContext("2d");
            pen.drawImage(image, 0, 0, 8, 8);
            return [...pen.getImageData(0, 4, 1, 1).data.slice(0, 3)];
        }"""
    )
    return colour


def alike(one: list[int], other: list[int]) -> bool:
    return all(abs(a - b) < 16 for a, b in zip(one, other, strict=True))


def test_broken_picture_is_found_and_repaired(cloud: LiveCloud, console: str, visit: Open):
    """Type the key, find the user, see both pictures differ, press Replay, see them agree."""
    # Graph posts late, or again, on a busy machine: the picture would be mended before it is seen.
    cloud.switch(notificationsLost=1.0)
    user_id, _ = cloud.add(displayName="Broken Picture", userPrincipalName="broken@contoso.com")
    cloud.switch(notificationsLost=0.0)
    cloud.seed_photo(user_id, picture(1))
    assert cloud.replayed(user_id)["status"] == "synced"
    cloud.seed_photo(user_id, picture(2))
    tab = visit(console)
    page = tab.page
    page.get_by_label("Function key").fill(cloud.at.key)
    page.keyboard.press("Enter")
    page.get_by_label("Find a person").fill("broken@")
    page.get_by_role("link", name="Broken Picture").click()
    expect(page.locator("#verdict")).to_contain_text("differ")
    assert not alike(picture_on(page, "exchange"), picture_on(page, "sharepoint"))
    tab.screenshot("live-differ")

    page.locator("#replay").click()
    expect(page.locator("#replay-message")).to_contain_text("Done: synced.")
    expect(page.locator("#verdict")).to_contain_text("Both sides agree")
    expect(page.locator("#person .photo.busy")).to_have_count(0)
    assert alike(picture_on(page, "exchange"), picture_on(page, "sharepoint"))
    tab.screenshot("live-agree")


def test_replay_of_a_sound_picture(cloud: LiveCloud, console: str, visit: Open):
    """A replay that finds nothing to do says so; a forced one writes all the same."""
    user_id, upn = cloud.add(userPrincipalName="o'sound#1@contoso.com")
    cloud.seed_photo(user_id, picture(3))
    cloud.replayed(user_id)
    page = visit(f"{console}?code={cloud.at.key}#/users/o'sound%231%40contoso.com").page
    expect(page.locator("#verdict")).to_contain_text("Both sides agree")
    page.locator("#replay").click()
    expect(page.locator("#replay-message")).to_contain_text("Nothing had changed")

    page.get_by_role("button", name="Replay, even if unchanged").click()
    expect(page.locator("#replay-message")).to_contain_text("Done: synced.")


def test_newcomer_is_found_and_copied(cloud: LiveCloud, console: str, visit: Open):
    """Somebody of whom nothing has told the app is found by an alias, and copied on the spot."""
    cloud.switch(notificationsLost=1.0)
    user_id, _ = cloud.add(displayName="Nia New", aliases=["n.new@contoso.com"])
    cloud.seed_photo(user_id, picture(5))
    cloud.switch(notificationsLost=0.0)
    tab = visit(f"{console}?code={cloud.at.key}#/?search=N.NEW%40")
    row = tab.page.locator("#rows tr")
    expect(row).to_contain_text("Not checked yet")
    tab.screenshot("live-newcomer")

    tab.page.get_by_role("button", name="Copy now").click()
    expect(row).to_contain_text("Synced")
    expect(row.locator("img")).to_have_count(2)
    tab.page.get_by_role("link", name="Nia New").click()
    expect(tab.page.locator("#verdict")).to_contain_text("Both sides agree")


def test_failure_is_told_in_a_sentence(cloud: LiveCloud, console: str, visit: Open):
    """Who failed stands beside the list with the sentence, named as text, never as markup."""
    user_id, _ = cloud.add(displayName=HOSTILE, userPrincipalName="hostile@contoso.com")
    cloud.seed_photo(user_id, b"this is not a picture")
    state = cloud.replayed(user_id)
    cloud.watcher.type_into_queue(HOSTILE)
    cloud.wait_for(lambda: bool(cloud.watcher.unreadable()))
    page = visit(f"{console}?code={cloud.at.key}").page
    failure = page.locator("#failures li").filter(has_text=state["detail"])
    expect(failure).to_contain_text(HOSTILE)
    expect(page.locator("#unreadable")).to_contain_text(HOSTILE)

    failure.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator("#known")).to_contain_text(state["detail"])


def test_sweep_is_started(cloud: LiveCloud, console: str, visit: Open):
    """The button starts a sweep, and the page shows how it ended."""
    before = cloud.watcher.sweep()["id"]
    page = visit(f"{console}?code={cloud.at.key}").page
    page.get_by_role("button", name="Start a sweep").click()
    cloud.wait_for(lambda: cloud.watcher.sweep()["id"] != before)

    expect(page.locator("#sweep")).to_contain_text("The last sweep ended")


def test_check_up(cloud: LiveCloud, console: str, visit: Open):
    """The doctor's checks are shown, with what to do about each that found something wrong."""
    tab = visit(f"{console}?code={cloud.at.key}#/doctor")
    expect(tab.page.locator("#checks")).to_contain_text("subscription")
    tab.screenshot("live-doctor")

    assert tab.page.locator("#checks li:has(.ok)").count() > 3
    assert tab.page.locator("#checks li:has(.wrong):not(:has(.todo))").count() == 0
