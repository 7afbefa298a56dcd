"""A running local cloud for the page, in which no notification may fail, and the page's search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.e2e.cloud import LiveCloud, quiet_cloud


@contextmanager
def live_cloud(folder: Path, *, sign_in: bool = False) -> Iterator[LiveCloud]:
    with quiet_cloud(folder, sign_in=sign_in) as running:
        running.subscribe()
        yield running
        assert running.failed_runs() == []


def search(page: Page, text: str) -> None:
    """Type *text* into the search, and wait for the list: its links are replaced once more."""
    page.get_by_label("Find a person").fill(text)
    expect(page).to_have_url(re.compile(f"search={quote(text, safe='')}$"))
    expect(page.locator("#people[aria-busy]")).to_have_count(0)
