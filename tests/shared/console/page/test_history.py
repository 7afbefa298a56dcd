"""The history of orders on the page, of everybody and of one person."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import HOSTILE, StandIn, ago, order


def test_history_of_all(api: StandIn, visit: Open):
    """Each order is a line: who, what, about whom and its result; older ones load on demand."""
    anne = api.find("anne@contoso.com")
    api.page_size = 3
    api.log = [
        order(userId=anne.id, userPrincipalName=anne.upn, options="force"),
        order(order="sweep", by={"via": "key"}, result="begun", detail="20260504-1"),
        order(order="renew", by={"via": "queue"}, result=""),
        order(order="uninstall", by={"via": "person", "name": HOSTILE}, detail=HOSTILE),
    ]
    page = visit(api.home).page
    page.get_by_role("link", name="History", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("History")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    rows = page.locator("#log-rows li")
    expect(rows).to_have_count(3)

    expect(rows.nth(0)).to_contain_text(
        "Replay (force) of anne@contoso.com, ordered by jo@contoso.com · Synced"
    )
    expect(rows.nth(1)).to_contain_text(
        "Sweep, ordered by somebody with a function key · Started · 20260504-1"
    )
    expect(rows.nth(2)).to_contain_text(
        "Subscription renewal, ordered by a message typed into a queue · No result yet"
    )
    expect(page.locator("#log-message")).to_have_text("3 orders, newest first; older orders exist.")
    page.get_by_role("button", name="Show older orders").click()
    expect(rows.nth(3)).to_contain_text(HOSTILE)
    expect(rows.nth(3)).to_be_focused()
    expect(page.locator("#log-message")).to_have_text("4 orders, newest first.")

    page.get_by_role("link", name="anne@contoso.com").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Anne Keller")


def test_empty_history(api: StandIn, visit: Open):
    """An empty history says so, and says if part of it cannot be read."""
    api.damaged = 1
    page = visit(f"{api.home}#/history").page

    expect(page.locator("#log-message")).to_contain_text("No orders yet. Some lines")


def test_history_of_a_person(api: StandIn, visit: Open):
    """Events and orders are one list by time; older orders load on demand, a new one is on top."""
    bert = api.find("bert.x@contoso.com")
    anne = api.find("anne@contoso.com")
    api.page_size = 1
    api.log = [
        order(at=ago(hours=1), userId=anne.id, by={"via": "key"}),
        order(at=ago(hours=2), userId=bert.id),
        order(at=ago(hours=900), userId=anne.id),
    ]
    page = visit(api.anne).page
    lines = page.locator("#history li")
    expect(lines).to_have_count(3)
    expect(lines.nth(1)).to_contain_text("Replay, ordered by somebody with a function key · Synced")
    expect(lines.nth(2)).to_contain_text("Queued · by a notification")

    page.get_by_role("button", name="Load older orders").click()
    expect(lines).to_have_count(4)
    expect(page.get_by_role("button", name="Load older orders")).to_have_count(0)

    page.locator("#replay").click()
    # The first line is the state that the replay left.
    expect(lines.nth(1)).to_contain_text("Replay, ordered by jo@contoso.com · Synced")


def test_history_that_cannot_be_read(api: StandIn, visit: Open):
    """The person's card is still shown, and says what is missing."""
    api.log_is_down = True
    page = visit(api.anne, expected={503}).page

    expect(page.locator("#history-more")).to_contain_text("Storage could not be reached.")
    expect(page.locator("#history li")).to_have_count(2)
