"""`$search` of directory objects: phrases joined by OR and AND."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

from local.m365.graph.filters import Kind, no_clause, no_property
from local.m365.graph.wire import bad_request
from local.m365.odata import Expression, Token

Test = Callable[[Any], bool]
# These are matched by word, other properties by prefix (D, facts/graph.md section 10).
_IN_WORDS = ("displayName", "description")


def parse(text: str, kind: Kind) -> Test:
    """
    The test of an object that *text* describes. Raises Refusal.

    Documented (facts/graph.md section 10): phrases in quotation marks, on properties that can be
    filtered; words in any order. Assumed: each word may be a prefix, a phrase needs a word, and
    accents are significant.
    """
    return _Search(text, kind).parse()


class _Search(Expression[Any]):
    pattern = re.compile(r'\s*(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>AND|OR)|(?P<sign>[()]))')

    def __init__(self, text: str, kind: Kind) -> None:
        self._kind = kind
        super().__init__(text)

    def refuse(self) -> NoReturn:
        raise bad_request("Syntax error: character is not valid at position 0 in the $search.")

    def token(self, kind: str, raw: str) -> Token:
        if kind == "phrase":
            return Token(kind, re.sub(r"\\(.)", r"\1", raw))
        return Token(kind, raw.lower())

    def leaf(self) -> Test:
        raw, colon, text = str(self.take_kind("phrase").value).partition(":")
        if not colon:
            self.refuse()
        name = self._kind.spelled(raw)
        if name is None:
            raise no_property(self._kind, raw, "Invalid search clause")
        searched = self._kind.filters.get(name)
        if searched is None or searched.kind is not str or searched.many:
            raise no_clause(self._kind, name)
        wanted = _words(text)
        if not wanted:
            self.refuse()
        if name in _IN_WORDS:
            return lambda one: _has_words(self._kind.value(one, name), wanted)
        begins = text.strip().casefold()
        return lambda one: (self._kind.value(one, name) or "").casefold().startswith(begins)


def _has_words(value: str | None, wanted: list[str]) -> bool:
    words = _words(value or "")
    # Words with only symbols between them also form one word (documented).
    words += ["".join(_words(chunk)) for chunk in (value or "").split()]
    return all(any(word.startswith(each) for word in words) for each in wanted)


def _words(text: str) -> list[str]:
    """
    Split at spaces, symbols and digits, and at a change from lower to upper case (documented).
    """
    split = "".join(
        f" {sign}" if sign.isupper() and before.islower() else sign
        for before, sign in zip(" " + text, text, strict=False)
    )
    return [word.casefold() for word in re.findall(r"\d+|[^\W\d_]+", split)]
