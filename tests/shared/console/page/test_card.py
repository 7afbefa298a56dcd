"""A person's card on the page: plain words, one button, and a text for a ticket."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.doubles.console_answers import card
from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import StandIn, ago


def test_plain_words_come_first(api: StandIn, visit: Open, axe: str):
    """What people see, why, what is next, and the one button that helps."""
    page = visit(api.anne).page

    words = [card()[part] for part in ("seen", "why", "next")]
    expect(page.locator("#plain-words p")).to_have_text(words)
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
    [("doctor", "#/doctor"), ("removals", "#/?status=gone"), ("leavers", "#/?status=left")],
)
def test_button_that_links(api: StandIn, visit: Open, action: str, leads_to: str):
    """If no order about this person helps, the button links to what does."""
    api.person = {"card": card(action=action, label="Next step")}
    page = visit(api.anne).page

    expect(page.get_by_role("link", name="Next step")).to_have_attribute("href", leads_to)
    expect(page.locator(".doing .main:visible")).to_have_count(0)


def test_copy_for_the_ticket(api: StandIn, visit: Open):
    """The text is copied to the clipboard, or selected for copying by hand."""
    ticket = card()["ticket"]
    page = visit(
        api.anne,
        permissions=["clipboard-read", "clipboard-write"],
    ).page
    page.get_by_role("button", name="Copy for a ticket").click()
    expect(page.locator("#replay-message")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == ticket

    refuse = "() => Promise.reject(new Error('refused'))"
    page.evaluate(f"void (navigator.clipboard.writeText = {refuse})")
    page.get_by_role("button", name="Copy for a ticket").click()
    expect(page.locator("#ticket")).to_have_value(ticket)
    assert page.evaluate("getSelection().toString()") == ticket


def test_failure_is_dismissed(api: StandIn, visit: Open, axe: str):
    """The failure leaves the overview and stays counted; the person is still listed as failed."""
    page = visit(api.home).page
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
    page = visit(api.home).page
    page.get_by_role("button", name="Dismiss all").click()

    expect(page.locator("#unreadable")).to_be_hidden()
    expect(page.locator("#home-title")).to_be_focused()
    assert api.orders == [("dismiss", {"unreadableTo": newest})]
