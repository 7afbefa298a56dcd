"""`$filter` of directory objects: the operators for each property, and when they are allowed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, NoReturn

from local.m365.graph.wire import Refusal, bad_request
from local.m365.odata import Expression, Token

Value = Callable[[Any], Any]
Test = Callable[[Any], bool]


@dataclass(frozen=True)
class Property:
    """
    The operators that a filter may use on one property.

    *always* and *advanced* list operators, with `null` for a comparison with null; *advanced* ones
    need the header and `$count=true`. `not` and `ne` follow from `eq`.
    """

    always: str = ""
    advanced: str = ""
    kind: type = str
    many: bool = False


class Kind(NamedTuple):
    """A type of directory object, and the rules for lists of it."""

    name: str  # as in error messages
    known: tuple[str, ...]
    default: tuple[str, ...]
    value: Callable[[Any, str], Any]  # the value that an object shows for a property
    filters: Mapping[str, Property]
    sorts: tuple[str, ...]  # also without an advanced query
    sorts_advanced: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()  # properties shown only for a single object

    def spelled(self, name: str) -> str | None:
        """The property called *name*, ignoring case."""
        known = (*self.known, *self.alone)
        return next((each for each in known if each.casefold() == name.casefold()), None)


def unsupported(message: str) -> Refusal:
    return bad_request(message, "Request_UnsupportedQuery")


def needs_advanced(operator: str) -> Refusal:
    """Documented for `endsWith` (facts/graph.md section 10), assumed for other operators."""
    return unsupported(
        f"Operator '{operator}' is not supported because the required parameters might be missing."
        " Try adding $count=true query parameter and ConsistencyLevel:eventual header. Refer to"
        " https://aka.ms/graph-docs/advanced-queries for more information"
    )


def no_clause(kind: Kind, name: str) -> Refusal:
    """Documented for properties without an index; reported for those that need the header."""
    return unsupported(
        "Unsupported or invalid query filter clause specified for property "
        f"'{name}' of resource '{kind.name}'."
    )


def no_property(kind: Kind, name: str, where: str) -> Refusal:
    return bad_request(
        f"{where}: Could not find a property named '{name}' on type "
        f"'microsoft.graph.{kind.name.lower()}'."
    )


def parse(text: str, kind: Kind, *, advanced: bool) -> Test:
    """
    The test of an object that *text* describes. Raises Refusal.

    Documented (facts/graph.md section 10): which operators a property supports, and which of them
    only in an advanced query. Reported: lists in an `or` are refused. Assumed: text, names and
    operators are case-insensitive.
    """
    found = _Filter(text, kind, advanced)
    return found.parse()


class _Clause(NamedTuple):
    """`name operator value`, or a function with both."""

    name: str
    operator: str
    values: tuple[Any, ...]


_WORDS = {"true": True, "false": False, "null": None}
_FUNCTIONS = {"startswith": "startsWith", "endswith": "endsWith"}
_HOLDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ge": lambda left, right: left is not None and left >= right,
    "le": lambda left, right: left is not None and left <= right,
    "startsWith": lambda left, right: left is not None and left.startswith(right),
    "endsWith": lambda left, right: left is not None and left.endswith(right),
}


class _Filter(Expression[Any]):
    """Graph's filter, in version 4 of OData."""

    pattern = re.compile(
        r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?Z)?)"
        r"|(?P<word>[A-Za-z_]\w*)|(?P<sign>[(),:/]))"
    )

    def __init__(self, text: str, kind: Kind, advanced: bool) -> None:
        self._kind = kind
        self._advanced = advanced
        super().__init__(text)
        words = [token.value for token in self.rest if token.kind == "word"]
        self._joined = "or" in words
        if "not" in words and not advanced:
            raise needs_advanced("not")

    def refuse(self) -> NoReturn:
        raise bad_request("Invalid filter clause")

    def token(self, kind: str, raw: str) -> Token:
        if kind == "text":
            return Token("literal", raw.replace("''", "'"))
        if kind == "moment":
            try:
                return Token("literal", _moment(raw))
            except ValueError:
                self.refuse()
        if raw.casefold() in _WORDS:
            return Token("literal", _WORDS[raw.casefold()])
        if raw.casefold() in ("and", "or", "not"):
            return Token("word", raw.casefold())
        return Token(kind, raw)

    def leaf(self) -> Test:
        if len(self.rest) > 1 and self.rest[1] == Token("sign", "/"):
            return self._any()
        clause = self._clause()
        value = self._value(clause, many=False)
        return _compared(clause, value)

    def _any(self) -> Test:
        """`otherMails/any(m:startsWith(m,'anne'))`: one clause, about the variable."""
        name = self.take_kind("word").value
        for sign in ("/", "any", "("):
            self.take(sign)
        variable = self.take_kind("word").value
        self.take(":")
        clause = self._clause()
        self.take(")")
        if clause.name != variable:
            self.refuse()
        clause = clause._replace(name=name)
        values = self._value(clause, many=True)
        if self._joined:
            raise unsupported(f"Complex query on property {name} is not supported.")
        test = _compared(clause, lambda each: each)
        return lambda one: any(test(each) for each in values(one))

    def _clause(self) -> _Clause:
        word = str(self.take_kind("word").value)
        function = _FUNCTIONS.get(word.casefold())
        if function and self.is_next("("):
            self.take("(")
            name = self.take_kind("word").value
            self.take(",")
            value = self.take_kind("literal").value
            self.take(")")
            return _Clause(name, function, (value,))
        operator = str(self.take_kind("word").value).casefold()
        if operator == "in":
            return _Clause(word, operator, self._list())
        return _Clause(word, operator, (self.take_kind("literal").value,))

    def _list(self) -> tuple[Any, ...]:
        self.take("(")
        values = [self.take_kind("literal").value]
        while self.is_next(","):
            self.take(",")
            values.append(self.take_kind("literal").value)
        self.take(")")
        return tuple(values)

    def _value(self, clause: _Clause, *, many: bool) -> Value:
        """The value that *clause* compares, after checking that this is allowed."""
        name = self._kind.spelled(clause.name)
        if name is None:
            raise no_property(self._kind, clause.name, "Invalid filter clause")
        allowed = self._kind.filters.get(name)
        if allowed is None or allowed.many is not many or (many and clause.operator == "ne"):
            raise no_clause(self._kind, name)
        for each in clause.values:
            self._check(name, allowed, clause.operator, each)
        if allowed.kind is datetime:
            return lambda one: _moment(self._kind.value(one, name))
        return lambda one: self._kind.value(one, name)

    def _check(self, name: str, allowed: Property, operator: str, value: object) -> None:
        # If `eq` is allowed, so is `in`, and `ne` in an advanced query (documented).
        like = "eq" if operator in ("in", "ne") else operator
        always = allowed.always.split()
        advanced = [*always, *allowed.advanced.split()]
        if like not in advanced or (value is None and not (like == "eq" and "null" in advanced)):
            raise no_clause(self._kind, name)
        if not self._advanced and (operator == "ne" or like not in always or value is None):
            raise needs_advanced(operator) if always else no_clause(self._kind, name)
        if value is not None and not isinstance(value, allowed.kind):
            self.refuse()


def _moment(raw: str) -> datetime:
    found = datetime.fromisoformat(raw)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _compared(clause: _Clause, value: Value) -> Test:
    wanted = [_plain(each) for each in clause.values]
    if clause.operator == "in":
        return lambda one: _plain(value(one)) in wanted
    if clause.operator == "ne":
        return lambda one: bool(_plain(value(one)) != wanted[0])
    holds = _HOLDS[clause.operator]
    return lambda one: holds(_plain(value(one)), wanted[0])


def _plain(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
