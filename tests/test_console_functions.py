"""The console's functions as the host calls them, without settings or with wrong ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping

import azure.functions as func
import pytest

import function_app
from shared.errors import SettingsError
from tests import REPO
from tests.test_function_app import STORAGE, user_function

CONSOLE = "6f1f7c7e-3a51-4f0e-9d6e-0d5b0c0f5a10"
# In a separate process, since routes are registered when function_app is imported.
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


@pytest.mark.usefixtures("no_runtime")
def test_doctor_answers_without_settings():
    """Without any settings, the doctor says what to set."""
    answer = user_function("console_doctor")(
        func.HttpRequest(method="GET", url="/api/console/doctor", body=b"")
    )
    told = json.loads(answer.get_body())

    assert (answer.status_code, told["ok"]) == (200, False)
    assert "CLIENT_ID is missing" in told["checks"][0]["detail"]


@pytest.mark.usefixtures("no_runtime")
def test_console_names_wrong_settings(monkeypatch: pytest.MonkeyPatch):
    """With wrong settings, the console answers with the sentence that names them."""
    monkeypatch.setenv("AzureWebJobsStorage", STORAGE)
    answer = user_function("console_overview")(
        func.HttpRequest(method="GET", url="/api/console/overview", body=b"")
    )

    assert answer.status_code == 500
    assert "CLIENT_ID is missing" in json.loads(answer.get_body())["error"]["message"]


@pytest.mark.usefixtures("no_runtime")
def test_settings_error_keeps_no_request(monkeypatch: pytest.MonkeyPatch):
    """The error lives as long as the process, and requests do not extend its traceback."""
    monkeypatch.setenv("AzureWebJobsStorage", STORAGE)
    kept = function_app.runtime().console
    assert isinstance(kept, SettingsError)
    before = kept.__traceback__
    for name in ("overview", "doctor"):
        user_function(f"console_{name}")(
            func.HttpRequest(method="GET", url=f"/api/console/{name}", body=b"")
        )

    assert kept.__traceback__ is before


def test_key_without_sign_in():
    """Without CONSOLE_SIGN_IN all routes but the page need a key, and there are no keyed routes."""
    found = levels({"CONSOLE_SIGN_IN": ""})

    assert found.pop("console") == "ANONYMOUS"
    assert set(found.values()) == {"FUNCTION"}
    assert not [route for route in found if route.startswith("keyed/")]


def test_neither_keys_nor_sign_in():
    """With keys off and without sign-in, the host checks no key, and `access` refuses everyone."""
    found = levels({"CONSOLE_SIGN_IN": "", "CONSOLE_KEYS": "false"})
    theirs = {level for route, level in found.items() if route.startswith("console")}

    assert theirs == {"ANONYMOUS"}
    assert not [route for route in found if route.startswith("keyed/")]


def test_keyed_routes_with_sign_in():
    """With sign-in, every route has a second one for keys: the host cannot check either of both."""
    found = levels({"CONSOLE_SIGN_IN": CONSOLE})
    of_people = {route for route, level in found.items() if level == "ANONYMOUS"} - {"console"}

    assert "console/users/{user}/replay" in of_people
    assert {route for route, level in found.items() if level == "FUNCTION"} == {
        route.replace("console/", "keyed/") for route in of_people
    }


def test_sign_in_without_keys():
    """With CONSOLE_KEYS=false only a signed-in user has access."""
    found = levels({"CONSOLE_SIGN_IN": CONSOLE, "CONSOLE_KEYS": "false"})

    assert set(found.values()) == {"ANONYMOUS"}


def test_principal_is_ignored_on_keyed_routes():
    """Where the host has checked a key, a principal's header changes nothing."""
    answer = user_function("console_me")(
        func.HttpRequest(
            method="GET",
            url="/api/console/me",
            body=b"",
            headers={"x-ms-client-principal": "forged"},
        )
    )

    assert json.loads(answer.get_body()) == {"via": "key", "name": "", "role": "Operator"}
