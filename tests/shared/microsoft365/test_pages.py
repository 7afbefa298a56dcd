"""Every list of pages ends, and none ends too soon."""

from __future__ import annotations

import itertools

import pytest

from shared.errors import EndlessList
from shared.microsoft365 import pages

Chain = dict[str, tuple[list[int], str]]


def test_short_and_empty_pages_are_followed():
    """Only a page without a next link is the last one, however few items it has."""
    chain: Chain = {f"/{n}": ([n] if n % 9 == 0 else [], f"/{n + 1}") for n in range(1, 60)}
    chain["/60"] = ([60], "")
    read = pages.follow("/1", lambda path: chain[path], of="numbers")

    assert [each for page in read for each in page] == [9, 18, 27, 36, 45, 54, 60]


@pytest.mark.parametrize("back_to", ["/1", "/2", "/3"])
def test_page_that_was_read_before_ends_the_list(back_to: str):
    """A link to the same page or to an earlier one ends the list: nothing is read twice."""
    asked: list[str] = []
    chain: Chain = {"/1": ([1], "/2"), "/2": ([2], "/3"), "/3": ([3], back_to)}

    def page(path: str) -> tuple[list[int], str]:
        asked.append(path)
        return chain[path]

    with pytest.raises(EndlessList, match="list of numbers does not end: 3 pages were read"):
        list(pages.follow("/1", page, of="numbers"))

    assert asked == ["/1", "/2", "/3"]


def test_ever_new_pages_end_the_list():
    """A list that always names a new page is abandoned after a hundred pages."""
    numbers = itertools.count(2)
    followed = pages.follow("/1", lambda path: (path, f"/{next(numbers)}"), of="numbers")
    first = list(itertools.islice(followed, 100))

    assert len(first) == 100
    with pytest.raises(EndlessList):
        next(followed)
