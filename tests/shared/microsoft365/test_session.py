"""What a session sends, and where to: nothing of .netrc, and no step further than it was told."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import requests
from requests.adapters import HTTPAdapter

from shared.microsoft365.session import OneHostSession
from shared.microsoft365.tokens import _Session as EntraSession

SESSIONS = pytest.mark.parametrize(
    "session", [OneHostSession(), EntraSession()], ids=["every call", "msal"]
)


class Elsewhere(HTTPAdapter):
    """Sends everybody on to another host, and notes what was sent."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[requests.PreparedRequest] = []

    def send(
        self, request: requests.PreparedRequest, *_: object, **__: object
    ) -> requests.Response:
        self.asked.append(request)
        response = requests.Response()
        response.status_code = 307
        response.headers["Location"] = "https://evil.example/token"
        response.raw, response.request = io.BytesIO(), request
        response.url = str(request.url)
        return response


@SESSIONS
def test_redirect_is_not_followed(session: requests.Session):
    """A 307 would take the client assertion in the body along."""
    web = Elsewhere()
    session.mount("https://", web)

    assert session.post("https://login.contoso.com/token", data="assertion").status_code == 307
    assert len(web.asked) == 1


@SESSIONS
def test_netrc_is_not_read(
    session: requests.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A password for every host would take the place of the bearer token."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login anne password secret-of-anne\n")
    monkeypatch.setenv("NETRC", str(netrc))
    web = Elsewhere()
    session.mount("https://", web)
    session.get("https://graph.contoso.com/", headers={"Authorization": "Bearer token"})
    session.get("https://graph.contoso.com/")

    assert [each.headers.get("Authorization") for each in web.asked] == ["Bearer token", None]
