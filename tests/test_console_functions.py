"""The console's functions as the host calls them, before anything is configured."""

from __future__ import annotations

import json

import pytest

import function_app
from shared.errors import SettingsError
from tests.shared.settings.test_app import NO_STORAGE
from tests.test_function_app import get
from tests.test_webhook_path import run

CONSOLE = "6f1f7c7e-3a51-4f0e-9d6e-0d5b0c0f5a10"
# In a process of its own: routes are made when function_app is imported.
LEVELS = """
import json, function_app
found = {}
for function in function_app.app.get_functions():
    trigger = function.get_trigger().get_dict_repr()
    if trigger["type"] == "httpTrigger" and trigger["route"].split("/")[0] in ("console", "keyed"):
        found[trigger["route"]] = trigger["authLevel"].name
print(json.dumps(found))
"""


def levels(**settings: str) -> dict[str, str]:
    """The authorization level of each of the console's routes under *settings*."""
    found: dict[str, str] = json.loads(run(LEVELS, **settings))
    return found


@pytest.mark.usefixtures("no_runtime")
def test_doctor_answers_without_settings():
    """Without settings the doctor says which ones to set."""
    answer = get("console_doctor")
    report = json.loads(answer.get_body())

    assert (answer.status_code, report["ok"]) == (200, False)
    assert "CLIENT_ID is missing" in report["checks"][0]["detail"]


@pytest.mark.usefixtures("no_runtime")
def test_console_names_wrong_settings(monkeypatch: pytest.MonkeyPatch):
    """While settings are wrong, the console answers with the sentence that names them."""
    monkeypatch.setenv("AzureWebJobsStorage", NO_STORAGE)
    answer = get("console_overview")

    assert answer.status_code == 500
    assert "CLIENT_ID is missing" in json.loads(answer.get_body())["error"]["message"]


@pytest.mark.usefixtures("no_runtime")
def test_wrong_settings_keep_no_request(monkeypatch: pytest.MonkeyPatch):
    """The error lives as long as the process, so no request may extend its traceback."""
    monkeypatch.setenv("AzureWebJobsStorage", NO_STORAGE)
    kept = function_app.runtime().console
    assert isinstance(kept, SettingsError)
    before = kept.__traceback__
    for name in ("overview", "doctor"):
        get(f"console_{name}")

    assert kept.__traceback__ is before


@pytest.mark.parametrize("client_id", ["", CONSOLE])
def test_keys_can_be_switched_off(client_id: str):
    """With CONSOLE_KEYS=false no key opens the console, even if no sign-in is configured."""
    found = levels(CONSOLE_SIGN_IN=client_id, CONSOLE_KEYS="false")

    assert set(found.values()) == {"ANONYMOUS"}
    assert not [route for route in found if route.startswith("keyed/")]


def test_routes_for_keys_beside_a_sign_in():
    """The host cannot check a key or a person on one route, so keys have their own routes."""
    found = levels(CONSOLE_SIGN_IN=CONSOLE)
    of_people = {route for route, level in found.items() if level == "ANONYMOUS"} - {"console"}

    assert "console/users/{user}/replay" in of_people
    assert {route for route, level in found.items() if level == "FUNCTION"} == {
        route.replace("console/", "keyed/") for route in of_people
    }


def test_principal_is_ignored_where_a_key_was_checked():
    """On a route for keys the principal's header is ignored: the host has checked the key."""
    answer = get("console_me", {"x-ms-client-principal": "forged"})

    assert json.loads(answer.get_body()) == {"via": "key", "name": "", "role": "Operator"}
