"""
HTTP triggers: routes and keys.

Documented: Azure/azure-functions-host, WebScriptHostHttpRoutesManager and the authorization-level
middleware (401 without a body).
"""

from collections.abc import Sequence

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from local.host.admin import Admin
from local.host.bindings import Function, HttpTrigger
from local.host.drain import Drain
from local.host.invocations import Invocations
from local.host.keys import KeyCheck, Keys
from local.host.tracing import span
from local.host.web_answer import Answer, answer_of
from local.host.web_request import Unreadable, given_key, http_value

_HOME_PAGE = b"<!DOCTYPE html><title>local host</title><p>This Functions host is up and running."


class HttpHost:
    """The ASGI application: every HTTP function of the app, and the host's own pages."""

    def __init__(
        self,
        functions: Sequence[Function],
        prefix: str,
        keys: Keys,
        invocations: Invocations,
        drain: Drain,
        *,
        body_limit: int,
        open_telemetry: bool = False,
    ) -> None:
        self._prefix = "".join(f"/{part.lower()}" for part in prefix.split("/") if part)
        self._key_check = KeyCheck(keys)
        self._invocations = invocations
        self._body_limit = body_limit
        self._open_telemetry = open_telemetry
        self._admin = Admin(functions, self._key_check, invocations, drain, body_limit)
        routed = [
            (function, function.trigger)
            for function in functions
            if isinstance(function.trigger, HttpTrigger) and not function.disabled
        ]
        # Documented: FunctionMetadataManager orders functions by name without regard to case, and
        # the first matching route is used, however general.
        self._routed = sorted(routed, key=lambda pair: pair[0].name.upper())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(Request(scope, receive))
        except Unreadable:
            # Documented: ExceptionMiddleware turns Kestrel's refusals, 413 or 408, into 500.
            answer = Answer(500)
        except ClientDisconnect:
            return
        await answer.send(send)

    async def _answer(self, request: Request) -> Answer:
        path: str = request.scope["path"]
        if path == "/":
            return Answer(200, _HOME_PAGE, (("Content-Type", "text/html"),))
        if path.lower().startswith("/admin/"):
            return await self._admin.answer(request, path.removesuffix("/").split("/")[2:])
        if not f"{path.lower()}/".startswith(f"{self._prefix}/"):
            return Answer(404)
        path = path[len(self._prefix) + 1 :]
        for function, trigger in self._routed:
            # Documented: a method that the function does not list is 404, not 405.
            if trigger.methods and request.method not in trigger.methods:
                continue
            params = trigger.template.match(path)
            if params is not None:
                return await self._run(function, trigger, request, params)
        return Answer(404)

    async def _run(
        self, function: Function, trigger: HttpTrigger, request: Request, params: dict[str, str]
    ) -> Answer:
        if not self._key_check.allows(trigger.level, given_key(request), function.name):
            return Answer(401)
        parent = request.headers.get("traceparent", "")
        outcome = await self._invocations.run(
            function,
            await http_value(request, params, self._body_limit),
            reason="This function was programmatically called via the host APIs.",
            # Measured: without telemetry the function gets an empty text.
            traceparent=span(parent) if self._open_telemetry else "",
        )
        return answer_of(outcome.returned) if outcome.ok else Answer(500)
