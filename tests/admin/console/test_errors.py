"""An invalid answer, or an error, is one sentence on stderr with the right code."""

from __future__ import annotations

import pytest

from tests.admin.command_result import assert_one_sentence
from tests.admin.console.conftest import COMMANDS, Manage
from tests.admin.console.console_double import ConsoleDouble, refusal


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_wrong_key(manage: Manage, command: list[str]):
    """A key that is not accepted is reported as such."""
    assert_one_sentence(manage(*command, "--key", "another"), 3, "PHOTOSYNC_KEY")


@pytest.mark.parametrize(
    ("status", "body", "code", "words"),
    [
        (403, refusal("Forbidden", "Send the key in the header."), 3, "Send the key in the header"),
        (403, b"", 3, "denied access"),
        (404, b"", 3, "no PhotoSync console"),
        (404, b"<html>", 3, "no PhotoSync console"),
        (400, refusal("BadRequest", "Leave the token out."), 2, "Leave the token out"),
        (302, b"", 3, "sign-in"),
        (429, b"", 4, "try again"),
        (503, refusal("ServiceDown", "Storage is down: wait a minute."), 4, "Storage is down"),
        (500, b"", 4, "500"),
        (500, refusal("Bug", "Look into the log."), 4, "Look into the log"),
        (502, b"<html>Bad gateway</html>", 4, "502"),
        (200, b"<html>A parking page</html>", 4, "JSON"),
        (200, b"", 4, "JSON"),
        (200, b"[1, 2]", 4, "JSON"),
        (200, b"null", 4, "JSON"),
        (200, b"[" * 100_000, 4, "JSON"),
        (200, b"\xff\xfe{}", 4, "JSON"),
        (200, {"status": "healthy"}, 4, "not one of PhotoSync's"),
        (200, b" " * (16 * 1024 * 1024 + 1), 4, "too large"),
        (500, {"error": "a string"}, 4, "500"),
    ],
)
def test_unexpected_answer(manage, console, status, body, code, words):
    """Any other answer than the one asked for becomes a sentence, the app's own if it has one."""
    console.routes["GET", "overview"] = (status, body)

    assert_one_sentence(manage("status"), code, words)


@pytest.mark.parametrize(
    "location", ["URL", "https://[", "https://host:port/", "\x1b]0;x"], ids=ascii
)
def test_no_redirect_is_followed(manage: Manage, console: ConsoleDouble, location: str):
    """The key is not sent to where a redirect leads, and an invalid Location is no traceback."""
    console.routes["GET", "overview"] = (302, b"")
    console.headers["Location"] = location.replace("URL", f"{console.url}/api/console/doctor")
    result = manage("status")

    assert result.code in {3, 4}
    assert_one_sentence(result, result.code, "127.0.0.1")
    assert "\x1b" not in result.err
    assert len(console.asked) == 1


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_another_app(manage: Manage, console: ConsoleDouble, command: list[str]):
    """Another app that answers 200 to everything is not taken for a healthy PhotoSync."""
    replay = "POST", "users/anne%40contoso.com/replay"
    console.routes = dict.fromkeys(console.routes.keys() - {replay}, (200, {"ok": True}))

    assert_one_sentence(manage(*command), 4, "not one of PhotoSync's")


def test_very_long_sentence(manage: Manage, console: ConsoleDouble):
    """The app's error message is shown, up to a limit."""
    console.routes["GET", "overview"] = (500, refusal("Bug", "All is lost. " * 1000))

    assert len(manage("status").err) < 1000


def test_incomplete_answer(manage: Manage, console: ConsoleDouble):
    """Half an answer is no answer, nor is one that cannot be unpacked."""
    console.held_back = 10
    assert_one_sentence(manage("status"), 4, "try again")

    console.held_back = 0
    console.headers["Content-Encoding"] = "gzip"
    assert_one_sentence(manage("status"), 4, "try again")


def test_unknown_user(manage: Manage):
    """An unknown user is the app's sentence, with code 1."""
    assert_one_sentence(manage("check", "nobody@contoso.com"), 1, "Nobody in the tenant")
    assert_one_sentence(manage("status", "nobody@contoso.com"), 1, "Nobody in the tenant")
