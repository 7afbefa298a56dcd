"""The page claims only what is known, and says as of when."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.doubles.console_answers import card
from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import StandIn, ago, audit


def test_groups_that_limit_the_scope(api: StandIn, visit: Open):
    """The groups that limit the scope are below the headline, if there are any."""
    page = visit(api.home).page
    expect(page.locator("#summary")).not_to_be_empty()
    expect(page.locator("#scope")).to_be_hidden()
    api.overview["groups"] = {"SYNC_GROUP_ID": "0b-pilot", "EXCLUDED_GROUP_ID": "0c-no"}
    page.reload()

    expect(page.locator("#scope")).to_contain_text("Only members of the group 0b-pilot")
    expect(page.locator("#scope")).to_contain_text("0c-no (EXCLUDED_GROUP_ID) are not synced")


def test_who_differs_in_sharepoint(api: StandIn, visit: Open):
    """The headline promises only that no copy failed, until an audit has found somebody."""
    api.people = [each for each in api.people if each.status in ("synced", "no-photo")]
    page = visit(api.home).page
    expect(page.get_by_role("heading", level=1)).to_have_text("No failures")
    expect(page.locator("#summary")).to_contain_text("An audit or a replay also checks SharePoint")

    api.people[0].damage = "The profile shows no picture any more."
    page.get_by_role("button", name="Refresh").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1 picture differs in SharePoint")
    page.get_by_role("link", name="SharePoint differs").click()
    expect(page.locator("#rows .name")).to_have_text([api.people[0].name])
    expect(page.locator("#rows")).to_contain_text("The profile shows no picture any more.")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "It checked 940 people and found 2 pictures changed in SharePoint. They were queued"),
        ({"differ": 0}, "It checked 940 people and found no picture changed in SharePoint."),
        ({"repair": False}, "It reports them and repairs nothing."),
        ({"repairs": "braked"}, "Their repairs are held back."),
        ({"status": "failed", "detail": "No role."}, "No role."),
    ],
    ids=["ended", "all right", "reported", "braked", "failed"],
)
def test_audit_as_of(api: StandIn, visit: Open, change: dict[str, Any], text: str):
    """What an audit found, and what happens to it."""
    api.overview["audit"] = audit(**change)
    page = visit(api.home).page

    expect(page.locator("#audit")).to_contain_text(text)


def test_audit_that_waits(api: StandIn, visit: Open):
    """While changes use up the profile budget, the page says when the audit continues."""
    api.overview["audit"] = audit(status="running", waitingUntil=ago(minutes=-4, seconds=-30))
    page = visit(api.home).page

    expect(page.locator("#audit")).to_contain_text(
        "for the profile budget and continues in 4 minutes."
    )


UNASKED = {"side": "exchange", "message": "Graph is busy.", "retryAfter": 37.2}


@pytest.mark.parametrize(
    ("person", "text"),
    [
        ({"agree": False, "card": card(byDesign=True)}, "Left unchanged by designGraph is busy."),
        ({"agree": False, "card": card(byDesign=False)}, "The two sides differGraph is busy."),
        ({"agree": None, "unasked": [UNASKED]}, "Graph is busy. Try again in 38 seconds."),
    ],
    ids=["by design", "a fault", "unknown"],
)
def test_verdict(api: StandIn, visit: Open, person: dict[str, Any], text: str):
    """A difference by design is not shown as a fault; an unknown one says how long to wait."""
    api.person = {**person, "difference": "Graph is busy."}
    page = visit(api.anne).page

    expect(page.locator("#verdict")).to_contain_text(text)


def test_what_an_audit_has_found(api: StandIn, visit: Open):
    """A person's page shows what an audit found, if anything."""
    api.people[0].damage = "The profile shows no picture any more."
    page = visit(api.anne).page
    expect(page.locator("#known")).to_contain_text("AuditThe profile shows no picture any more.")

    page.goto(f"{api.home}#/users/bert.x%40contoso.com")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bert Xu")
    expect(page.locator("#known")).not_to_contain_text("Audit")


