"""The tree of errors is the one that its module draws."""

from __future__ import annotations

import re

from shared import errors
from shared.errors import PhotoSyncError


def drawn() -> dict[str, str]:
    """Each class in the picture and the class it hangs from."""
    parents: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"((?:\|   |    )*)[|`]-- (\w+)", line)
        if found:
            path[len(found[1]) // 4 :] = [found[2]]
            parents[found[2]] = path[-2] if len(path) > 1 else "PhotoSyncError"
    return parents


def below(branch: type[PhotoSyncError]) -> dict[str, str]:
    """Each class under *branch* and its parent."""
    return {
        name: parent
        for child in branch.__subclasses__()
        for name, parent in {child.__name__: branch.__name__, **below(child)}.items()
    }


def test_tree_is_as_drawn():
    """Every error class is in the picture at the head of the module, where it really hangs."""
    assert drawn() == below(PhotoSyncError)


def test_codes_are_distinct():
    """No two errors share the word by which logs and the console tell them apart."""
    codes = [vars(getattr(errors, name)).get("code") for name in drawn()]

    assert None not in codes
    assert len(set(codes)) == len(codes)
