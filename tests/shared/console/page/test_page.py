"""The page as a file: what its headers allow."""

from __future__ import annotations

import re

from shared.console import page


def policy() -> dict[str, str]:
    text = page.page()[1]["Content-Security-Policy"]
    return dict(part.split(" ", 1) for part in text.split("; "))


def test_policy_allows_only_what_is_in_the_file():
    """Nothing is allowed but one hashed style, one hashed script, pictures, and our own API."""
    allowed = policy()

    assert allowed["default-src"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", allowed["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", allowed["style-src"])
    assert allowed["connect-src"] == "'self'"
    assert allowed["frame-ancestors"] == "'none'"
    assert "unsafe" not in " ".join(allowed.values())


def test_every_script_and_style_is_hashed():
    """The file has no script, style or handler that the policy would silently switch off."""
    text, _ = page.page()

    assert len(re.findall("<script", text)) == len(re.findall("<style", text)) == 1
    assert not re.search(r"<[^>]*\s(on\w+|style)=", text.split("<script")[0])


def test_no_outside_resource():
    """No address of another host is in the page but the name space of its icon."""
    text, _ = page.page()

    assert set(re.findall(r"https?://[^\s'\"]+", text)) == {"http://www.w3.org/2000/svg"}


def test_headers():
    """The page is kept nowhere, sends no referrer and is taken for nothing else."""
    _, headers = page.page()

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
