"""What the page does in a real browser, with invented answers of the API."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import HOSTILE, KEY, Person, StandIn


def type_key(page: Page, key: str) -> None:
    page.get_by_label("Function key").fill(key)
    page.keyboard.press("Enter")


def test_key_is_typed_once(api: StandIn, visit: Open):
    """The page asks for the key, keeps it for the tab, and asks again after it was forgotten."""
    page = visit(api.url).page
    type_key(page, KEY)
    expect(page.get_by_role("heading", level=1)).to_have_text("1 copy failed")
    # A screen reader continues where the form was.
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    page.reload()
    expect(page.get_by_role("link", name="Anne Keller")).to_be_visible()

    page.get_by_role("button", name="Forget key").click()
    page.reload()
    expect(page.get_by_label("Function key")).to_be_focused()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


@pytest.mark.parametrize("view", ["", "#/users/anne%40contoso.com", "#/history", "#/doctor"])
def test_nothing_stays_without_a_key(api: StandIn, visit: Open, view: str):
    """Forgetting the key hides every view and banner, and leaves only the form for the key."""
    api.overview["brake"] = {"engaged": True, "gone": 2, "left": 0, "managed": 30, "detail": ""}
    api.overview["repairBrake"] = {"engaged": True, "differ": 3, "detail": ""}
    api.overview |= {"subscription": None, "dryRun": True}
    api.overview["uninstall"] = {"status": "running", "left": 3}
    page = visit(f"{api.home}{view}").page
    expect(page.locator(".banner:visible")).to_have_count(4)
    page.get_by_role("button", name="Forget key").click()

    expect(page.get_by_label("Function key")).to_be_focused()
    shown = page.locator("main > :visible")
    assert [part.get_attribute("id") for part in shown.all()] == ["key-form"]


def test_answer_after_the_key_was_forgotten(api: StandIn, visit: Open):
    """An answer that was under way shows nothing any more."""
    api.overview["brake"] = {"engaged": True, "gone": 2, "left": 0, "managed": 30, "detail": ""}
    page = visit(api.home).page
    expect(page.locator("#brake")).to_be_visible()
    held: list[Route] = []
    page.route("**/api/console/overview", lambda route: held.append(route))
    with page.expect_request("**/api/console/overview"):
        page.get_by_role("button", name="Refresh").click()
    page.get_by_role("button", name="Forget key").click()
    expect(page.get_by_label("Function key")).to_be_focused()

    with page.expect_response("**/api/console/overview"):
        held[0].continue_()
    # A whole request later, the page has drawn that answer if it draws it at all.
    page.evaluate("fetch('').then(answer => answer.text())")
    assert page.locator(".banner:visible").count() == 0


def test_dialog_closes_when_the_key_is_refused(api: StandIn, visit: Open):
    """The question about a chosen picture names a person."""
    api.people[0].sharepoint, api.people[0].chosen = None, "https://cdn.contoso.com/anne.jpg"
    page = visit(api.anne, expected=[401]).page
    page.get_by_role("button", name="Replace the chosen picture").click()
    expect(page.get_by_role("dialog")).to_be_visible()

    page.route("**/api/console/overview", lambda route: route.fulfill(status=401))
    page.evaluate("document.getElementById('refresh').click()")

    expect(page.get_by_label("Function key")).to_be_focused()
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_key_leaves_the_address(api: StandIn, visit: Open):
    """A key in the address is used, and removed from the address and the browser's history."""
    page = visit(f"{api.url}?code={KEY}&x=1#/?status=failed").page
    expect(page.get_by_role("link", name="Chidi Eze").first).to_be_visible()

    assert page.url == f"{api.url}?x=1#/?status=failed"
    assert page.evaluate("history.length") == 2  # the empty tab, and this page


def test_wrong_key(api: StandIn, visit: Open):
    """A key that is refused or impossible is reported, and asked for again."""
    page = visit(api.url, expected={401}).page
    type_key(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("This key was not accepted.")
    expect(page.get_by_label("Function key")).to_be_focused()

    type_key(page, "schlüssel")
    expect(page.get_by_role("alert")).to_contain_text("This is not a function key")

    type_key(page, f" {KEY} ")
    expect(page.get_by_role("link", name="Anne Keller")).to_be_visible()


def test_hostile_names_stay_text(api: StandIn, visit: Open):
    """Names, details and messages are shown as text; the policy forbids making them markup."""
    message = {"name": HOSTILE, "reason": HOSTILE, "body": HOSTILE}
    api.overview = {
        "unreadable": [message],
        "brake": {"engaged": True, "gone": 1, "detail": HOSTILE},
    }
    tab = visit(api.home)
    page = tab.page
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    expect(page.locator("#unreadable")).to_contain_text(HOSTILE)

    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator("#history")).to_contain_text(HOSTILE)
    expect(page).to_have_title(f"{HOSTILE} · PhotoSync")
    assert page.locator("img[src=x]").count() == 0
    assert page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return false } catch { return true } }"
    )
    # The browser reports the attempt.
    assert all("TrustedHTML" in fault for fault in tab.faults)
    tab.faults.clear()


def test_search_and_filter(api: StandIn, visit: Open):
    """Search and status narrow the list and are in the address, so that it can be shared."""
    page = visit(api.home).page
    page.get_by_label("Find a person").fill("bert")
    expect(page.locator("#rows .name")).to_have_text(["Bert Xu"])

    page.get_by_label("Find a person").fill("")
    page.get_by_label("Status", exact=True).select_option("Waiting")
    expect(page.locator("#rows .name")).to_have_text(["Grace O'Neill"])
    assert page.url.endswith("#/?status=waiting")

    page.get_by_role("navigation", name="People by status").get_by_text("Failed").click()
    expect(page.locator("#rows")).to_contain_text("is not a picture that can be read")
    assert page.get_by_label("Status", exact=True).input_value() == "failed"


