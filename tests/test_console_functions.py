"""The console's functions as the host calls them, before anybody has set anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import azure.functions as func
import pytest

import function_app
from shared.errors import SettingsError
from tests import REPO
from tests.test_function_app import STORAGE, user_function

CONSOLE = "6f1f7c7e-3a51-4f0e-9d6e-0d5b0c0f5a10"
# In a process of its own: routes are made when function_app is imported.
LEVELS = """
import json, function_app
found = {}
for function in function_app.app.get_functions():
    told = function.get_trigger().get_dict_repr()
    if told["type"] == "httpTrigger" and told["route"].split("/")[0] in ("console", "keyed"):
        found[told["route"]] = told["authLevel"].name
print(json.dumps(found))
"""


def levels(settings: Mapping[str, str]) -> dict[str, str]:
    """The authorization level of each of the console's routes under *settings*."""
    done = subprocess.run(
        [sys.executable, "-c", LEVELS],
        cwd=REPO,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.fixture
def no_runtime() -> Iterator[None]:
    """A process that has built nothing yet, and forgets what it builds."""
    function_app._runtime.cache_clear()
    yield
    function_app._runtime.cache_clear()


@pytest.mark.usefixtures("no_runtime")
def test_doctor_answers_without_settings():
    """Whoever has set nothing yet is told by the doctor what to set."""
    answer = user_function("console_doctor")(
        func.HttpRequest(method="GET", url="/api/console/doctor", body=b"")
    )
    told = json.loads(answer.get_body())

    assert (answer.status_code, told["ok"]) == (200, False)
    assert "CLIENT_ID is missing" in told["checks"][0]["detail"]


@pytest.mark.usefixtures("no_runtime")
def test_console_tells_what_is_wrong_with_settings(monkeypatch: pytest.MonkeyPatch):
    """While settings are wrong the console answers with the sentence that names them."""
    monkeypatch.setenv("AzureWebJobsStorage", STORAGE)
    answer = user_function("console_overview")(
        func.HttpRequest(method="GET", url="/api/console/overview", body=b"")
    )

    assert answer.status_code == 500
    assert "CLIENT_ID is missing" in json.loads(answer.get_body())["error"]["message"]


@pytest.mark.usefixtures("no_runtime")
def test_wrong_settings_keep_no_request(monkeypatch: pytest.MonkeyPatch):
    """The error lives as long as the process; no request may add to its traceback."""
    monkeypatch.setenv("AzureWebJobsStorage", STORAGE)
    kept = function_app.runtime().console
    assert isinstance(kept, SettingsError)
    before = kept.__traceback__
    for name in ("overview", "doctor"):
        user_function(f"console_{name}")(
            func.HttpRequest(method="GET", url=f"/api/console/{name}", body=b"")
        )

    assert kept.__traceback__ is before


def test_a_key_alone_opens_the_console_while_sign_in_is_off():
    """Without CONSOLE_SIGN_IN every route but the page needs a key, and none has a double."""
    found = levels({"CONSOLE_SIGN_IN": ""})

    assert found.pop("console") == "ANONYMOUS"
    assert set(found.values()) == {"FUNCTION"}
    assert not [route for route in found if route.startswith("keyed/")]


def test_no_key_opens_the_console_where_keys_are_off():
    """Also without CONSOLE_SIGN_IN: then `access` lets nobody in."""
    found = levels({"CONSOLE_SIGN_IN": "", "CONSOLE_KEYS": "false"})
    theirs = {level for route, level in found.items() if route.startswith("console")}

    assert theirs == {"ANONYMOUS"}
    assert not [route for route in found if route.startswith("keyed/")]


def test_each_route_has_a_double_for_keys_where_people_sign_in():
    """The host cannot ask for a key or a person: so a key has routes of its own."""
    found = levels({"CONSOLE_SIGN_IN": CONSOLE})
    of_people = {route for route, level in found.items() if level == "ANONYMOUS"} - {"console"}

    assert "console/users/{user}/replay" in of_people
    assert {route for route, level in found.items() if level == "FUNCTION"} == {
        route.replace("console/", "keyed/") for route in of_people
    }


def test_keys_can_be_switched_off():
    """With CONSOLE_KEYS=false nothing but a signed-in person opens the console."""
    found = levels({"CONSOLE_SIGN_IN": CONSOLE, "CONSOLE_KEYS": "false"})

    assert set(found.values()) == {"ANONYMOUS"}


def test_principal_is_ignored_where_a_key_was_checked():
    """A principal's header on a route of a key changes nothing: the host has checked the key."""
    answer = user_function("console_me")(
        func.HttpRequest(
            method="GET",
            url="/api/console/me",
            body=b"",
            headers={"x-ms-client-principal": "forged"},
        )
    )

    assert json.loads(answer.get_body()) == {"via": "key", "name": "", "role": "Operator"}
