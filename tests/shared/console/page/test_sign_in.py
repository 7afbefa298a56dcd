"""The page with a Microsoft sign-in: who is signed in, and which orders they may give."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import StandIn

ANNE = "#/users/anne%40contoso.com"


def test_viewer_sees_disabled_buttons(api: StandIn, visit: Open, axe: str):
    """A Viewer sees every order's button disabled, and a sentence names the role needed."""
    api.role = "Viewer"
    lost = {**api.doctor["checks"][0], "name": "subscription", "ok": False}
    api.doctor = {"ok": False, "checks": [lost]}
    api.overview["brake"] = {"engaged": True, "gone": 21, "left": 0, "managed": 300, "detail": ""}
    page = visit(api.url).page
    expect(page.locator("#who")).to_have_text("anne@contoso.com (Viewer)")
    expect(page.locator("#viewer")).to_contain_text("Orders need the role Operator")
    for name in ("Start a sweep", "Audit and repair now", "Release removals …"):
        expect(page.get_by_role("button", name=name)).to_be_disabled()
    assert browsers.serious_faults(page, axe) == []

    page.goto(f"{api.url}{ANNE}")
    expect(page.locator("#verdict")).to_contain_text("differ")
    expect(page.locator("#replay")).to_be_disabled()
    assert browsers.serious_faults(page, axe) == []

    page.get_by_role("link", name="Health check").click()
    expect(page.get_by_role("button", name="Renew the subscription now")).to_be_disabled()
    assert api.orders == []


def test_role_removed_meanwhile(api: StandIn, visit: Open):
    """An Operator orders without a key; the app's refusal is shown, and the person stays."""
    api.role = "Operator"
    page = visit(f"{api.url}{ANNE}", expected={403}).page
    page.locator("#replay").click()
    expect(page.locator("#replay-message")).to_contain_text("Done: synced.")
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.get_by_role("link", name="Sign out")).to_have_attribute("href", "/.auth/logout")
    api.role = "Viewer"
    page.locator("#replay").click()

    expect(page.locator("#replay-message")).to_contain_text("need the role Operator")
    expect(page.locator("#person-title")).to_be_visible()


def test_session_has_ended(api: StandIn, visit: Open, axe: str):
    """All data disappear, and a link leads to the login and back."""
    api.role = "Viewer"
    page = visit(api.url, expected={302}).page
    expect(page.locator("#rows")).to_contain_text("Anne Keller")
    # A picture that still loads would end the session before the button is pressed.
    expect(page.locator(".photo.busy:visible")).to_have_count(0)
    api.role = ""
    # Not a click: the page refreshes itself every half minute, and may have hidden the button.
    page.evaluate("document.getElementById('refresh').click()")

    expect(page.locator("#not-signed-in")).to_have_text("You are signed out.")
    expect(page.get_by_role("link", name="Sign in with Microsoft")).to_have_attribute(
        "href", "/.auth/login/aad?post_login_redirect_uri=%2Fapi%2Fconsole"
    )
    expect(page.locator("#rows")).not_to_contain_text("Anne Keller")
    assert browsers.serious_faults(page, axe) == []
