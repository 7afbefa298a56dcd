"""Answers that no service should give: each becomes a result, and nothing of it is repeated."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace as Fake
from typing import Any

import pytest

from admin.acceptance import runner, session
from admin.acceptance.person import TerminalPerson
from admin.acceptance.steps import access, csom, photo, rights
from admin.terminal.output import Output
from admin.terminal.question import agreed
from local.m365.tenant.records import User as Kept
from shared.microsoft365.reply import Reply
from shared.sharepoint.publisher import TIMESTAMP
from shared.user import User
from tests.admin.acceptance.conftest import USER, Acceptance, seen

EVIL = "\x1b[2J Anne Keller"
NO_ADDRESS = "https://[anne"


def result(steps: Any, id_: str, **scene: Any) -> str:
    user = User("id", USER, account_enabled=True, is_guest=False)
    [step] = [each for each in steps if each.id == id_]
    whole: Any = Fake(user=user, unlicensed=user, **scene)
    [found] = runner.results([step], whole)
    return found.text


@pytest.mark.parametrize("id_", ["photo", "unlicensed-photo"])
@pytest.mark.parametrize("body", [{"width": EVIL, "height": 10**20}, {"width": True}, [EVIL], EVIL])
def test_photo(id_: str, body: Any):
    """Metadata are JSON of any form, and a proxy may name any type."""
    reply = Reply("graph", 200, {"Content-Type": EVIL}, json.dumps(body).encode())

    text = result(photo.STEPS, id_, m365=Fake(graph_http=Fake(send=lambda *_, **__: reply)))

    assert "Anne" not in text
    if id_ == "photo" and isinstance(body, dict):
        assert text.startswith("?x?, another content type ")


def test_addresses():
    """A redirect, or a profile's host, that is no address."""
    redirect = Fake(status_code=302, headers={"Location": NO_ADDRESS})
    app = Fake(send=lambda *_, **__: redirect)
    geo = Fake(sharepoint=Fake(profile=lambda _: {"PersonalSiteHostUrl": NO_ADDRESS}))
    settings = Fake(sharepoint_my_url="https://contoso-my.sharepoint.com")
    m365 = Fake(geos=Fake(satellites={"x": geo}), settings=settings)

    assert result(access.STEPS, "without-a-key", app=app).endswith("302 to another address")
    assert result(rights.STEPS, "satellites", m365=m365).endswith("a profile, home not named")


def test_timestamp(acceptance: Acceptance, anne: Kept, monkeypatch: pytest.MonkeyPatch):
    """A number that is too long to be counted on from."""
    monkeypatch.setattr(session, "WRITING", csom.WRITING)
    assert anne.profile
    anne.profile.properties[TIMESTAMP] = "9" * 5000

    assert seen(acceptance("--yes", "--json", USER))["csom"][0] == "as assumed"
    assert anne.profile.properties[TIMESTAMP] == "9" * 5000


def test_questions(monkeypatch: pytest.MonkeyPatch):
    """A name in a question steers no terminal."""
    asked: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        asked.append(question)
        return True

    monkeypatch.setattr("sys.stdin", Fake(isatty=lambda: True))
    monkeypatch.setattr("click.confirm", confirm)
    output = Output(io.StringIO(), as_json=False)

    TerminalPerson(output, by_hand=True).does(EVIL)
    agreed(EVIL, output, yes=False)

    shown = "\N{REPLACEMENT CHARACTER}[2J Anne Keller"
    assert asked == [f"{shown} Done?", shown]
