"""
SharePoint's REST paths as data: `Files/add(url='x',overwrite=true)` becomes two calls.

Measured on the wire of an independent client and from tools' sources (facts/sharepoint.md section
6): names are case-insensitive; arguments positional or named in any order; literals inline or
through an alias such as `@v` in the query; `'` doubled inside a literal; characters plain or
percent-encoded; a GUID with or without its prefix; a trailing slash is ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.m365.sharepoint.errors import bad_request

POSITIONAL = ""
_NAME = re.compile(r"[^/(]+")
_ARGUMENT = re.compile(
    r"\s*(?:(?P<name>\w+)\s*=\s*)?"
    r"(?:(?:guid)?'(?P<text>(?:[^']|'')*)'|(?P<alias>@\w+)|(?P<bare>[^,()'@]*?))"
    r"\s*(?P<end>[,)])"
)
_LITERAL = re.compile(r"\s*'(?P<text>(?:[^']|'')*)'\s*\Z")


@dataclass(frozen=True)
class Call:
    """One step of a path: its name in lower case, its arguments by name in lower case."""

    name: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    def text(self, *names: str) -> str:
        """The argument named one of *names*, or the positional one."""
        for name in (*names, POSITIONAL):
            if name in self.arguments:
                return self.arguments[name]
        raise bad_request(f"The parameter {names[0]} of {self.name} is missing.")

    def flag(self, name: str) -> bool:
        """A boolean argument; absent means false."""
        value = self.arguments.get(name, "false").lower()
        if value not in ("true", "false"):
            raise bad_request(f"The parameter {name} of {self.name} is not a boolean.")
        return value == "true"


def parse(path: str, aliases: Mapping[str, str]) -> tuple[Call, ...]:
    """The calls of *path*, already percent-decoded and without `/_api/`."""
    path = path.removesuffix("/")
    calls, position = [], 0
    while position < len(path):
        name = _NAME.match(path, position)
        if name is None:
            raise bad_request("The path is not well-formed.")
        position = name.end()
        arguments: dict[str, str] = {}
        if path[position : position + 1] == "(":
            arguments, position = _arguments(path, position + 1, aliases)
        if path[position : position + 1] not in ("", "/"):
            raise bad_request("The path is not well-formed.")
        position += 1
        calls.append(Call(name.group().lower(), arguments))
    return tuple(calls)


def _arguments(path: str, position: int, aliases: Mapping[str, str]) -> tuple[dict[str, str], int]:
    """The arguments that start at *position*, and where the path continues."""
    found: dict[str, str] = {}
    while True:
        match = _ARGUMENT.match(path, position)
        if match is None:
            raise bad_request("A parameter is not well-formed: is a quote not doubled?")
        position = match.end()
        value = _value(match, aliases)
        if value is not None:
            found[(match["name"] or POSITIONAL).lower()] = value
        if match["end"] == ")":
            return found, position


def _value(match: re.Match[str], aliases: Mapping[str, str]) -> str | None:
    if match["text"] is not None:
        return match["text"].replace("''", "'")
    if match["alias"] is None:
        return match["bare"] or None
    alias = aliases.get(match["alias"].lower())
    literal = _LITERAL.match(alias) if alias is not None else None
    if literal is None:
        raise bad_request(f"The alias {match['alias']} has no quoted literal in the query.")
    return literal["text"].replace("''", "'")
