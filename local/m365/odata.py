"""OData expressions: `or`, `and`, `not` and parentheses around a service's own comparisons."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

T = TypeVar("T")
# Deeper than any real expression, and far below Python's recursion limit.
_MAX_DEPTH = 32


@dataclass(frozen=True)
class Token:
    """One symbol, word or literal of an expression."""

    kind: str
    value: Any


class Expression(ABC, Generic[T]):
    """
    A test of T by recursive descent.

    A subclass defines its tokens (the groups of *pattern* are kinds), their values, the terms that
    are true or false, and the refusal.
    """

    pattern: re.Pattern[str]

    def __init__(self, text: str) -> None:
        self.text = text
        self.rest = self._tokens()

    @abstractmethod
    def token(self, kind: str, raw: str) -> Token:
        """The token for *raw*."""

    @abstractmethod
    def leaf(self) -> Callable[[T], bool]:
        """The test that the next tokens describe."""

    @abstractmethod
    def refuse(self) -> NoReturn:
        """Raise the error for an invalid expression."""

    def parse(self) -> Callable[[T], bool]:
        """The test that the whole text describes, or a refusal."""
        test = self._disjunction(0)
        if self.rest:
            self.refuse()
        return test

    def is_next(self, value: str) -> bool:
        return bool(self.rest) and self.rest[0] in (Token("word", value), Token("sign", value))

    def take(self, value: str) -> None:
        if not self.is_next(value):
            self.refuse()
        del self.rest[0]

    def take_kind(self, *kinds: str) -> Token:
        if not self.rest or self.rest[0].kind not in kinds:
            self.refuse()
        return self.rest.pop(0)

    def _tokens(self) -> list[Token]:
        found, position, end = [], 0, len(self.text.rstrip())
        while position < end:
            match = self.pattern.match(self.text, position)
            if match is None or match.lastgroup is None:
                self.refuse()
            found.append(self.token(match.lastgroup, match[match.lastgroup]))
            position = match.end()
        return found

    def _disjunction(self, depth: int) -> Callable[[T], bool]:
        tests = [self._conjunction(depth)]
        while self.is_next("or"):
            self.take("or")
            tests.append(self._conjunction(depth))
        return lambda one: any(test(one) for test in tests)

    def _conjunction(self, depth: int) -> Callable[[T], bool]:
        tests = [self._term(depth)]
        while self.is_next("and"):
            self.take("and")
            tests.append(self._term(depth))
        return lambda one: all(test(one) for test in tests)

    def _term(self, depth: int) -> Callable[[T], bool]:
        if depth > _MAX_DEPTH:
            self.refuse()
        if self.is_next("not"):
            self.take("not")
            test = self._term(depth + 1)
            return lambda one: not test(one)
        if self.is_next("("):
            self.take("(")
            test = self._disjunction(depth + 1)
            self.take(")")
            return test
        return self.leaf()
