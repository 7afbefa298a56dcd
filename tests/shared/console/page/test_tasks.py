"""What the page does, in a real browser, with made-up answers of the API."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.shared.console.page.browser import Open
from tests.shared.console.page.serving import KEY
from tests.shared.console.page.stand_in import HOSTILE, Person, StandIn, ago

ANNE = f"?code={KEY}#/users/anne%40contoso.com"


def type_key(page: Page, key: str) -> None:
    page.get_by_label("Function key").fill(key)
    page.keyboard.press("Enter")


def test_key_is_typed_once(api: StandIn, visit: Open):
    """The page asks for the key, keeps it for the tab, and asks again once it is forgotten."""
    page = visit(api.url).page
    type_key(page, KEY)
    expect(page.get_by_role("heading", level=1)).to_have_text("1 copy failed")
    # A screen reader goes on where the form was.
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    page.reload()
    expect(page.get_by_role("link", name="Anne Keller")).to_be_visible()

    page.get_by_role("button", name="Forget key").click()
    page.reload()
    expect(page.get_by_label("Function key")).to_be_focused()
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_nothing_stays_without_a_key(api: StandIn, visit: Open):
    """A key that is forgotten takes every banner along."""
    api.overview["brake"] = {"engaged": True, "gone": 2, "left": 0, "managed": 30, "detail": ""}
    api.overview["repairBrake"] = {"engaged": True, "differ": 3, "detail": ""}
    api.overview |= {"subscription": None, "dryRun": True}
    api.overview["uninstall"] = {"status": "running", "left": 3}
    page = visit(f"{api.url}?code={KEY}").page
    expect(page.locator(".banner:visible")).to_have_count(4)
    page.get_by_role("button", name="Forget key").click()

    expect(page.get_by_label("Function key")).to_be_focused()
    assert page.locator(".banner:visible").count() == 0


def test_key_leaves_the_address(api: StandIn, visit: Open):
    """A key in the address is taken and is then neither in the address nor in the history."""
    page = visit(f"{api.url}?code={KEY}&x=1#/?status=failed").page
    expect(page.get_by_role("link", name="Chidi Eze").first).to_be_visible()

    assert page.url == f"{api.url}?x=1#/?status=failed"
    assert page.evaluate("history.length") == 2  # the empty tab, and this page


def test_wrong_key(api: StandIn, visit: Open):
    """A key that is not accepted, or cannot be one, is named as such and asked for again."""
    page = visit(api.url, expected={401}).page
    type_key(page, "wrong")
    expect(page.get_by_role("alert")).to_contain_text("This key was not accepted.")
    expect(page.get_by_label("Function key")).to_be_focused()

    type_key(page, "schlüssel")
    expect(page.get_by_role("alert")).to_contain_text("This is not a function key")

    type_key(page, f" {KEY} ")
    expect(page.get_by_role("link", name="Anne Keller")).to_be_visible()


def test_hostile_names_stay_text(api: StandIn, visit: Open):
    """Whatever a name, a detail or a message holds, it is shown and never becomes markup."""
    message = {"name": HOSTILE, "reason": HOSTILE, "body": HOSTILE}
    api.overview = {
        "unreadable": [message],
        "brake": {"engaged": True, "gone": 1, "detail": HOSTILE},
    }
    page = visit(f"{api.url}?code={KEY}").page
    expect(page.get_by_role("link", name=HOSTILE)).to_be_visible()
    expect(page.locator("#unreadable")).to_contain_text(HOSTILE)

    page.get_by_role("link", name=HOSTILE).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(page.locator("#history")).to_contain_text(HOSTILE)
    expect(page).to_have_title(f"{HOSTILE} · PhotoSync")
    assert page.locator("img[src=x]").count() == 0


def test_browser_refuses_markup(api: StandIn, visit: Open):
    """The policy forbids turning text into markup, whatever the script tries."""
    tab = visit(f"{api.url}?code={KEY}")
    refused = tab.page.evaluate(
        "() => { try { document.body.innerHTML = '<b>x</b>'; return false } catch { return true } }"
    )
    tab.faults.clear()  # the browser tells of the attempt

    assert refused


def test_search_and_filter(api: StandIn, visit: Open):
    """Search and status narrow the list, and stand in the address, to be sent to a colleague."""
    page = visit(f"{api.url}?code={KEY}").page
    page.get_by_label("Find a person").fill("bert")
    expect(page.locator("#rows .name")).to_have_text(["Bert Xu"])

    page.get_by_label("Find a person").fill("")
    page.get_by_label("Status", exact=True).select_option("Waiting")
    expect(page.locator("#rows .name")).to_have_text(["Grace O'Neill"])
    assert page.url.endswith("#/?status=waiting")

    page.get_by_role("navigation", name="People by status").get_by_text("Failed").click()
    expect(page.locator("#rows")).to_contain_text("is not a picture that can be read")
    assert page.get_by_label("Status", exact=True).input_value() == "failed"


def test_going_on_while_typing(api: StandIn, visit: Open):
    """Who follows a link right after typing stays there: the search does not lead back."""
    page = visit(f"{api.url}?code={KEY}").page
    link = page.get_by_role("link", name="Bert Xu")
    link.wait_for()
    page.clock.install()
    page.get_by_label("Find a person").fill("be")
    link.click()
    expect(page.locator("#verdict")).to_contain_text("Both sides agree")
    page.clock.run_for(1000)  # longer than the page waits for another letter

    expect(page.get_by_role("heading", level=1)).to_have_text("Bert Xu")


def test_unknown_person_can_be_asked_for(api: StandIn, visit: Open):
    """Nobody is searched by object id, but may be asked for; who is nobody gets a sentence."""
    nobody = "00000000-0000-4000-8000-00000000dead"
    page = visit(f"{api.url}?code={KEY}", expected={404}).page
    page.get_by_label("Find a person").fill(nobody)
    page.get_by_role("link", name=f"Look up {nobody} in Microsoft 365").click()

    expect(page.get_by_role("alert").filter(has_text="knows nobody")).to_be_visible()


def test_pages_go_on(api: StandIn, visit: Open):
    """Short and empty pages are followed by the next; a long list by a button that keeps focus."""
    api.people = [Person(f"Person {n:03}", f"p{n}@contoso.com") for n in range(60)]
    api.people.append(Person("Zoe Last", "zoe@contoso.com", "failed", "It failed."))
    api.page_size = 20
    page = visit(f"{api.url}?code={KEY}").page
    expect(page.locator("#rows tr")).to_have_count(25)

    page.get_by_role("button", name="Show more").press("Enter")
    expect(page.locator("#rows tr")).to_have_count(50)
    expect(page.get_by_role("link", name="Person 025")).to_be_focused()

    page.get_by_label("Find a person").fill("zoe")
    expect(page.locator("#rows .name")).to_have_text(["Zoe Last"])


def test_times_in_words(api: StandIn, visit: Open):
    """A time is told in words, by the server's clock, with the full time in the title."""
    page = visit(f"{api.url}?code={KEY}").page
    told = page.get_by_role("row", name=re.compile("Bert Xu")).locator("time")

    expect(told).to_have_text("3 minutes ago")
    expect(told).to_have_attribute("title", re.compile(r"\d{4} at \d"))


