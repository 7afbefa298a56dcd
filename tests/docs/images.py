"""`python -m tests.docs.images` makes docs/images: a run of the demo, and its console."""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from local.cloud.endpoints import Endpoints
from local.cloud.stack import Stack
from local.demo import people
from local.demo.montage import Pair, montage
from local.demo.story import Demo, Result
from local.outside.tenant_client import TenantClient
from tests import REPO
from tests.shared.console.page.browser import find_chromium, running_browser

FOLDER = REPO / "docs" / "images"
# One row of the demo's people, with most of the possible results.
_SHOWN = ("Anne Keller", "Bert Xu", "Chidi Eze", "Grace O'Neill", "Kaya Fields")


def main(chromium: str) -> None:
    """Run the demo once, then open its console. Writes demo.webp and console.webp."""
    with tempfile.TemporaryDirectory() as temporary, Stack(Path(temporary)) as stack:
        results, _ = Demo(stack, print, lambda done, everybody: None).run()
        sheet = Path(temporary) / "sheet.png"
        montage([_pair(each) for each in results if each.person.name in _SHOWN], sheet)
        _write("demo", sheet.read_bytes())
        at = stack.endpoints
        _damage(at, results[0])
        with running_browser(chromium, Path(at.ca).with_name("server.pem")) as browser:
            page = browser.new_page(viewport={"width": 1200, "height": 930}, color_scheme="light")
            page.goto(f"{at.functions}/api/console?code={at.key}#/users/{results[0].person.upn}")
            _write("console", _seen(page))


def _damage(at: Endpoints, result: Result) -> None:
    """Somebody puts another picture into the file that SharePoint shows."""
    content, _ = people.photo_of("jpeg", 37)
    files = {f"{result.user_id}_LThumb.jpg": base64.b64encode(content).decode()}
    admin = TenantClient(at, at.client_id, Path(at.client_certificate))
    admin.control("PATCH", f"/users/{result.user_id}", {"damage": {"files": files}})


def _pair(result: Result) -> Pair:
    # No milliseconds: services on this machine are faster than any tenant's.
    return Pair(
        name=result.person.name,
        outcome=result.status,
        detail=result.fault or result.detail or result.person.why,
        exchange=result.exchange,
        sharepoint=result.sharepoint.get("L"),
        milliseconds=None,
        matches=not result.fault,
    )


def _seen(page: Page) -> bytes:
    expect(page.locator("#verdict")).to_contain_text("differ")
    expect(page.locator(".photo.busy:visible")).to_have_count(0)
    return page.screenshot()


def _write(name: str, picture: bytes) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Image.open(io.BytesIO(picture)) as opened:
        opened.convert("RGB").save(FOLDER / f"{name}.webp", quality=88, method=6)


if __name__ == "__main__":
    found = find_chromium()
    if not found:
        sys.exit("No Chromium is installed (Debian: apt-get install chromium).")
    main(found)
