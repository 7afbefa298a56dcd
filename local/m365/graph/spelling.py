"""Accepts Graph paths in any letter case, with a slash at the end or two after the version."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

# Some clients join the version and the path with one slash too many.
_TWICE = re.compile(r"\A(/[^/]+)//(?!/)")


class Spelling:
    """
    Wraps *app*, whose routes spell the segments of a path as the documentation does.

    Assumed (facts/graph.md section 8): names are case-insensitive; keys stay unchanged.
    """

    def __init__(self, app: Starlette) -> None:
        self._app = app
        paths = [route.path for route in app.routes if isinstance(route, Route)]
        names = [re.split(r"[({]", segment)[0] for path in paths for segment in path.split("/")]
        self._spelling = {name.casefold(): name for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": self.usual(scope["path"])}
        await self._app(scope, receive, send)

    def usual(self, path: str) -> str:
        """*path* with names spelled as in the routes."""
        path = _TWICE.sub(r"\1/", path).removesuffix("/")
        return "/".join(self._segment(segment) for segment in path.split("/"))

    def _segment(self, segment: str) -> str:
        name, opened, rest = segment.partition("(")
        return self._spelling.get(name.casefold(), name) + opened + rest
