"""Generated tables in pages, between two comments that name them."""

from __future__ import annotations

from pathlib import Path

REPO = Path(__file__).resolve().parents[1]


def shown(page: Path, name: str) -> str:
    """The page's text between the comments of *name*."""
    text = page.read_text(encoding="utf-8")
    begin, end = _place(text, name)
    return text[begin:end]


def write(page: Path, name: str, table: str) -> None:
    """Write *table* between the comments of *name*."""
    text = page.read_text(encoding="utf-8")
    begin, end = _place(text, name)
    page.write_text(text[:begin] + table + text[end:], encoding="utf-8")


def _place(text: str, name: str) -> tuple[int, int]:
    opening = f"<!-- {name}: begin -->\n\n"
    begin = text.index(opening) + len(opening)
    return begin, text.index(f"\n\n<!-- {name}: end -->", begin)
