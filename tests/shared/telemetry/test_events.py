"""Each event and key that a query looks for occurs in a line that the product logs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from tests.shared.telemetry.workspace import NAMES, query

ABOUT_THE_LOG = [name for name in NAMES if "AppTraces" in query(name)]


def beginnings(text: str) -> Iterator[str]:
    """Each line start that a query looks for, as a regular expression."""
    for plain in re.findall(r'Message startswith "([^"]+)"', text):
        yield "^" + re.escape(plain)
    for pattern in re.findall(r'Message matches regex @"([^"]+)"', text):
        yield from alternatives(pattern)


def alternatives(pattern: str) -> Iterator[str]:
    """Expand `^a\\.(b|c) ` into `^a\\.b ` and `^a\\.c `: each must match a logged line."""
    pieces = re.split(r"\(([^()]+\|[^()]+)\)", pattern)
    choices = [piece.split("|") if n % 2 else [piece] for n, piece in enumerate(pieces)]
    for chosen in itertools.product(*choices):
        yield "".join(chosen)


def fields(text: str) -> list[str]:
    """Each regular expression with which a query extracts part of a line."""
    return re.findall(r"""extract\(@['"](.+?)['"], 1, Message\)""", text)


@pytest.mark.parametrize("name", ABOUT_THE_LOG)
def test_query_matches_the_log(lines, name):
    """Each line start that a query looks for is logged, and each extraction finds something."""
    text = query(name)
    starts = list(beginnings(text))
    mine = [line for line in lines if any(re.search(each, line) for each in starts)]
    empty = [
        each
        for each in fields(text)
        if not any((found := re.search(each, line)) and found[1] for line in mine)
    ]

    assert starts
    assert [each for each in starts if not any(re.search(each, line) for line in mine)] == []
    assert len(fields(text)) == text.count("extract(")
    assert empty == []
