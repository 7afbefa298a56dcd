"""What a query looks for in the log is what the product says: every event and every key."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest

from tests.shared.telemetry.workspace import NAMES, query

ABOUT_THE_LOG = [name for name in NAMES if "AppTraces" in query(name)]


def beginnings(text: str) -> Iterator[str]:
    """Each beginning of a line that a query looks for, as a regular expression."""
    for plain in re.findall(r'Message startswith "([^"]+)"', text):
        yield "^" + re.escape(plain)
    for pattern in re.findall(r'Message matches regex @"([^"]+)"', text):
        yield from alternatives(pattern)


def alternatives(pattern: str) -> Iterator[str]:
    """`^a\\.(b|c) ` as `^a\\.b ` and `^a\\.c `: each of them has to be something that is logged."""
    pieces = re.split(r"\(([^()]+\|[^()]+)\)", pattern)
    choices = [piece.split("|") if n % 2 else [piece] for n, piece in enumerate(pieces)]
    for chosen in itertools.product(*choices):
        yield "".join(chosen)


def fields(text: str) -> list[str]:
    """Each regular expression by which a query takes something out of a line."""
    return re.findall(r"""extract\(@['"](.+?)['"], 1, Message\)""", text)


@pytest.mark.parametrize("name", ABOUT_THE_LOG)
def test_every_event_of_a_query_is_logged(lines, name):
    """Whatever beginning of a line a query looks for, the product has such a line."""
    wanted = list(beginnings(query(name)))

    assert wanted
    assert [each for each in wanted if not any(re.search(each, line) for line in lines)] == []


@pytest.mark.parametrize("name", ABOUT_THE_LOG)
def test_every_key_of_a_query_is_logged(lines, name):
    """Whatever a query takes out of its lines, there is one that has it."""
    text = query(name)
    mine = [line for line in lines if any(re.search(each, line) for each in beginnings(text))]
    empty = [
        each
        for each in fields(text)
        if not any((found := re.search(each, line)) and found[1] for line in mine)
    ]

    assert len(fields(text)) == text.count("extract(")
    assert empty == []
