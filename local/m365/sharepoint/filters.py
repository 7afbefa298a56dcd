"""OData's `$filter` and `$orderby`, as far as SharePoint's REST service takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from local.m365.sharepoint.errors import bad_request

Fields = Mapping[str, Any]
_Test = Callable[[Fields], bool]
_Value = Callable[[Fields], Any]

# Deeper than anybody writes, and far from Python's own limit.
_DEEPEST = 32
_TOKEN = re.compile(
    r"\s*(?:datetime'(?P<moment>[^']*)'|'(?P<text>(?:[^']|'')*)'|(?P<number>-?\d+)(?![\w.])"
    r"|(?P<word>[A-Za-z_][\w/]*)|(?P<sign>[(),]))"
)
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
        lower case only. Assumed: text is compared as it is written, operators are in lower case.
    """
    parser = _Parser(_tokens(text), text)
    test = parser.either(0)
    if parser.rest:
        parser.refuse()
    return test


def parse_order(text: str) -> list[tuple[str, bool]]:
    """The members to sort by, each with whether it goes down. Documented: `asc` and `desc`."""
    found = []
    for part in text.split(","):
        name, *direction = part.split()[:3] or [""]
        if not re.fullmatch(r"\w+", name) or direction not in ([], ["asc"], ["desc"]):
            raise bad_request(f'The expression "{text}" is not valid.')
        found.append((name, direction == ["desc"]))
    return found


def value_of(fields: Fields, name: str) -> Any:
    """
    What *fields* hold, in the form that it is compared in: numbers and times travel as text.

    Assumed: a member that is not there is 400 with this sentence.
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


@dataclass(frozen=True)
class _Token:
    kind: str
    value: Any


def _tokens(text: str) -> list[_Token]:
    found, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise bad_request(f'The expression "{text}" is not valid.')
        found.append(_token(match.lastgroup, match[match.lastgroup], text))
        position = match.end()
    return found


def _token(kind: str, raw: str, text: str) -> _Token:
    if kind == "text":
        return _Token("literal", raw.replace("''", "'"))
    if kind == "number":
        return _Token("literal", int(raw[:19]))
    if kind == "moment":
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError as error:
            raise bad_request(f'The expression "{text}" is not valid.') from error
        return _Token("literal", moment)
    if kind == "word" and raw in _WORDS:
        return _Token("literal", _WORDS[raw])
    return _Token(kind, raw)


class _Parser:
    """Recursive descent: `or`, `and`, `not`, parentheses, and what can be true or false."""

    def __init__(self, rest: list[_Token], text: str) -> None:
        self.rest = rest
        self._text = text

    def refuse(self) -> NoReturn:
        raise bad_request(f'The expression "{self._text}" is not valid.')

    def _is_next(self, value: str) -> bool:
        return bool(self.rest) and self.rest[0] in (_Token("word", value), _Token("sign", value))

    def _take(self, value: str) -> None:
        if not self._is_next(value):
            self.refuse()
        del self.rest[0]

    def either(self, depth: int) -> _Test:
        tests = [self._all(depth)]
        while self._is_next("or"):
            self._take("or")
            tests.append(self._all(depth))
        return lambda fields: any(test(fields) for test in tests)

    def _all(self, depth: int) -> _Test:
        tests = [self._one(depth)]
        while self._is_next("and"):
            self._take("and")
            tests.append(self._one(depth))
        return lambda fields: all(test(fields) for test in tests)

    def _one(self, depth: int) -> _Test:
        if depth > _DEEPEST:
            self.refuse()
        if self._is_next("not"):
            self._take("not")
            test = self._one(depth + 1)
            return lambda fields: not test(fields)
        if self._is_next("("):
            self._take("(")
            test = self.either(depth + 1)
            self._take(")")
            return test
        for name in ("startswith", "substringof"):
            if self._is_next(name):
                return self._within(name)
        return self._comparison()

    def _within(self, name: str) -> _Test:
        """`startswith(member,'text')` and `substringof('text',member)`: not in the same order."""
        self._take(name)
        self._take("(")
        first = self._value()
        self._take(",")
        second = self._value()
        self._take(")")
        whole, part = (first, second) if name == "startswith" else (second, first)

        def test(fields: Fields) -> bool:
            long, short = whole(fields), part(fields)
            if not isinstance(long, str) or not isinstance(short, str):
                self.refuse()
            return long.startswith(short) if name == "startswith" else short in long

        return test

    def _comparison(self) -> _Test:
        left = self._value()
        if not self.rest or self.rest[0].kind != "word" or self.rest[0].value not in _COMPARISONS:
            self.refuse()
        compare = _COMPARISONS[self.rest.pop(0).value]
        right = self._value()

        def test(fields: Fields) -> bool:
            try:
                return compare(left(fields), right(fields))
            except TypeError:
                self.refuse()

        return test

    def _value(self) -> _Value:
        if not self.rest:
            self.refuse()
        token = self.rest.pop(0)
        if token.kind == "literal":
            return lambda fields: token.value
        if token.kind != "word":
            self.refuse()
        if token.value in _PARTS and self._is_next("("):
            self._take("(")
            whole = self._value()
            self._take(")")
            return lambda fields: self._part(token.value, whole(fields))
        return lambda fields: value_of(fields, token.value)

    def _part(self, name: str, moment: object) -> int:
        if not isinstance(moment, datetime):
            self.refuse()
        return int(getattr(moment, name))
