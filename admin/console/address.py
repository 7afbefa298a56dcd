"""The app's URL and key: checked before anything is sent; the key is never shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from admin.terminal.problems import Unusable
from shared.session import is_this_machine

# People paste the address of the console page; that works, too.
_ENDINGS = ("/api/console", "/api")
_EXAMPLE = "https://NAME.azurewebsites.net"


@dataclass(frozen=True)
class Address:
    """
    The app's base URL without a trailing slash, the function key, and the file of a private CA.

    Without a key, the user must sign in.
    """

    url: str
    key: str = field(repr=False)
    ca: str = ""

    @classmethod
    def check(cls, url: str, key: str, ca: str = "") -> Address:
        """The values from options or environment. Raises Unusable, which shows no value."""
        return cls(_checked_url(url.strip()), _checked_key(key.strip()), ca)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc


def _checked_url(text: str) -> str:
    if not text:
        raise Unusable(f"Set PHOTOSYNC_URL, or give --url, such as {_EXAMPLE}.")
    try:
        parts = urlsplit(text)
        host = parts.hostname
        # Both raise ValueError: an invalid port, or a host name with an empty or overlong label.
        parts.port, (host or "").encode("idna")
    except ValueError as error:
        raise Unusable(_bad_url()) from error
    if parts.scheme not in {"https", "http"} or not host or _is_odd(text):
        raise Unusable(_bad_url())
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise Unusable(f"{_bad_url()} The key belongs in PHOTOSYNC_KEY, not in the address.")
    if parts.scheme == "http" and not is_this_machine(host):
        raise Unusable("PHOTOSYNC_URL must begin with https://: http would expose the key.")
    return _base(parts)


def _bad_url() -> str:
    return f"PHOTOSYNC_URL must be the address of the function app, such as {_EXAMPLE}."


def _is_odd(text: str) -> bool:
    return not text.isprintable() or " " in text or "\\" in text


def _base(parts: SplitResult) -> str:
    path = parts.path.rstrip("/")
    for ending in _ENDINGS:
        path = path.removesuffix(ending)
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def _checked_key(text: str) -> str:
    # The key becomes a header, and characters pasted from a document would make that invalid.
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Unusable("PHOTOSYNC_KEY contains characters that no key has: copy the key again.")
    return text