@pytest.mark.parametrize(
    ("change", "text", "down"),
    [
        ({"status": "live", "expiresAt": ago(days=-28, minutes=-1)}, "Active", False),
        ({"status": "live", "expiresAt": ago(hours=2)}, "it expired 2 hours ago", True),
        ({"status": "failed", "expiresAt": ago(days=-28)}, "last attempt to renew it failed", True),
        ({"status": "waiting", "expiresAt": ago(days=-28)}, "attempt to renew it failed", False),
    ],
)
def test_subscription_as_of(
    api: StandIn, visit: Open, change: dict[str, Any], text: str, down: bool
):
    """The subscription is shown as of its last check; only an active one is promised a renewal."""
    api.overview["subscription"] = {"checkedAt": ago(hours=5), "detail": "No right.", **change}
    page = visit(api.home).page
    card = page.locator("#subscription")

    expect(card).to_contain_text("As of 5 hours ago")
    expect(card).to_contain_text(text)
    assert ("renewed before it expires in 28 days" in card.inner_text()) is (text == "Active")
    assert page.locator("#no-notifications").is_visible() is down


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("running", "being uninstalled and copies nothing. It still has to process 3 users."),
        ("done", "It is uninstalled and copies nothing"),
        ("cancelled", ""),
    ],
)
def test_uninstalled_app(api: StandIn, visit: Open, status: str, text: str):
    """The page shows an uninstall and how to cancel it, not a missing subscription."""
    api.overview |= {"subscription": None, "uninstall": {"status": status, "left": 3}}
    page = visit(api.home).page

    expect(page.locator("#freshness")).not_to_be_empty()
    assert page.locator("#halted").is_visible() is (text != "")
    assert page.locator("#no-notifications").is_visible() is (text == "")
    if text:
        expect(page.locator("#halted")).to_contain_text(text)
        expect(page.locator("#halted")).to_contain_text("uninstall --cancel")
        expect(page.locator("#subscription")).to_have_text(
            "The subscription was deleted when PhotoSync was uninstalled."
        )


def test_app_that_has_forgotten_everybody(api: StandIn, visit: Open):
    """The page does not suggest a sweep that an uninstalled app would refuse."""
    api.people, api.overview["uninstall"] = [], {"status": "running", "left": 0}
    page = visit(api.home).page

    expect(page.locator("#summary")).to_have_text("PhotoSync has forgotten all people.")
    expect(page.locator("#halted")).to_contain_text("It is being uninstalled and copies nothing. “")


def test_health_check(api: StandIn, visit: Open):
    """Failed checks come first; after the renewal that one offers, all checks run again."""
    page = visit(f"{api.home}#/doctor").page
    expect(page.locator("#doctor-message")).to_have_text("1 of 3 checks failed, 1 could not run.")
    expect(page).to_have_title("Health check · PhotoSync")
    expect(page.locator("#checks .badge")).to_have_text(["Failed", "Not checked", "OK"])
    assert page.locator("#checks .todo").count() == 1

    page.get_by_role("button", name="Renew the subscription now").click()

    expect(page.locator("#doctor-message")).to_have_text("No problems found.")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert api.orders == [("sweep", {"renew": True})]


def test_newest_of_many_unreadable_messages(api: StandIn, visit: Open):
    """Messages set aside are shown with their time, and with how many more there are."""
    kept = {"name": "x", "reason": "Not a user.", "body": "please", "at": ago(hours=3)}
    api.overview.update(unreadable=[kept], unreadableCount=16)
    page = visit(api.home).page

    expect(page.locator("#unreadable")).to_contain_text("The newest 1 of 16")
    expect(page.locator("#unreadable li")).to_contain_text("Not a user. 3 hours ago")


def test_technical_details_are_apart(api: StandIn, visit: Open):
    """The profile is shown in words; SharePoint's names and numbers are one click away."""
    shown = {
        "PictureURL": "https://contoso-my.sharepoint.com/User%20Photos/a%20b_MThumb.jpg?t=1",
        "SPS-PicturePlaceholderState": "1",
        "SPS-PictureTimestamp": "63913492800",
    }
    api.person = {"profile": shown}
    page = visit(api.anne).page

    expect(page.locator("#profile")).to_contain_text("a b_MThumb.jpg")
    expect(page.locator("#profile")).to_contain_text("a placeholder")
    expect(page.locator("#profile time")).to_have_attribute("datetime", "2026-05-04T12:00:00.000Z")
    expect(page.get_by_text("63913492800")).to_be_hidden()
    page.locator("#profile + details summary").click()
    expect(page.get_by_text("63913492800")).to_be_visible()
    expect(page.locator("#known-more")).to_be_hidden()


