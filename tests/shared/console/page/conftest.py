"""A browser, tabs in which no fault may occur, and the stand-in for the API."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.shared.console.page import browser as browsers
from tests.shared.console.page.browser import Open, Visit
from tests.shared.console.page.serving import serving
from tests.shared.console.page.stand_in import HOSTILE, Person, StandIn, ago

UNREADABLE = "The photo in Exchange is not a picture that can be read."
# The page must get there in the end; a busy machine may take long.
expect.set_options(timeout=120_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # A mark, because pytest summarizes marked tests in one line per file.
    if not browsers.find_chromium():
        why = "No Chromium here (Debian: apt-get install chromium): the page is not tested"
        for item in items:
            if "chromium" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=why))


@pytest.fixture(scope="session")
def chromium() -> str:
    found = browsers.find_chromium()
    assert found
    return found


@pytest.fixture(scope="module")
def certificate() -> Path | None:
    """A certificate that the browser also trusts."""
    return None


@pytest.fixture(scope="module")
def browser(chromium: str, certificate: Path | None) -> Iterator[Browser]:
    # Not for the whole session: Playwright's event loop would disturb other tests.
    with browsers.running_browser(chromium, certificate) as running:
        yield running


@pytest.fixture(scope="session")
def axe() -> str:
    return browsers.axe_source()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Open an address in a new tab; after the test, no tab may have had a fault."""
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
        Person("Chidi Eze", "chidi@contoso.com", "failed", UNREADABLE, 2, None),
        Person("Dana Novak", "dana@contoso.com", synced_at=ago(hours=2), exchange=3, sharepoint=3),
        Person(HOSTILE, "hostile@contoso.com", "skipped", HOSTILE, 4, 4),
        Person("Jonas Weber", "jonas@contoso.com", "no-photo", "There is no photo.", None, None),
        Person("Kaya Fields", "kaya_x.com#EXT#@contoso.com", "skipped", "A guest.", None, None),
        Person(
            "Grace O'Neill", "grace.o'neill@contoso.com", "waiting", "SharePoint is busy.", 6, 7
        ),
    ]
    with serving(StandIn(people)) as running:
        yield running
