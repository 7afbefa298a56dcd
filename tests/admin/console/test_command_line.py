"""A command line or an environment that cannot be used: one sentence, and nothing is sent."""

from __future__ import annotations

import pytest

from tests.admin.command_result import assert_one_sentence, assert_printed
from tests.admin.console.conftest import COMMANDS, Manage
from tests.admin.console.console_double import KEY, ConsoleDouble


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("variable", ["PHOTOSYNC_URL", "PHOTOSYNC_KEY"])
def test_unset_variable_is_named(manage, monkeypatch, command, variable):
    """Without address or key, a command says which variable to set."""
    monkeypatch.delenv(variable)

    assert_one_sentence(manage(*command), 2, variable)


@pytest.mark.parametrize(
    "url",
    [
        "contoso.azurewebsites.net",
        "ftp://contoso.azurewebsites.net",
        "https://",
        "https://host:port",
        "https://host:99999",
        "https://[::1",
        "https://host with spaces",
        "https://anne:secret@host",
        "https://:secret@host",
        f"https://host/api/console?code={KEY}",
        "http://contoso.azurewebsites.net",
        "https://..",
        "https://contoso..net",
        f"https://{'a' * 300}.net",
        "https://*",
        "https://%zz",
    ],
)
def test_bad_address(manage: Manage, url: str):
    """An invalid address, or one that would expose the key, is refused before any request."""
    assert_one_sentence(manage("status", "--url", url), 2, "PHOTOSYNC_URL")


@pytest.mark.parametrize("ending", ["/", "/api", "/api/", "/api/console", "/api/console/"])
def test_pasted_address(manage: Manage, console: ConsoleDouble, ending: str):
    """The address of the page, or with a slash, is as good as the app's."""
    assert manage("status", "--url", console.url + ending).code == 0


def test_invalid_key(manage: Manage):
    """A key with characters that no header may hold is refused without being shown."""
    assert_one_sentence(manage("status", "--key", f"“{KEY}”"), 2, "PHOTOSYNC_KEY")
    assert_one_sentence(manage("status", "--key", f"{KEY}\r\nX: y"), 2, "PHOTOSYNC_KEY")


@pytest.mark.parametrize("user", ["", " ", ".", "..", "\udcff@contoso.com"])
def test_invalid_user_name(manage: Manage, console: ConsoleDouble, user: str):
    """A name that would turn the path into another one never leaves."""
    assert_one_sentence(manage("check", user), 2, "UPN")
    assert console.asked == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay"],
        ["check"],
        ["check", "a", "b"],
        ["frobnicate"],
        ["status", "--nonsense"],
        ["failures", "--csv", "--json"],
        ["users", "--csv", "--json"],
        ["check", "anne@contoso.com", "--all"],
        ["check", "--all", "--release-repairs"],
        ["check", "anne@contoso.com", "--repair"],
        ["check", "anne@contoso.com", "--csv"],
        ["check", "--all", "--csv", "--json"],
        ["sweep", "--wait", "--release-removals"],
        ["sweep", "--wait", "--timeout", "soon"],
        ["replay", "--from-file", "no-such-file"],
        ["status", "--ca", "no-such-file"],
    ],
    ids=" ".join,
)
def test_usage(manage: Manage, console: ConsoleDouble, arguments: list[str]):
    """A command line without a meaning, or with two, is code 2 and one sentence."""
    assert_one_sentence(manage(*arguments), 2)
    assert console.asked == []


def test_no_command(manage: Manage):
    """Without a command the help is shown, on stderr."""
    result = manage()

    assert_printed(result, 2, err="Commands:")
    assert result.out == ""
