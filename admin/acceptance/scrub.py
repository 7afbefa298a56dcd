"""Removes names and ids from a text, so that it can be attached to a bug report."""

from __future__ import annotations

import re
from collections.abc import Iterable

GONE = "(…)"
# Removed in any case: tokens, URLs, mail addresses, ids, etags, hosts.
_FORMS = re.compile(
    r"eyJ[\w-]+(\.[\w-]+){1,2}"
    r"|https?://[^\s\"'<>]+"
    r"|[^\s\"<>()|,;]+@[^\s\"'<>()|,;]+"
    r"|\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?"
    r"|(W/)?\"[^\"\s]{16,}\""
    r"|\b[0-9a-f]{24,}\b"
    r"|\b([\w-]+\.)+(com|net|us|cn|org)\b(:\d+)?"
    r"|\blocalhost(:\d+)?\b",
    re.IGNORECASE,
)


class Scrub:
    """Also removes the known names of this run, ignoring case."""

    def __init__(self, known: Iterable[str]) -> None:
        """
        *known* are names, ids and hosts. Fewer than three ASCII letters are not a name; in other
        scripts two characters can be a full name.
        """
        named = {each for each in known if len(each) > (2 if each.isascii() else 1)}
        longest_first = sorted(named, key=len, reverse=True)
        parts = "|".join(_pattern(each) for each in longest_first)
        self._known = re.compile(parts, re.IGNORECASE) if parts else None

    def __call__(self, text: str) -> str:
        text = _FORMS.sub(GONE, text)
        return self._known.sub(GONE, text) if self._known else text


def _pattern(known: str) -> str:
    """
    A short name may be part of a word, so it must stand alone; a long one is removed anywhere.
    Other scripts may put no spaces between words.
    """
    return (
        re.escape(known)
        if len(known) > 5 or not known.isascii()
        else rf"(?<!\w){re.escape(known)}(?!\w)"
    )
