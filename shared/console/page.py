"""The console's page: one file without data, and the headers that fence it in."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path

_FILE = Path(__file__).with_name("console.html")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_SCRIPT = re.compile(r'<script type="module">(.*?)</script>', re.DOTALL)


def page() -> tuple[str, dict[str, str]]:
    """The page and its headers; it runs no script and loads nothing but what is in the file."""
    text, policy = _read()
    return text, {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


@functools.cache
def _read() -> tuple[str, str]:
    # Line ends are made "\n" here: a browser does so before it hashes, whatever the file has.
    text = _FILE.read_text("utf-8")
    return text, "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hashes(_SCRIPT, text)}",
            f"style-src {_hashes(_STYLE, text)}",
            # Pictures are fetched with the key; only the small icon of the tab is a data: URL.
            "img-src blob: data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # The browser itself refuses to take text for HTML, whatever the script says.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hashes(part: re.Pattern[str], text: str) -> str:
    digests = (hashlib.sha256(found.encode()).digest() for found in part.findall(text))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
