"""The console's page: one document without data, and the headers that restrict it."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path

from shared.console.page import modules

_FOLDER = Path(__file__).parent
# The markup names its files like any page, so that editors understand it.
_STYLE = re.compile(r'<link rel="stylesheet" href="(styles/[a-z]+\.css)">')
_SCRIPT = re.compile(r'<script type="module" src="(scripts/[a-z]+\.js)"></script>')
# How people get in, written before any script runs and outside what the policy hashes.
_BY_KEY, _BY_SIGN_IN = 'data-entry="key"', 'data-entry="sign-in"'
_ELSEWHERE = re.compile(r"<link [^>]*stylesheet[^>]*>|<script [^>]*src[^>]*>")
_INLINE_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_INLINE_SCRIPT = re.compile(r'<script type="module">(.*?)</script>', re.DOTALL)


def page(*, sign_in: bool) -> tuple[str, dict[str, str]]:
    """
    The page and its headers; the page runs and loads only what is in the document.

    With *sign_in* it asks people to sign in with Microsoft, otherwise for a function key.
    """
    text, policy = assembled(_FOLDER)
    if sign_in:
        text = text.replace(_BY_KEY, _BY_SIGN_IN, 1)
    return text, {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


@functools.cache
def assembled(folder: Path) -> tuple[str, str]:
    """The document and its policy, with each file that the markup names inlined."""
    # Line ends become "\n" when files are read: a browser does the same before it hashes.
    text = (folder / "console.html").read_text("utf-8")
    text = _STYLE.sub(lambda found: _style(folder / found[1]), text)
    text = _SCRIPT.sub(lambda found: _script(folder / found[1]), text)
    if left := _ELSEWHERE.search(text):
        raise ValueError(f"console.html: the policy would not let it in: {left[0]}")
    return text, _policy(text)


def _style(file: Path) -> str:
    return f"<style>\n{_inlined(file.read_text('utf-8'))}</style>"


def _script(file: Path) -> str:
    return f'<script type="module">\n{_inlined(modules.joined(file))}</script>'


def _inlined(text: str) -> str:
    # Either would end the element early, or hide its end.
    if found := re.search(r"</|<!--", text):
        around = text[max(found.start() - 50, 0) : found.end() + 50]
        raise ValueError(f"{found[0]} must not be in a style or a script: {around}")
    return text


def _policy(text: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hashes(_INLINE_SCRIPT, text)}",
            f"style-src {_hashes(_INLINE_STYLE, text)}",
            # Pictures are fetched with the key; only the tab's small icon is a data: URL.
            "img-src blob: data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # The browser itself refuses to parse text as HTML, whatever the script says.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hashes(part: re.Pattern[str], text: str) -> str:
    digests = (hashlib.sha256(found.encode()).digest() for found in part.findall(text))
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
