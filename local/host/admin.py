"""
The host's own pages below /admin, each of which needs the master key.

Documented: Azure/azure-functions-host, FunctionsController and HostController.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request

from local.host.bindings import Function, QueueTrigger, TimerTrigger
from local.host.drain import Drain
from local.host.invocations import Invocations
from local.host.keys import KeyCheck
from local.host.protocol import Datum
from local.host.timers import value_by_hand
from local.host.web_answer import Answer
from local.host.web_request import given_key, read_body


class Admin:
    """
    Shows the state and the functions of the host, runs a function by hand, and drains the host.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        key_check: KeyCheck,
        invocations: Invocations,
        drain: Drain,
        body_limit: int,
    ) -> None:
        self._by_name = {function.name.lower(): function for function in functions}
        self._key_check = key_check
        self._invocations = invocations
        self._drain = drain
        self._body_limit = body_limit

    async def answer(self, request: Request, parts: Sequence[str]) -> Answer:
        """Answer a request for /admin/*parts*. Raises Unreadable."""
        refusal = self._refusal(request)
        match [part.lower() for part in parts]:
            case ["host", "status"] if request.method == "GET":
                return refusal or _json({"state": "Running"})
            case ["host", "drain"] if request.method == "POST":
                return refusal or self._drained()
            case ["host", "drain", "status"] if request.method == "GET":
                return refusal or _json(self._drain.status())
            case ["functions", name] if request.method == "GET":
                return refusal or self._described(self._by_name.get(name))
            case ["functions", name] if request.method == "POST":
                return refusal or await self._run(request, self._by_name.get(name))
            case _:
                return Answer(404)

    def _refusal(self, request: Request) -> Answer | None:
        """None with the master key. Measured: no key is 401, a key with fewer rights is 403."""
        level = self._key_check.level(given_key(request))
        if level == "admin":
            return None
        return Answer(403 if level else 401)

    def _drained(self) -> Answer:
        self._drain.begin()
        return Answer(202)

    def _described(self, function: Function | None) -> Answer:
        if function is None:
            return Answer(404)
        return _json({"name": function.name, "language": "python", "isDisabled": function.disabled})

    async def _run(self, request: Request, function: Function | None) -> Answer:
        """
        Run a function now: POST {"input": "<text>"}, 202.

        Documented: functions-manually-run-non-http; this also runs a disabled function. Measured:
        without a JSON content type it is 415. An HTTP function is 202 too. It does not run here;
        the real host's behaviour is unknown.
        """
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return Answer(415)
        try:
            text = str(json.loads(await read_body(request, self._body_limit)).get("input") or "")
        except (json.JSONDecodeError, UnicodeDecodeError, AttributeError):
            return Answer(400)
        if function is None:
            return Answer(404)
        value = _value(function, text)
        if value is not None:
            self._invocations.start(function, value, reason="Run by hand via the admin API")
        return Answer(202)


def _json(content: dict[str, Any]) -> Answer:
    type_ = ("Content-Type", "application/json; charset=utf-8")
    return Answer(200, json.dumps(content).encode(), (type_,))


def _value(function: Function, text: str) -> Datum | None:
    trigger = function.trigger
    if isinstance(trigger, TimerTrigger):
        return value_by_hand(trigger, datetime.now(UTC))
    if isinstance(trigger, QueueTrigger):
        return Datum(text, "string")
    return None
