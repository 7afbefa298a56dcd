"""
Lists that come in pages, each of which names the next: read to the end, and every one has an end.

A next page was reported to be the same one for ever (microsoft-graph-docs#2635, #4897), an earlier
one (microsoft-graph-docs-contrib#1239), or empty more than fifty times over
(microsoft-graph-docs#17354). The last is followed, for a short or empty page says nothing about the
next; the others end with EndlessList, and nobody knows what such a list would have held.

A sweep reads one page a message, and ends its own chain (see `sweep_log`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from shared.errors import EndlessList

T = TypeVar("T")

# What one run reads to the end: more empty pages than were reported, and still a matter of minutes.
MOST = 100


def follow(
    first: str, page: Callable[[str], tuple[T, str]], *, of: str, most: int = MOST
) -> Iterator[T]:
    """
    What *page* makes of each page from *first* on; it returns that, and the path of the next.

    *of* says what is listed, *most* how many pages are read. Raises EndlessList, and whatever
    *page* raises.
    """
    path, seen = first, set[str]()
    while path:
        if path in seen or len(seen) == most:
            raise EndlessList(f"The list of {of} does not end: {len(seen)} pages were read.")
        seen.add(path)
        found, path = page(path)
        yield found
