"""A browser, tabs that must stay without a fault, and the stand-in for the API."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open, Visit
from tests.shared.console.page.serving import serving
from tests.shared.console.page.stand_in import HOSTILE, Person, StandIn, ago

# Waits for what must come at last; a busy machine is no fault of the page.
expect.set_options(timeout=120_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # A mark, since pytest folds marked tests into one line a file.
    if not browsers.find_chromium():
        why = "No Chromium here (Debian: apt-get install chromium): the page is not tried"
        for item in items:
            if "chromium" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def chromium() -> str:
    found = browsers.find_chromium()
    assert found
    return found


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # Not for the whole session: Playwright's event loop would be in the way of other tests.
    with browsers.running_browser(chromium) as running:
        yield running


@pytest.fixture(scope="session")
def axe() -> str:
    return browsers.axe_source()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Open an address in a new tab; at the end of the test no tab may have had a fault."""
    visits: list[Visit] = []

    def open_tab(url: str, *, expected: Collection[int] = (), **options: Any) -> Visit:
        tab = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        tab.set_default_timeout(120_000)
        at = urlsplit(url)
        opened = Visit(tab.new_page(), f"{at.scheme}://{at.netloc}", set(expected))
        opened.watch()
        visits.append(opened)
        opened.page.goto(url)
        return opened

    yield open_tab
    for each in visits:
        each.page.context.close()
    assert [fault for each in visits for fault in each.faults] == []


@pytest.fixture
def api() -> Iterator[StandIn]:
    people = [
        Person("Anne Keller", "anne@contoso.com", exchange=77, sharepoint=0, synced_at=ago(days=9)),
        Person("Bert Xu", "bert.x@contoso.com", exchange=1, sharepoint=1, synced_at=ago(minutes=3)),
        Person(
            "Chidi Eze",
            "chidi@contoso.com",
            "failed",
            "The photo in Exchange is not a picture that can be read.",
            exchange=2,
            sharepoint=None,
        ),
        Person("Dana Novak", "dana@contoso.com", synced_at=ago(hours=2), exchange=3, sharepoint=3),
        Person(HOSTILE, "hostile@contoso.com", "skipped", HOSTILE, exchange=4, sharepoint=4),
        Person(
            "Jonas Weber",
            "jonas@contoso.com",
            "no-photo",
            "Exchange has no photo of this user.",
            exchange=None,
            sharepoint=None,
        ),
        Person(
            "Kaya Fields",
            "kaya_fabrikam.com#EXT#@contoso.com",
            "skipped",
            "A guest: INCLUDE_GUESTS is off.",
            exchange=None,
            sharepoint=None,
        ),
        Person(
            "Grace O'Neill",
            "grace.o'neill@contoso.com",
            "waiting",
            "SharePoint asked to slow down; the next try is at 09:41.",
            exchange=6,
            sharepoint=7,
        ),
    ]
    with serving(StandIn(people)) as running:
        yield running
