"""OData's `$filter` and `$orderby`, as far as SharePoint's REST service supports them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NoReturn

from local.m365.odata import Expression, Token
from local.m365.sharepoint.errors import bad_request

Fields = Mapping[str, Any]
_Test = Callable[[Fields], bool]
_Value = Callable[[Fields], Any]

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_WORDS = {"true": True, "false": False, "null": None}


def parse_filter(text: str) -> _Test:
    """
    The test that *text* describes, or 400.

    Documented (facts/sharepoint.md section 3): comparisons of numbers, text and times,
        `startswith`, `substringof`, the parts of a time; neither arithmetic nor `endswith`,
        `replace`, `substring`, `tolower`, `toupper`, `trim`, `concat`. Reported: function names in
        lower case only. Assumed: text comparison is case-sensitive, operators are in lower case.
    """
    return _Filter(text).parse()


def parse_order(text: str) -> list[tuple[str, bool]]:
    """The members to sort by, each with whether it is descending. Documented: `asc` and `desc`."""
    found = []
    for part in text.split(","):
        name, *direction = part.split()[:3] or [""]
        if not re.fullmatch(r"\w+", name) or direction not in ([], ["asc"], ["desc"]):
            raise bad_request(f'The expression "{text}" is not valid.')
        found.append((name, direction == ["desc"]))
    return found


def value_of(fields: Fields, name: str) -> Any:
    """
    The value in *fields*, in the form used for comparison: on the wire, numbers and times are text.

    Assumed: a missing member is 400 with this sentence.
    """
    if name not in fields:
        raise bad_request(f"The field or property '{name}' does not exist.")
    value = fields[name]
    if isinstance(value, str):
        if name == "Length":
            return int(value)
        if name.startswith("Time"):
            return datetime.fromisoformat(value)
    return value


class _Filter(Expression[Fields]):
    """SharePoint's filter, in version 3 of OData."""

    pattern = re.compile(
        r"\s*(?:datetime'(?P<moment>[^']*)'|'(?P<text>(?:[^']|'')*)'|(?P<number>-?\d+)(?![\w.])"
        r"|(?P<word>[A-Za-z_][\w/]*)|(?P<sign>[(),]))"
    )

    def refuse(self) -> NoReturn:
        raise bad_request(f'The expression "{self.text}" is not valid.')

    def token(self, kind: str, raw: str) -> Token:
        if kind == "text":
            return Token("literal", raw.replace("''", "'"))
        if kind == "number":
            return Token("literal", int(raw[:19]))
        if kind == "moment":
            try:
                return Token("literal", datetime.fromisoformat(raw))
            except ValueError:
                self.refuse()
        if kind == "word" and raw in _WORDS:
            return Token("literal", _WORDS[raw])
        return Token(kind, raw)

    def leaf(self) -> _Test:
        for name in ("startswith", "substringof"):
            if self.is_next(name):
                return self._within(name)
        return self._comparison()

    def _within(self, name: str) -> _Test:
        """`startswith(member,'text')` and `substringof('text',member)`: the arguments swap."""
        self.take(name)
        self.take("(")
        first = self._value()
        self.take(",")
        second = self._value()
        self.take(")")
        whole, part = (first, second) if name == "startswith" else (second, first)

        def test(fields: Fields) -> bool:
            long, short = whole(fields), part(fields)
            if not isinstance(long, str) or not isinstance(short, str):
                self.refuse()
            return long.startswith(short) if name == "startswith" else short in long

        return test

    def _comparison(self) -> _Test:
        left = self._value()
        compare = _COMPARISONS.get(self.take_kind("word").value) or self.refuse()
        right = self._value()

        def test(fields: Fields) -> bool:
            try:
                return compare(left(fields), right(fields))
            except TypeError:
                self.refuse()

        return test

    def _value(self) -> _Value:
        token = self.take_kind("literal", "word")
        if token.kind == "word" and token.value in _PARTS and self.is_next("("):
            self.take("(")
            # A part of a time is a number, so it cannot be an argument here again.
            whole = self.take_kind("literal", "word")
            self.take(")")
            return lambda fields: self._part(token.value, self._plain(whole)(fields))
        return self._plain(token)

    def _plain(self, token: Token) -> _Value:
        if token.kind == "literal":
            return lambda fields: token.value
        return lambda fields: value_of(fields, token.value)

    def _part(self, name: str, moment: object) -> int:
        if not isinstance(moment, datetime):
            self.refuse()
        return int(getattr(moment, name))
