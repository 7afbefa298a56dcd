"""What a session sends and where: it ignores .netrc and follows no redirect."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy

from shared.microsoft365.tokens import _Session as EntraSession
from shared.session import OneHostSession
from tests.doubles.web import Answer, FunctionAdapter

SESSIONS = pytest.mark.parametrize(
    "session", [OneHostSession(), EntraSession()], ids=["every call", "msal"]
)


class Elsewhere(FunctionAdapter):
    """Redirects every request to another host, and records what was sent."""

    def __init__(self) -> None:
        super().__init__(self._redirect)
        self.asked: list[requests.PreparedRequest] = []

    def _redirect(self, request: requests.PreparedRequest) -> Answer:
        self.asked.append(request)
        return Answer(307, headers={"Location": "https://evil.example/token"})


@SESSIONS
def test_redirect_is_not_followed(session: requests.Session):
    """A 307 would send the client assertion in the body to the other host."""
    web = Elsewhere()
    session.mount("https://", web)

    # msal's session raises for a redirect.
    with contextlib.suppress(requests.RequestException):
        session.post("https://login.contoso.com/token", data="assertion")

    assert [each.url for each in web.asked] == ["https://login.contoso.com/token"]


def test_redirect_of_entra_is_a_passing_fault():
    """msal does not expect an unfollowed redirect; the error counts as temporary."""
    session = EntraSession()
    session.mount("https://", Elsewhere())

    with pytest.raises(requests.RequestException, match="307"):
        session.get("https://login.contoso.com/")


@SESSIONS
def test_netrc_is_not_read(
    session: requests.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A password for every host would replace the bearer token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login anne password secret-of-anne\n")
    monkeypatch.setenv("NETRC", str(netrc))
    web = Elsewhere()
    session.mount("https://", web)
    for headers in ({"Authorization": "Bearer token"}, {}):
        with contextlib.suppress(requests.RequestException):
            session.get("https://graph.contoso.com/", headers=headers)

    assert [each.headers.get("Authorization") for each in web.asked] == ["Bearer token", None]


class Route(HTTPAdapter):
    """Records the proxy that a request would use, and sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.proxies: list[str] = []

    def send(
        self, request: requests.PreparedRequest, *_: object, **given: Any
    ) -> requests.Response:
        self.proxies.append(select_proxy(str(request.url), given["proxies"]) or "none")
        raise requests.ConnectionError


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://graph.microsoft.com/", "http://proxy.contoso.com:8080"),
        ("https://localhost:7071/", "none"),
        ("http://127.0.0.1:4141/msi/token", "none"),
        ("http://169.254.129.3:8081/msi/token", "none"),
        ("https://[::1]:7071/", "none"),
    ],
)
def test_proxy_is_for_other_machines(monkeypatch: pytest.MonkeyPatch, url: str, proxy: str):
    """The configured proxy is used for other machines, never for this one."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://proxy.contoso.com:8080")
    session, route = OneHostSession(), Route()
    for scheme in ("https://", "http://"):
        session.mount(scheme, route)

    with pytest.raises(requests.ConnectionError):
        session.get(url)

    assert route.proxies == [proxy]


def test_bundle_that_is_gone(tmp_path: Path):
    """A missing CA bundle is an error of requests, as callers expect."""
    with pytest.raises(requests.exceptions.SSLError, match=r"gone\.pem"):
        OneHostSession().get("https://localhost:9/", verify=str(tmp_path / "gone.pem"))
