"""How the page looks: screenshots in .local/screens for people, and axe-core."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from playwright.sync_api import expect

from local.cloud.occupancy import make_ours
from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open
from tests.shared.console.page.stand_in import Person, StandIn, ago, audit, order, sweep

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": {"width": 375, "height": 800}},
    "phone-dark": {"color_scheme": "dark", "viewport": {"width": 375, "height": 800}},
    "tablet": {"color_scheme": "light", "viewport": {"width": 768, "height": 1000}},
    "wide": {"color_scheme": "light", "viewport": {"width": 1800, "height": 1000}},
}
VIEWS = {
    "person": "#/users/anne%40contoso.com",
    "doctor": "#/doctor",
    "log": "#/history",
    "unchecked": "#/?search=kim%40contoso.com",
}
TROUBLE = {
    "dryRun": True,
    "brake": {"engaged": True, "gone": 21, "managed": 300, "detail": ""},
    "sweep": sweep(),
    "audit": audit(repairs="braked", differ=34, detail="34 of the 300 checked pictures differ."),
    "repairBrake": {"engaged": True, "differ": 34, "detail": "34 of the 300 pictures differ."},
    "differ": 34,
    "subscription": {
        "status": "failed",
        "detail": "Graph could not reach WEBHOOK_URL: it gave up after 10 seconds.",
        "expiresAt": ago(hours=2),
        "checkedAt": ago(minutes=9),
    },
    "unreadable": [
        {
            "name": "unreadable/2026-11-20T08-00-00-1.json",
            "reason": "It names no user: type an address or an object id.",
            "body": "please sync anne",
        }
    ],
}


SHOWN = [
    *product(("home", "person", "trouble"), LOOKS),
    *product(("key", "doctor", "log", "unchecked"), ("light", "phone-dark")),
]


@pytest.mark.parametrize(("view", "look"), SHOWN)
def test_no_serious_fault(api: StandIn, visit: Open, axe: str, view: str, look: str):
    """Each view is accessible and fits its window: light, dark, narrow and wide."""
    api.log = [order(userPrincipalName="anne@contoso.com", options="force")]
    api.people.append(Person("Kim Ng", "kim@contoso.com", ""))
    if view == "trouble":
        api.overview = TROUBLE
    tab = visit(api.url if view == "key" else api.home + VIEWS.get(view, ""), **LOOKS[look])
    expect(tab.page.get_by_text("Loading …").filter(visible=True)).to_have_count(0)
    expect(tab.page.get_by_text("This takes a few seconds")).to_be_hidden()
    expect(tab.page.get_by_text("Reading Exchange")).to_be_hidden()
    tab.screenshot(f"{view}-{look}")
    make_ours(browsers.SCREENS.parent)

    assert browsers.serious_faults(tab.page, axe) == []
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
