"""
Draining, which is how Azure takes an instance out of service: no new work, what runs may end.

Documented: Azure/azure-functions-host, HostController.cs and DrainModeStatus.cs. Listeners stop,
HTTP is answered still, and the host goes on until somebody stops it.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from local.host.http import given_key, raw_path
from local.host.invocations import Invocations
from local.host.keys import Keys
from local.host.listeners import Listeners


class DrainRoutes:
    """The ASGI application before the functions: two routes for whoever has the master key."""

    def __init__(
        self, app: ASGIApp, keys: Keys, listeners: Listeners, invocations: Invocations
    ) -> None:
        self._app = app
        self._keys = keys
        self._listeners = listeners
        self._invocations = invocations
        self._drains = False
        self._routes = {
            ("POST", "/admin/host/drain"): self._drain,
            ("GET", "/admin/host/drain/status"): self._status,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        route = self._routes.get((request.method, raw_path(request).lower().rstrip("/")))
        if route is None:
            await self._app(scope, receive, send)
        elif not self._keys.open("admin", key := given_key(request)):
            # A key that is good for functions is known, and not enough.
            known = self._keys.open("function", key)
            await Response(status_code=403 if known else 401)(scope, receive, send)
        else:
            await route()(scope, receive, send)

    def _drain(self) -> Response:
        self._drains = True
        self._listeners.drain()
        return Response(status_code=202)

    def _status(self) -> Response:
        running = self._invocations.running
        state = "Disabled"
        if self._drains:
            state = "InProgress" if running else "Completed"
        return JSONResponse(
            {"state": state, "outstandingInvocations": running, "outstandingRetries": 0}
        )
