"""Finding people, including those not checked yet, in order, and how many there are."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import HOSTILE, Person, StandIn, ago, sweep


@pytest.fixture
def kim(api: StandIn) -> Person:
    """A person whom Microsoft 365 knows and PhotoSync has not checked yet."""
    kim = Person(HOSTILE, "kim@contoso.com", "", aliases=("k.ng@contoso.com",), sharepoint=None)
    api.people.append(kim)
    return kim


def test_unchecked_person_is_copied(api: StandIn, kim: Person, visit: Open, axe: str):
    """Found by an alias, marked as not checked, copied by a button, and then listed as usual."""
    page = visit(api.home).page
    page.get_by_label("Find a person").fill("k.ng@")
    row = page.locator("#rows tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Not checked yet")
    expect(row).to_contain_text("PhotoSync has not checked this person yet.")
    assert browsers.serious_faults(page, axe) == []

    page.get_by_role("button", name="Copy now").press("Enter")
    expect(row).to_contain_text("Synced")
    expect(row.locator("img")).to_have_count(2)
    expect(page.get_by_role("button", name="Copy now")).to_have_count(0)
    expect(page.get_by_role("link", name=HOSTILE)).to_be_focused()
    assert api.orders == [(f"users/{kim.id}/replay", {"force": False})]


def test_copy_that_is_refused(api: StandIn, kim: Person, visit: Open):
    """A refusal is shown beside the button; a Viewer finds the person and cannot press it."""
    api.role = "Operator"
    page = visit(f"{api.url}#/?search=kim%40contoso.com", expected={403}).page
    expect(page.get_by_role("button", name="Copy now")).to_be_enabled()
    api.role = "Viewer"
    page.get_by_role("button", name="Copy now").click()

    expect(page.locator("#rows")).to_contain_text("Orders need the role Operator.")
    expect(page.get_by_role("button", name="Copy now")).to_be_focused()
    page.reload()
    expect(page.get_by_role("button", name="Copy now")).to_be_disabled()
    page.get_by_role("link", name=kim.name).click()
    expect(page.locator("#person-badges")).to_have_text("Not checked yet")
    expect(page.get_by_role("button", name="Repair now")).to_be_disabled()


def test_line_below_the_list(api: StandIn, visit: Open):
    """It says how to find another person of that name, and within how many people it is sorted."""
    page = visit(f"{api.home}#/?search=anne").page
    expect(page.locator("#more")).to_contain_text("Enter the whole address")
    page.get_by_label("Find a person").fill("")
    expect(page.locator("#more")).to_have_text("8 people")

    # A list longer than one call of storage.
    api.listing = {"sortedWithin": 5000}
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#more")).to_have_text("8 people, by name within each 5,000")


def test_microsoft_365_was_not_asked(api: StandIn, visit: Open):
    """If Microsoft 365 could not be searched, an empty list says why."""
    api.listing = {"unasked": "Graph asks to wait for 38 s."}
    page = visit(f"{api.home}#/?search=zoe").page

    expect(page.locator("#more")).to_contain_text("No matching people.")
    expect(page.get_by_role("alert").filter(has_text="for 38 s")).to_be_visible()


def test_dismissed_failures(api: StandIn, visit: Open):
    """They raise no alarm, are still counted as failed, and are marked in lists."""
    api.people = [each for each in api.people if each.status != "waiting"]
    api.people += [Person(f"P {n:02}", f"p{n}@contoso.com", "failed", "No.") for n in range(13)]
    api.people[-1].dismissed = True
    page = visit(f"{api.home}#/?status=failed").page
    expect(page.get_by_role("heading", level=1)).to_have_text("13 copies failed")
    expect(page.locator("#tiles .failed")).to_have_text("14Failed")
    expect(page.locator("#failures")).to_contain_text("The newest 10 of 13.")
    expect(page.locator("#failures")).to_contain_text("1 failure is dismissed: still counted")
    expect(page.locator("#rows tr").filter(has_text="P 12")).to_contain_text("No. (dismissed)")

    for each in api.people:
        each.dismissed = True
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("No failures except dismissed ones")
    expect(page.locator("#failures li")).to_have_count(0)
    expect(page.locator("#failures")).to_contain_text("14 failures are dismissed")


def test_numbers_that_differ(api: StandIn, visit: Open):
    """If numbers differ, or counts are old, the page says why; otherwise it does not."""
    api.overview["sweep"] = sweep(status="finished", users=8, finishedAt=ago(minutes=1))
    page = visit(api.home).page
    expect(page.locator("#summary")).to_contain_text("knows 8 people")
    expect(page.locator("#counts")).to_be_hidden()
    expect(page.locator("#freshness")).not_to_contain_text("counted")

    api.people[0].damage = "The profile shows no picture any more."
    api.overview["sweep"]["users"] = 11
    api.overview["countedAt"] = ago(minutes=4)
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#counts")).to_contain_text("were counted 4 minutes ago")
    expect(page.locator("#freshness")).to_contain_text("counted 4 minutes ago")
    expect(page.locator("#counts")).to_contain_text("people who are also on another tile")
    expect(page.locator("#counts")).to_contain_text("The last sweep found 11 people")
