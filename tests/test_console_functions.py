"""The console's functions as the host calls them, before anybody has set anything."""

from __future__ import annotations

import json
from collections.abc import Iterator

import azure.functions as func
import pytest

import function_app
from tests.test_function_app import STORAGE, user_function


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
