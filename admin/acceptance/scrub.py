"""Takes names and ids out of a text: what is left may be attached to a bug report."""

from __future__ import annotations

import re
from collections.abc import Iterable

GONE = "(…)"
# Whosever they are: tokens, addresses, mail addresses, ids, etags, hosts.
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
    """Also takes out what is known of this run, in any case of letters."""

    def __init__(self, known: Iterable[str]) -> None:
        """
        *known* are names, ids and hosts; fewer than three letters of ours name nobody, while two
        of another script are a whole name.
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
    A short name may be a part of a word, a long one is a name wherever it stands; other scripts
    put no spaces between words.
    """
    return (
        re.escape(known)
        if len(known) > 5 or not known.isascii()
        else rf"(?<!\w){re.escape(known)}(?!\w)"
    )
