"""Route templates of HTTP functions: parsing, matching, and which of several matches wins."""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

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
    """Says what in a template is not understood."""


@dataclass(frozen=True)
class _Segment:
    text: str
    parameter: bool = False
    constraint: str | None = None
    optional: bool = False
    rest: bool = False

    @property
    def rank(self) -> int:
        # Documented: ASP.NET Core routing, route template precedence: literal before constrained
        # parameter before parameter before catch-all.
        if not self.parameter:
            return 0
        if self.rest:
            return 3
        return 1 if self.constraint else 2

    def accepts(self, value: str) -> bool:
        if not self.parameter:
            return value.lower() == self.text.lower()
        return bool(value) and (self.constraint is None or _CONSTRAINTS[self.constraint](value))


@dataclass(frozen=True)
class Template:
    """A parsed route such as `console/users/{user}`."""

    segments: tuple[_Segment, ...]

    @property
    def precedence(self) -> tuple[int, ...]:
        """Sorts the more specific template first."""
        return tuple(segment.rank for segment in self.segments)

    def match(self, raw_path: str) -> dict[str, str] | None:
        """Return the decoded parameters if the undecoded *raw_path* fits; literals in any case."""
        values = [_decode(part) for part in raw_path.strip("/").split("/") if part]
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


def _decode(part: str) -> str:
    # Documented: ASP.NET Core decodes the path except an encoded slash.
    return "%2F".join(unquote(piece) for piece in re.split("%2[fF]", part))


def parse(route: str) -> Template:
    """Understand *route* (without prefix), or raise BadRoute."""
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
        raise BadRoute(f"{part!r} is no parameter that the local host understands")
    rest, name, constraint, optional = match.groups()
    if constraint is not None and constraint not in _CONSTRAINTS:
        raise BadRoute(f"the constraint {constraint!r} is not one that the local host knows")
    return _Segment(name, True, constraint, bool(optional), bool(rest))
