"""A person's card on the page: plain words, the one right button, and a text for a ticket."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open
from tests.shared.console.page.serving import KEY
from tests.shared.console.page.stand_in import StandIn, ago, card


def test_plain_words_come_first(api: StandIn, visit: Open, axe: str):
    """What people see, why, what comes next, and one button that moves matters on."""
    page = visit(f"{api.url}?code={KEY}#/users/anne%40contoso.com").page

    expect(page.locator("#plain-words p")).to_have_text(
        ["People see the photo.", "It was copied.", "A new one follows by itself."]
    )
    expect(page.locator(".doing .main:visible, .doing a.button:visible")).to_have_text("Repair now")
    page.get_by_text("Which app shows which picture").click()
    expect(page.locator("#apps")).to_contain_text("up to 60 days")
    assert browsers.serious_faults(page, axe) == []
    page.get_by_role("button", name="Repair now").click()
    # Now both sides agree, and nothing is to be done.
    expect(page.locator(".doing .main:visible, .doing a.button:visible")).to_have_count(0)
    expect(page.locator("#replay")).to_have_text("Replay")


@pytest.mark.parametrize(
    ("action", "leads_to"),
    [
        ("doctor", "#/doctor"),
        ("removals", "#/?status=gone"),
        ("leavers", "#/?status=left"),
    ],
)
def test_button_that_leads_on(api: StandIn, visit: Open, action: str, leads_to: str):
    """Where no order to one person helps, the button leads to what does."""
    api.person = {"card": card(action=action, label="Lead on")}
    page = visit(f"{api.url}?code={KEY}#/users/anne%40contoso.com").page

    expect(page.get_by_role("link", name="Lead on")).to_have_attribute("href", leads_to)
    expect(page.locator(".doing .main:visible")).to_have_count(0)


def test_copy_for_the_ticket(api: StandIn, visit: Open):
    """The text is in the clipboard, or selected for whoever copies by hand."""
    told = card()["ticket"]
    page = visit(
        f"{api.url}?code={KEY}#/users/anne%40contoso.com",
        permissions=["clipboard-read", "clipboard-write"],
    ).page
    page.get_by_role("button", name="Copy for a ticket").click()
    expect(page.locator("#replay-message")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == told

    refuse = "() => Promise.reject(new Error('refused'))"
    page.evaluate(f"void (navigator.clipboard.writeText = {refuse})")
    page.get_by_role("button", name="Copy for a ticket").click()
    expect(page.locator("#ticket")).to_have_value(told)
    assert page.evaluate("getSelection().toString()") == told


def test_failure_is_dismissed(api: StandIn, visit: Open, axe: str):
    """The line leaves the overview and is counted; the person is still among those who failed."""
    page = visit(f"{api.url}?code={KEY}").page
    page.get_by_role("button", name="Dismiss the failure of Chidi Eze").click()

    expect(page.locator("#failures li")).to_have_count(0)
    expect(page.locator("#failures-message")).to_contain_text("Chidi Eze returns to this list")
    expect(page.locator("#failures-count")).to_contain_text("1 failure is dismissed")
    assert api.orders == [("dismiss", {"users": [api.find("chidi@contoso.com").id]})]
    assert browsers.serious_faults(page, axe) == []


def test_unreadable_messages_are_dismissed(api: StandIn, visit: Open):
    """Those up to the newest that is shown, and none that comes later."""
    newest, older = ago(minutes=1), ago(hours=1)
    one = {"name": "a", "reason": "No JSON.", "body": "?"}
    api.overview["unreadable"] = [{**one, "at": newest}, {**one, "at": older}]
    page = visit(f"{api.url}?code={KEY}").page
    page.get_by_role("button", name="Dismiss all").click()

    expect(page.locator("#unreadable")).to_be_hidden()
    expect(page.locator("#home-title")).to_be_focused()
    assert api.orders == [("dismiss", {"unreadableTo": newest})]


def test_version_stands_at_the_foot(api: StandIn, visit: Open):
    """Which version this is, and when it was packaged."""
    page = visit(f"{api.url}?code={KEY}").page

    expect(page.locator("#version")).to_have_text("PhotoSync 9.8.7, packaged 3 days ago")
