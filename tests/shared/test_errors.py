"""The tree of errors is as drawn in its module."""

from __future__ import annotations

import re

import pytest

from shared import errors
from shared.errors import PhotoSyncError


def drawn() -> dict[str, str]:
    """Each class of the drawing, and its parent there."""
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
    """Each error class is in the module's drawing, below its real base."""
    assert drawn() == below(PhotoSyncError)


def test_codes_are_distinct():
    """Each error has its own code for logs and the console."""
    codes = [vars(getattr(errors, name)).get("code") for name in drawn()]

    assert None not in codes
    assert len(set(codes)) == len(codes)


@pytest.mark.parametrize(
    "sentence",
    [
        "Graph answered 400: https://app.contoso.com/api/notifications?code=s3cret== is no URL.",
        "Not found: 'https://app.contoso.com/?x=1&Code=s3cret'.",
        "Blocked: /login?from=https%3A%2F%2Fapp%3Fcode%3Ds3cret%26x",
    ],
)
def test_no_key_in_a_sentence(sentence: str):
    """If a service quotes the webhook's URL, the key is removed; the rest stays."""
    shown = str(PhotoSyncError(sentence))

    assert "s3cret" not in shown
    assert shown.split("ode")[0] == sentence.split("ode")[0]


def test_sentence_is_one_line():
    """A sentence is one line without control characters, of limited length."""
    assert str(PhotoSyncError("a\n\x1b[2Jb\u202e  c ")) == "a [2Jb c"
    assert len(str(PhotoSyncError("x" * 9999))) == errors.LONGEST_SENTENCE
