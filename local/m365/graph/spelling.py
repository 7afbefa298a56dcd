"""Graph's addresses in any spelling: names in any case, a slash at the end, two at the version."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

_NAMES = (
    *("users", "photo", "photos", "$value", "groups", "checkMemberGroups", "transitiveMembers"),
    *("microsoft.graph.user", "directory", "deletedItems", "restore", "subscriptions"),
    *("reauthorize", "sites", "permissions", "applications", "servicePrincipals", "root"),
    *("appRoleAssignments", "appRoleAssignedTo", "$batch"),
)
_USUAL = {name.casefold(): name for name in _NAMES}
# Some clients join the version and the path with a slash too many.
_TWICE = re.compile(r"\A(/[^/]+)//(?!/)")


def usual(path: str) -> str:
    """*path* as the documentation writes it (X, facts/graph.md section 8), keys untouched."""
    path = _TWICE.sub(r"\1/", path).removesuffix("/")
    return "/".join(_segment(segment) for segment in path.split("/"))


def _segment(segment: str) -> str:
    name, opened, rest = segment.partition("(")
    return _USUAL.get(name.casefold(), name) + opened + rest


class Spelling:
    """Stands before *app*, which knows the usual spelling only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": usual(scope["path"])}
        await self._app(scope, receive, send)
