"""Tests mirror the folders of what they test; `race`, `machine` and `e2e` test the whole."""

from pathlib import Path

REPO = Path(__file__).parents[1]