# Elements that are narrower than their content, unless they scroll.
PARTS = "main td, main th, main li > *, main dd, main .card"
CUT_OFF = f"""() => [...document.querySelectorAll("{PARTS}")]
    .filter((it) => it.getClientRects().length && it.scrollWidth > it.clientWidth + 1
        && getComputedStyle(it).display !== "inline"
        && !["auto", "scroll"].includes(getComputedStyle(it).overflowX))
    .map((it) => it.tagName + " " + it.textContent.slice(0, 40))"""


@pytest.mark.parametrize(
    ("view", "last"),
    [
        ("#/", "less than a minute ago"),
        ("#/users/anne%40contoso.com", "less than a minute ago"),
        ("#/doctor", "Not checked"),
    ],
)
def test_nothing_is_cut_off(api: StandIn, visit: Open, view: str, last: str):
    """At any width, long names and the longest relative time can be read."""
    api.people[0].detail = "PictureAddressThatIsVeryLong" * 9
    api.people[0].checked_at = ago(seconds=40)
    for person in api.people:
        person.synced_at = ago(seconds=40)
    page = visit(f"{api.home}{view}").page
    expect(page.get_by_text(last).filter(visible=True)).not_to_have_count(0)

    for width in (390, 800, 1100, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(CUT_OFF) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        edge = "(it) => it.getBoundingClientRect().right"
        cells = page.locator(".people td.what:visible").all()
        assert all(cell.evaluate(edge) <= width for cell in cells)


def test_chosen_picture_elsewhere(api: StandIn, visit: Open):
    """A picture chosen on another host is a link: the page itself calls no other host."""
    anne = api.people[0]
    anne.sharepoint, anne.chosen = None, "https://cdn.contoso.com/pictures/anne.jpg?size=1"
    page = visit(api.anne).page
    frame = page.locator("#sharepoint-photo")
    expect(frame).to_contain_text("A person chose a picture elsewhere.")
    link = frame.get_by_role("link", name=anne.chosen)

    expect(link).to_have_attribute("href", anne.chosen)
    assert set(str(link.get_attribute("rel")).split()) == {"noreferrer", "noopener"}
    assert frame.locator("img").count() == 0
    expect(page.locator("#sharepoint-caption")).to_have_text("a picture that a person chose")
    expect(page.get_by_role("button", name="Replace the chosen picture")).to_be_visible()

    page.get_by_role("link", name="All people").click()
    expect(page.locator("#rows").get_by_title("A person chose a picture")).to_be_visible()


@pytest.mark.parametrize(
    "address",
    [
        "http://cdn.contoso.com/anne.jpg",
        "javascript:document.title='taken'",
        "https://contoso.com@evil.example/anne.jpg",
        "data:text/html,<script>document.title='taken'</script>",
        "anne.jpg",
    ],
)
def test_unsafe_address_is_text(api: StandIn, visit: Open, address: str):
    """Only an https address without user name becomes a link; others are text."""
    api.people[0].sharepoint, api.people[0].chosen = None, address
    page = visit(api.anne).page
    frame = page.locator("#sharepoint-photo")
    expect(frame).to_contain_text(address)

    assert frame.get_by_role("link").count() == 0


@pytest.mark.parametrize(
    ("chosen", "caption"),
    [
        ("https://contoso-my.sharepoint.com/Documents/anne.jpg", "a picture that a person chose"),
        ("", "what people see now"),
    ],
)
def test_picture_that_can_be_read(api: StandIn, visit: Open, chosen: str, caption: str):
    """A chosen picture on the tenant's own host is shown; only such a picture can be replaced."""
    api.people[0].chosen = chosen
    page = visit(api.anne).page

    expect(page.locator("#sharepoint-photo img")).to_be_visible()
    expect(page.locator("#sharepoint-caption")).to_have_text(caption)
    replace = page.get_by_role("button", name="Replace the chosen picture")
    expect(replace).to_be_visible(visible=chosen != "")