def test_state_is_shown_without_the_sides(api: StandIn, visit: Open):
    """In an outage what PhotoSync remembers is shown, and not that the two sides differ."""
    unknown = {"accountEnabled": None, "guest": None}
    user = {"userPrincipalName": "anne@contoso.com", "displayName": "Anne", **unknown}
    api.person = {"agree": None, "difference": "Graph is down.", "profile": None, "user": user}
    page = visit(api.url + ANNE).page

    expect(page.locator("#verdict")).to_contain_text("The two sides were not comparedGraph is down")
    expect(page.locator("#known")).to_contain_text("Checked")
    expect(page.locator("#profile")).to_contain_text("could not be read")
    expect(page.locator("#person-badges")).to_have_text("Synced")


def test_name_that_turns_the_writing(api: StandIn, visit: Open):
    """A name with an override of direction turns itself alone, not the time beside it."""
    api.people = [Person("\u202eevila", "eve@contoso.com", "failed", "It failed.")]
    page = visit(f"{api.url}?code={KEY}").page
    failure = page.locator("#failures li")
    name, time = failure.locator("a").bounding_box(), failure.locator("time").bounding_box()

    assert name
    assert time
    assert name["x"] < time["x"]


def test_counts_that_are_old(api: StandIn, visit: Open):
    """Counts of a large tenant may be minutes old; then it is said of when they are."""
    api.overview["countedAt"] = ago(minutes=4)
    page = visit(f"{api.url}?code={KEY}").page
    expect(page.locator("#freshness")).to_contain_text("counted 4 minutes ago")

    api.overview["countedAt"] = ago(seconds=1)
    page.get_by_role("button", name="Refresh").click()
    expect(page.locator("#freshness")).not_to_contain_text("counted")


def test_silence_is_told(api: StandIn, visit: Open):
    """When the app does not answer, the page says so and keeps what it showed."""
    tab = visit(f"{api.url}?code={KEY}")
    expect(tab.page.locator("#rows tr")).to_have_count(8)
    tab.page.route("**/overview", lambda route: route.abort())
    tab.page.route("**/users?**", lambda route: route.abort())
    tab.page.get_by_role("button", name="Refresh").click()

    expect(tab.page.locator("#trouble")).to_contain_text("does not respond")
    # Nothing else on the page is as loud.
    ground = tab.page.locator("#trouble").evaluate("it => getComputedStyle(it).backgroundColor")
    assert ground == "rgb(173, 35, 24)"
    expect(tab.page.locator("#tiles")).to_contain_text("8All")
    assert all("ERR_FAILED" in fault for fault in tab.faults)
    tab.faults.clear()
