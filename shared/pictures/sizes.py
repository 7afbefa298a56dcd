"""The sizes in which SharePoint shows a user: of each one file, and one number in PICTURE_SIZES."""

from __future__ import annotations

# Small, middle, large: what pages put behind a file's name to find them (sharepoint.md section 1).
SUFFIXES = ("_SThumb.jpg", "_MThumb.jpg", "_LThumb.jpg")
USUAL = "48,72,300"
# What Exchange stores at most (graph.md section 4, documented).
LARGEST = 648


def read(text: str) -> tuple[int, ...]:
    """The numbers in *text*, from small to large. Raises ValueError."""
    words = (text.strip() or USUAL).split(",")
    sizes = tuple(int(word) for word in words if word.strip().isdecimal() and len(word) <= 4)
    fits = all(1 <= size <= LARGEST for size in sizes) and list(sizes) == sorted(sizes)
    if len(sizes) != len(words) or len(sizes) != len(SUFFIXES) or not fits:
        raise ValueError(f"three pixel sizes, small to large, each 1 to {LARGEST}")
    return sizes
