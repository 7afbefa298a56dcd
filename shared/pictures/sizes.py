"""The sizes in which SharePoint shows a user: one file and one number in PICTURE_SIZES for each."""

from __future__ import annotations

# Small, middle, large: the suffixes that pages append to find the files (sharepoint.md section 1).
SUFFIXES = ("_SThumb.jpg", "_MThumb.jpg", "_LThumb.jpg")
USUAL = "48,72,300"
# The largest size that Exchange stores (graph.md section 4, documented).
LARGEST = 648


def read(text: str) -> tuple[int, ...]:
    """The three sizes in *text*, from small to large. Raises ValueError."""
    words = (text.strip() or USUAL).split(",")
    sizes = tuple(int(word) for word in words if word.strip().isdecimal() and len(word) <= 4)
    fits = all(1 <= size <= LARGEST for size in sizes) and list(sizes) == sorted(sizes)
    if len(sizes) != len(words) or len(sizes) != len(SUFFIXES) or not fits:
        raise ValueError(f"three pixel sizes, small to large, each 1 to {LARGEST}")
    return sizes