def type_and(page: Page, action: str) -> None:
    """Type into the search and run *action* at once: on a busy machine, a click may come later."""
    page.get_by_role("link", name="Bert Xu").wait_for()
    page.clock.install()
    page.evaluate(
        f"""() => {{
            const typed = document.getElementById("search");
            typed.value = "be";
            typed.dispatchEvent(new Event("input"));
            {action};
        }}"""
    )


def test_link_while_typing(api: StandIn, visit: Open):
    """A link followed right after typing is not undone by the delayed search."""
    page = visit(api.home).page
    links = "[...document.querySelectorAll('#rows a')]"
    type_and(page, f"{links}.find((each) => each.textContent === 'Bert Xu').click()")
    expect(page.locator("#verdict")).to_contain_text("Both sides agree")
    page.clock.run_for(1000)  # longer than the page waits for another letter

    expect(page.get_by_role("heading", level=1)).to_have_text("Bert Xu")


def test_link_whose_view_has_not_opened_yet(api: StandIn, visit: Open):
    """The delayed search does not undo an address that the page has not been notified of yet."""
    page = visit(api.home).page
    # A browser changes the address first; on a busy machine, the event follows later.
    type_and(page, "history.pushState(null, '', '#/users/bert.x@contoso.com')")
    page.clock.run_for(1000)
    assert page.url.endswith("#/users/bert.x@contoso.com")

    page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
    expect(page.get_by_role("heading", level=1)).to_have_text("Bert Xu")


def test_sign_out_while_typing(api: StandIn, visit: Open):
    """What was typed last does not get into the address after signing out."""
    page = visit(api.home).page
    type_and(page, "document.getElementById('forget').click()")
    page.clock.run_for(1000)

    assert "search" not in page.url


def test_look_up_an_unknown_person(api: StandIn, visit: Open):
    """An object id is not searched but can be looked up; an unknown one is reported."""
    nobody = "00000000-0000-4000-8000-00000000dead"
    page = visit(api.home, expected={404}).page
    page.get_by_label("Find a person").fill(nobody)
    page.get_by_role("link", name=f"Look up {nobody} in Microsoft 365").click()

    expect(page.get_by_role("alert").filter(has_text="knows nobody")).to_be_visible()


def test_paging(api: StandIn, visit: Open):
    """Short and empty pages are followed automatically; a button loads more and keeps the focus."""
    api.people = [Person(f"Person {n:03}", f"p{n}@contoso.com") for n in range(60)]
    api.people.append(Person("Zoe Last", "zoe@contoso.com", "failed", "It failed."))
    api.page_size = 20
    page = visit(api.home).page
    expect(page.locator("#rows tr")).to_have_count(25)

    page.get_by_role("button", name="Show more").press("Enter")
    expect(page.locator("#rows tr")).to_have_count(50)
    expect(page.get_by_role("link", name="Person 025")).to_be_focused()

    page.get_by_label("Find a person").fill("zoe")
    expect(page.locator("#rows .name")).to_have_text(["Zoe Last"])


def test_times_in_words(api: StandIn, visit: Open):
    """A time is relative to the server's clock, with the full time in its title."""
    page = visit(api.home).page
    synced_at = page.get_by_role("row", name=re.compile("Bert Xu")).locator("time")

    expect(synced_at).to_have_text("3 minutes ago")
    expect(synced_at).to_have_attribute("title", re.compile(r"\d{4} at \d"))
    expect(page.locator("#version")).to_have_text("PhotoSync 9.8.7, packaged 3 days ago")


def test_state_is_shown_without_the_sides(api: StandIn, visit: Open):
    """During an outage the stored state is shown, and not that the two sides differ."""
    unknown = {"accountEnabled": None, "guest": None}
    user = {"userPrincipalName": "anne@contoso.com", "displayName": "Anne", **unknown}
    api.person = {"agree": None, "difference": "Graph is down.", "profile": None, "user": user}
    page = visit(api.anne).page

    expect(page.locator("#verdict")).to_contain_text("The two sides were not comparedGraph is down")
    expect(page.locator("#known")).to_contain_text("Checked")
    expect(page.locator("#profile")).to_contain_text("could not be read")
    expect(page.locator("#person-badges")).to_have_text("Synced")


def test_name_with_a_direction_override(api: StandIn, visit: Open):
    """A direction override in a name does not change the order of the text beside it."""
    api.people = [Person("\u202eevila", "eve@contoso.com", "failed", "It failed.")]
    page = visit(api.home).page
    failure = page.locator("#failures li")
    name, time = failure.locator("a").bounding_box(), failure.locator("time").bounding_box()

    assert name
    assert time
    assert name["x"] < time["x"]


def test_outage_of_the_app(api: StandIn, visit: Open):
    """If the app does not answer, the page says so and keeps what it showed."""
    tab = visit(api.home)
    expect(tab.page.locator("#rows tr")).to_have_count(8)
    tab.page.route("**/overview", lambda route: route.abort())
    tab.page.route("**/users?**", lambda route: route.abort())
    tab.page.get_by_role("button", name="Refresh").click()

    expect(tab.page.locator("#trouble")).to_contain_text("does not respond")
    # The most conspicuous banner of the page.
    ground = tab.page.locator("#trouble").evaluate("it => getComputedStyle(it).backgroundColor")
    assert ground == "rgb(173, 35, 24)"
    expect(tab.page.locator("#tiles")).to_contain_text("8All")
    assert all("ERR_FAILED" in fault for fault in tab.faults)
    tab.faults.clear()
