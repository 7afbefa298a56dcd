"""The page as a document: what its headers allow, and that it is complete."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from shared.console.page import page

FOLDER = Path(page.__file__).parent
HANDLER_OR_STYLE = re.compile(r"on\w+|style")


class Parts(HTMLParser):
    """What a browser would run, apply or load: texts of scripts and styles, all attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: dict[str, list[str]] = {"script": [], "style": []}
        self.attributes: list[tuple[str, str]] = []
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.texts:
            self.texts[self._open][-1] += data


@pytest.fixture(scope="module")
def parts() -> Parts:
    found = Parts()
    found.feed(page.page(sign_in=False)[0])
    return found


def policy() -> dict[str, str]:
    text = page.page(sign_in=False)[1]["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in text.split("; "))


def hashes(texts: list[str]) -> str:
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def test_policy_allows_only_what_is_in_the_document(parts: Parts):
    """The script and each style by hash, pictures and our own API are allowed, and nothing more."""
    assert len(parts.texts["script"]) == 1
    assert policy() == {
        "default-src": "'none'",
        "script-src": hashes(parts.texts["script"]),
        "style-src": hashes(parts.texts["style"]),
        "img-src": "blob: data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def test_nothing_is_blocked_or_loaded(parts: Parts):
    """The policy blocks nothing of the page, which names no address on another host."""
    addresses = [value for name, value in parts.attributes if name in ("href", "src")]

    assert [name for name, _ in parts.attributes if HANDLER_OR_STYLE.fullmatch(name)] == []
    assert [
        value for value in addresses if not value.startswith(("#", "data:image/", "/.auth/"))
    ] == []
    assert set(re.findall(r"https?://[^\s'\"]+", page.page(sign_in=False)[0])) == {
        "http://www.w3.org/2000/svg"
    }


def test_every_file_is_in_it(parts: Parts):
    """Each style of the folder is in the document unchanged, each module once."""
    styles = sorted(file.read_text("utf-8") for file in FOLDER.glob("styles/*"))
    modules = sorted(file.name for file in FOLDER.glob("scripts/*"))

    assert sorted(text.removeprefix("\n") for text in parts.texts["style"]) == styles
    assert sorted(re.findall(r'^modules\$\["(.+)"\] = ', parts.texts["script"][0], re.M)) == modules


@pytest.mark.parametrize(
    "markup",
    [
        '<script type="module" src="scripts/ends.js"></script>',
        '<script src="scripts/fine.js"></script>',
        '<link href="styles/fine.css" rel="stylesheet">',
    ],
    ids=["ends too early", "not a module", "unknown markup"],
)
def test_what_would_not_run_is_an_error(tmp_path: Path, markup: str):
    """A page that a browser would not run as written is an error."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "fine.js").write_text("")
    (tmp_path / "scripts" / "ends.js").write_text('"</script>";\n')
    (tmp_path / "console.html").write_text(markup)

    with pytest.raises(ValueError, match=r"must not be in|would not let it in"):
        page.assembled(tmp_path)


def test_headers():
    """The page is not cached, sends no referrer, and is not sniffed."""
    _, headers = page.page(sign_in=False)

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
