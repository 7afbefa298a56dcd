"""An installed Chromium for tests, which records every fault of a page."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from local.cloud.node import find_node, install_packages
from local.cloud.occupancy import MARK
from tests import REPO

SCREENS = REPO / ".local" / "screens"
_AXE = Path(__file__).with_name("axe")
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# How often the window of a screenshot follows a page that grows.
_GROWTHS = 20
_SHOWN_OR_HIGHER = """() =>
    document.documentElement.scrollHeight > innerHeight
    || ![...document.querySelectorAll(".photo.busy")].some((each) => each.checkVisibility())"""


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def running_browser(chromium: str, certificate: Path | None = None) -> Iterator[Browser]:
    """A browser that trusts one certificate besides the machine's own authorities."""
    flags = list(_FLAGS)
    if certificate:
        flags.append(f"--ignore-certificate-errors-spki-list={_key_hash(certificate)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        try:
            yield browser
        finally:
            browser.close()


def _key_hash(certificate: Path) -> str:
    public = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(info).digest()).decode()


@dataclass
class Visit:
    """A tab and its faults. `expected` are the statuses that a test provokes."""

    page: Page
    origin: str
    expected: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def _told(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        # Chromium reports a redirect that it may not follow, even if the page no longer waits.
        if 302 in self.expected and "/.auth/login/" in message.text + message.location["url"]:
            return
        # Chromium reports every answer from 400 on as an error, including "no photo".
        if "Failed to load resource" in message.text:
            no_photo = "/photo/" in message.location["url"] and "404" in message.text
            if no_photo or any(str(status) in message.text for status in self.expected):
                return
        self.faults.append(f"console: {message.text} ({message.location['url']})")

    def _asked(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("blob", "data") and f"{url.scheme}://{url.netloc}" != self.origin:
            self.faults.append(f"request to another origin: {request.url}")

    def screenshot(self, name: str) -> None:
        SCREENS.mkdir(parents=True, exist_ok=True)
        # So that a local cloud may use the folder afterwards.
        (SCREENS.parent / MARK).touch()
        size = self.page.viewport_size
        assert size
        # Pictures out of sight are not loaded, and what arrives late makes the page higher: so the
        # window follows the page until all of it is in sight.
        expect(self.page.locator("[aria-busy]:visible")).to_have_count(0)
        busy = self.page.locator(".photo.busy:visible")
        for _ in range(_GROWTHS):
            height = self.page.evaluate("document.documentElement.scrollHeight")
            self.page.set_viewport_size({"width": size["width"], "height": height})
            self.page.wait_for_function(_SHOWN_OR_HIGHER)
            if not busy.count():
                break
        expect(busy).to_have_count(0)
        self.page.screenshot(path=SCREENS / f"{name}.png")
        self.page.set_viewport_size(size)


# Opens an address in a new tab.
Open = Callable[..., Visit]


def axe_source() -> str:
    """The script of axe-core, installed on first use."""
    install_packages(_AXE, find_node())
    return (_AXE / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def serious_faults(page: Page, axe: str) -> list[str]:
    """What axe finds on *page* that is serious or critical, one line each."""
    page.evaluate(axe)
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {json.dumps([node['target'] for node in fault['nodes']])}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
    ]
