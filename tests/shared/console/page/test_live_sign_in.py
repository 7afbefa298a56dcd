"""The page with a sign-in and a running local cloud: a Viewer, then an Operator."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState, expect

from tests.e2e.cloud import LiveCloud, picture
from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open
from tests.shared.console.page.live import live_cloud

_numbers = itertools.count(1)

# The same order as the page's, without its button.
ORDER = """async (url) => {
  const headers = { "Content-Type": "application/json", "X-PhotoSync-Order": "1" };
  const answer = await fetch(url, { method: "POST", headers, body: "{}" });
  return [answer.status, (await answer.json()).error.message];
}"""


@pytest.fixture(scope="module")
def cloud(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCloud]:
    with live_cloud(tmp_path_factory.mktemp("cloud"), sign_in=True) as running:
        yield running


@pytest.fixture(scope="module")
def certificate(cloud: LiveCloud) -> Path:
    return Path(cloud.at.ca).with_name("server.pem")


@pytest.fixture
def broken(cloud: LiveCloud) -> str:
    """A user whose picture in SharePoint is not the photo in Exchange."""
    upn = f"broken{next(_numbers)}@contoso.com"
    user_id, _ = cloud.add(
        displayName="Broken Picture", userPrincipalName=upn, aliases=[f"mail.{upn}"]
    )
    cloud.seed_photo(user_id, picture(1))
    cloud.replayed(user_id)
    cloud.seed_photo(user_id, picture(2))
    return upn


def sign_in(browser: Browser, console: str, name: str, role: str) -> StorageState:
    """Open the console, be redirected to the login page, sign in, and return."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(console)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Role").select_option(role)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(console)
    expect(page.locator("#who")).to_have_text(f"{name} ({role})")
    state = context.storage_state()
    context.close()
    return state


def test_viewer_finds_a_person_and_gives_no_order(
    cloud: LiveCloud, browser: Browser, visit: Open, axe: str, broken: str
):
    """A Viewer finds the person and the fault; the button is disabled, and the app would refuse."""
    console = f"{cloud.at.functions}/api/console"
    state = sign_in(browser, console, "vera@contoso.com", "Viewer")
    tab = visit(console, storage_state=state, expected={403})
    page = tab.page
    page.get_by_label("Find a person").fill(f"mail.{broken}")
    # The list is built anew; a click in that moment would hit a link that is replaced.
    expect(page).to_have_url(re.compile("search=mail"))
    expect(page.locator("#people[aria-busy]")).to_have_count(0)
    assert browsers.serious_faults(page, axe) == []
    page.get_by_role("link", name="Broken Picture").click()
    expect(page.locator("#plain-words")).to_contain_text("People see a different picture")
    expect(page.locator("#verdict")).to_contain_text("differ")
    expect(page.locator("#viewer")).to_contain_text("Orders need the role Operator")
    expect(page.get_by_role("button", name="Repair now")).to_be_disabled()
    assert browsers.serious_faults(page, axe) == []
    tab.screenshot("live-viewer")

    status, answer = page.evaluate(ORDER, f"{console}/users/{broken}/replay")
    assert (status, "role Operator" in answer) == (403, True)


def test_operator_repairs_and_the_history_names_them(
    cloud: LiveCloud, browser: Browser, visit: Open, axe: str, broken: str
):
    """The browser's own POST passes the platform's check, and the history names the Operator."""
    console = f"{cloud.at.functions}/api/console"
    state = sign_in(browser, console, "olga@contoso.com", "Operator")
    page = visit(f"{console}#/users/{broken}", storage_state=state).page
    page.get_by_role("button", name="Repair now").click()
    expect(page.locator("#replay-message")).to_contain_text("Done: synced.")
    expect(page.locator("#verdict")).to_contain_text("Both sides agree")
    expect(page.locator("#history")).to_contain_text("ordered by olga@contoso.com · Synced")
    assert browsers.serious_faults(page, axe) == []

    page.get_by_role("link", name="History", exact=True).click()
    first = page.locator("#log-rows li").first
    expect(first).to_contain_text(f"Replay of {broken}, ordered by olga@contoso.com · Synced")
    assert browsers.serious_faults(page, axe) == []

    page.get_by_role("link", name="Sign out").click()
    expect(page.locator("body")).to_have_text("You have been signed out.")
