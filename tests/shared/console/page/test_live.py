"""The page with a running local cloud: a broken picture is found, understood and repaired."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.cloud import LiveCloud, picture
from tests.shared.console.page.browser import Open
from tests.shared.console.page.live import live_cloud, search


@pytest.fixture(scope="module")
def cloud(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    with live_cloud(tmp_path_factory.mktemp("cloud")) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(cloud: LiveCloud) -> Path:
    return Path(cloud.at.ca).with_name("server.pem")


def picture_on(page: Page, side: str) -> list[int]:
    """The colour in the middle of the left edge, which differs for each test picture."""
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


def test_broken_picture_is_found_and_repaired(cloud: LiveCloud, visit: Open):
    """Enter the key, find the user, see that both pictures differ, press Replay, see them agree."""
    user_id, upn = cloud.copied(1, displayName="Broken Picture")
    cloud.seed_photo(user_id, picture(2))
    tab = visit(f"{cloud.at.functions}/api/console")
    page = tab.page
    page.get_by_label("Function key").fill(cloud.at.key)
    page.keyboard.press("Enter")
    search(page, upn)
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
