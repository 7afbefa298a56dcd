"""
Reads a paged list, in which each page links to the next, to its end, with a limit on the pages.

Reported: a next link can lead to the same page forever (microsoft-graph-docs#2635, #4897), to an
earlier page (microsoft-graph-docs-contrib#1239), or to more than fifty empty pages in a row
(microsoft-graph-docs#17354). Empty pages are followed, because a short or empty page does not mean
that the list ends. The others end with EndlessList, and the contents of such a list are unknown.

A sweep reads one page per message and limits its own chain (see `sweep_log`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from shared.errors import EndlessList

T = TypeVar("T")

# The most pages of a list: more empty pages than were reported, and still a matter of minutes.
MOST = 100


def follow(
    first: str, page: Callable[[str], tuple[T, str]], *, of: str, most: int = MOST
) -> Iterator[T]:
    """
    Yield the result of each page from *first* on. *page* returns it with the path of the next page.

    *of* names the listed items, *most* limits the pages. Raises EndlessList, and whatever *page*
    raises.
    """
    path, seen = first, set[str]()
    while path:
        if path in seen or len(seen) == most:
            raise EndlessList(f"The list of {of} does not end: {len(seen)} pages were read.")
        seen.add(path)
        found, path = page(path)
        yield found
