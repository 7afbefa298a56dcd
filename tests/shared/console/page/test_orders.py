"""The orders that the page gives, and what it shows until they are done."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import StandIn, ago, audit, sweep


@pytest.mark.parametrize(("button", "force"), [("#replay", False), ("#force", True)])
def test_replay_by_keyboard(api: StandIn, visit: Open, button: str, force: bool):
    """A replay is queued; when the state has changed, both sides are shown again."""
    page = visit(api.anne).page
    expect(page.locator("#verdict")).to_contain_text("The two sides differ")
    page.locator(button).press("Enter")

    expect(page.locator("#replay-message")).to_have_text("Done: synced.")
    expect(page.locator("#verdict")).to_contain_text("Both sides agree")
    expect(page.locator(button)).to_be_focused()
    assert api.orders == [(f"users/{api.people[0].id}/replay", {"force": force})]


def test_chosen_picture_is_replaced_after_a_question(api: StandIn, visit: Open):
    """A chosen picture is replaced only after confirmation; Escape cancels."""
    anne = api.people[0]
    anne.sharepoint, anne.chosen = None, "https://cdn.contoso.com/anne.jpg"
    page = visit(api.anne).page
    replace = page.get_by_role("button", name="Replace the chosen picture")
    replace.click()
    expect(page.get_by_role("dialog")).to_contain_text("the photo of Anne Keller from Exchange")
    expect(page.get_by_role("dialog")).to_contain_text(anne.chosen)
    page.keyboard.press("Escape")
    page.locator("#replay").click()
    expect(page.locator("#replay-message")).to_contain_text("It is kept.")
    expect(replace).to_be_enabled()

    replace.press("Enter")
    page.get_by_role("button", name="Replace", exact=True).click()
    expect(page.locator("#replay-message")).to_have_text("Done: synced.")
    expect(page.locator("#verdict")).to_contain_text("Both sides agree")
    expect(replace).to_be_hidden()
    assert [order for _, order in api.orders] == [
        {"force": False},
        {"force": False, "replace": True},
    ]


@pytest.mark.parametrize(
    ("user", "text"),
    [
        ("bert.x%40contoso.com", "Done. Nothing had changed."),
        ("anne%40contoso.com", "The two sides still differ"),
    ],
)
def test_replay_without_a_change(api: StandIn, visit: Open, user: str, text: str):
    """A replay without effect ends when the queue is empty, and says what to do next."""
    api.worker = False
    page = visit(f"{api.home}#/users/{user}").page
    page.locator("#replay").click()

    expect(page.locator("#replay-message")).to_contain_text(text)
    expect(page.get_by_role("button", name="Replay, even if unchanged")).to_be_enabled()


def test_brake_asks_once(api: StandIn, visit: Open):
    """Removals are released only after confirmation; Escape cancels."""
    api.overview["brake"] = {"engaged": True, "gone": 21, "managed": 300, "detail": ""}
    page = visit(api.home).page
    release = page.get_by_role("button", name="Release removals")
    release.click()
    expect(page.get_by_role("dialog")).to_contain_text("21 people lose their pictures")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert api.orders == []

    release.click()
    page.get_by_role("button", name="Release", exact=True).click()
    expect(page.locator("#brake")).to_be_hidden()
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    assert api.orders == [("sweep", {"releaseRemovals": True})]


@pytest.mark.parametrize(
    ("gone", "left", "banner", "dialog", "status"),
    [
        (2, 0, "2 pictures of 30 to remove", "2 people lose their pictures", "gone"),
        (0, 21, "21 people who left and are due to be", "21 people who left are forg", "left"),
    ],
)
def test_brake_lists_the_people(api: StandIn, visit: Open, gone, left, banner, dialog, status):
    """Before anything is released, the people who would lose their pictures can be listed."""
    brake = {"engaged": True, "gone": gone, "left": left, "managed": 30, "detail": ""}
    api.overview["brake"] = brake
    page = visit(api.home).page
    expect(page.locator("#brake")).to_contain_text(banner)
    page.get_by_role("button", name="Release removals").click()
    expect(page.get_by_role("dialog")).to_contain_text(dialog)
    if not gone:
        expect(page.get_by_role("dialog")).not_to_contain_text("lose their pictures")
    page.get_by_role("link", name="See who they are").click()

    expect(page.get_by_role("dialog")).to_be_hidden()
    if gone:
        expect(page.locator("#rows .name")).to_have_text(["Jonas Weber", "Kaya Fields"])
    assert page.get_by_label("Status", exact=True).input_value() == status
    assert api.orders == []


def test_brake_of_repairs(api: StandIn, visit: Open):
    """Repairs are released the same way, after a look at the people who differ."""
    api.people[0].damage = "The profile shows no picture any more."
    api.overview["repairBrake"] = {"engaged": True, "differ": 34, "detail": "34 of 40 differ."}
    # The next audit may already run.
    api.overview["audit"] = audit(status="running")
    page = visit(api.home).page
    expect(page.locator("#audit-brake")).to_contain_text("34 of 40 differ.")
    page.get_by_role("button", name="Release repairs").click()
    expect(page.get_by_role("dialog")).to_contain_text("34 pictures are written again")
    page.get_by_role("link", name="See who they are").click()
    expect(page.locator("#rows .name")).to_have_text([api.people[0].name])
    assert api.orders == []

    page.get_by_role("button", name="Release repairs").click()
    page.get_by_role("button", name="Release", exact=True).click()
    expect(page.locator("#audit-brake")).to_be_hidden()
    expect(page.locator("#audit-message")).to_have_text("34 repairs released.")
    assert api.orders == [("audit", {"releaseRepairs": True})]


def test_audit(api: StandIn, visit: Open):
    """An audit of everybody is ordered and its progress shown; no second one can start."""
    page = visit(api.home).page
    page.get_by_role("button", name="Audit and repair now").click()

    expect(page.get_by_role("progressbar", name="Audit")).to_have_attribute("value", "0.25")
    expect(page.get_by_role("button", name="Audit and repair now")).to_be_disabled()
    assert api.orders == [("audit", {"repair": True})]


def test_sweep(api: StandIn, visit: Open):
    """A running sweep shows its progress and its end; afterwards another one can start."""
    api.overview["sweep"] = sweep()
    page = visit(api.home).page
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "0.4")
    expect(page.locator("#sweep")).to_contain_text("400 of about 1,000 people; done in 3 minutes")
    expect(page.get_by_role("button", name="Start a sweep")).to_be_disabled()

    api.overview["sweep"] = sweep(status="finished", finishedAt=ago(minutes=1))
    page.get_by_role("button", name="Refresh").click()
    page.get_by_role("button", name="Start a sweep").click()
    expect(page.locator("#sweep-message")).to_contain_text("Queued")
    assert api.orders == [("sweep", {})]


def test_fill(api: StandIn, visit: Open):
    """While first copies are queued, the page shows how many, and when all are done."""
    fill = {"status": "running", "startedAt": ago(hours=1), "sent": 400, "found": 1000}
    api.overview["fill"] = {**fill, "isWhole": True, "eta": ago(hours=-2)}
    page = visit(api.home).page
    expect(page.locator("#fill-bar")).to_have_attribute("value", "0.4")
    expect(page.locator("#fill-body")).to_contain_text("400 of 1,000 people queued")
    expect(page.locator("#fill-body")).to_contain_text("done in 2 hours")

    api.overview["fill"] = {**fill, "status": "finished", "isWhole": True, "eta": ""}
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#fill")).to_be_hidden()
