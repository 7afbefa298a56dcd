"""Route templates of HTTP functions: parsing and matching."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

_PARAMETER = re.compile(r"\{(\*?)([A-Za-z_][A-Za-z0-9_]*)(?::([a-z]+))?(\?)?\}")


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


_CONSTRAINTS: dict[str, Callable[[str], bool]] = {
    "alpha": lambda text: re.fullmatch(r"[A-Za-z]*", text) is not None,
    "bool": lambda text: text.lower() in ("true", "false"),
    "guid": _is_guid,
    "int": lambda text: re.fullmatch(r"[+-]?\d+", text) is not None,
    "long": lambda text: re.fullmatch(r"[+-]?\d+", text) is not None,
}


class BadRoute(ValueError):
    """Says which part of a template is invalid."""


@dataclass(frozen=True)
class _Segment:
    text: str
    parameter: bool = False
    constraint: str | None = None
    optional: bool = False
    rest: bool = False

    def accepts(self, value: str) -> bool:
        if not self.parameter:
            return value.lower() == self.text.lower()
        return bool(value) and (self.constraint is None or _CONSTRAINTS[self.constraint](value))


@dataclass(frozen=True)
class Template:
    """A parsed route such as `console/users/{user}`."""

    segments: tuple[_Segment, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """
        The parameters if *path* (decoded, without prefix) matches; literals ignore case.

        Documented: ASP.NET's PathTokenizer: a trailing slash is ignored, an empty segment is not.
        """
        path = path.removesuffix("/")
        values = path.split("/") if path else []
        found: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if segment.rest:
                found[segment.text] = "/".join(values[index:])
                return found
            if index >= len(values):
                return found if segment.optional else None
            if not segment.accepts(values[index]):
                return None
            if segment.parameter:
                found[segment.text] = values[index]
        return found if len(values) <= len(self.segments) else None


def parse(route: str) -> Template:
    """Parse *route* (without prefix). Raises BadRoute."""
    segments = tuple(_segment(part) for part in route.strip("/").split("/") if part)
    for segment in segments[:-1]:
        if segment.optional or segment.rest:
            raise BadRoute(f"only the last part may be optional or catch all, not {segment.text!r}")
    return Template(segments)


def _segment(part: str) -> _Segment:
    if "{" not in part and "}" not in part:
        return _Segment(part)
    match = _PARAMETER.fullmatch(part)
    if match is None:
        raise BadRoute(f"the local host does not understand {part!r}; the real one may")
    rest, name, constraint, optional = match.groups()
    if constraint is not None and constraint not in _CONSTRAINTS:
        raise BadRoute(f"the local host has no constraint {constraint!r}; the real one may")
    return _Segment(name, True, constraint, bool(optional), bool(rest))
