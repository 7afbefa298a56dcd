"""A person's card on the page: plain words, one button, and a text for a ticket."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open
from tests.shared.console.page.serving import KEY
from tests.shared.console.page.stand_in import StandIn, ago, card


def test_plain_words_come_first(api: StandIn, visit: Open, axe: str):
    """What people see, why, what is next, and the one button that helps."""
    page = visit(f"{api.url}?code={KEY}#/users/anne%40contoso.com").page

    expect(page.locator("#plain-words p")).to_have_text(
        ["People see the photo.", "It was copied.", "A new photo is copied automatically."]
    )
    expect(page.locator(".doing .main:visible, .doing a.button:visible")).to_have_text("Repair now")
    page.get_by_text("Which app shows which picture").click()
    expect(page.locator("#apps")).to_contain_text("up to 60 days")
    assert browsers.serious_faults(page, axe) == []
    page.get_by_role("button", name="Repair now").click()
    # Now both sides agree, and no action is needed.
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
def test_button_that_links(api: StandIn, visit: Open, action: str, leads_to: str):
    """If no order about this person helps, the button links to what does."""
    api.person = {"card": card(action=action, label="Next step")}
    page = visit(f"{api.url}?code={KEY}#/users/anne%40contoso.com").page

    expect(page.get_by_role("link", name="Next step")).to_have_attribute("href", leads_to)
    expect(page.locator(".doing .main:visible")).to_have_count(0)


def test_copy_for_the_ticket(api: StandIn, visit: Open):
    """The text is copied to the clipboard, or selected for copying by hand."""
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
    """The failure leaves the overview and stays counted; the person is still listed as failed."""
    page = visit(f"{api.url}?code={KEY}").page
    page.get_by_role("button", name="Dismiss the failure of Chidi Eze").click()

    expect(page.locator("#failures li")).to_have_count(0)
    expect(page.locator("#failures-message")).to_contain_text("Chidi Eze returns to this list")
    expect(page.locator("#failures-count")).to_contain_text("1 failure is dismissed")
    assert api.orders == [("dismiss", {"users": [api.find("chidi@contoso.com").id]})]
    assert browsers.serious_faults(page, axe) == []


def test_unreadable_messages_are_dismissed(api: StandIn, visit: Open):
    """Messages up to the newest one shown are dismissed, but no later ones."""
    newest, older = ago(minutes=1), ago(hours=1)
    one = {"name": "a", "reason": "No JSON.", "body": "?"}
    api.overview["unreadable"] = [{**one, "at": newest}, {**one, "at": older}]
    page = visit(f"{api.url}?code={KEY}").page
    page.get_by_role("button", name="Dismiss all").click()

    expect(page.locator("#unreadable")).to_be_hidden()
    expect(page.locator("#home-title")).to_be_focused()
    assert api.orders == [("dismiss", {"unreadableTo": newest})]


def test_version(api: StandIn, visit: Open):
    """The footer shows the version and when it was packaged."""
    page = visit(f"{api.url}?code={KEY}").page

    expect(page.locator("#version")).to_have_text("PhotoSync 9.8.7, packaged 3 days ago")
