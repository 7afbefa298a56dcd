"""Describes answers by status and kind of error, never by their text."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from shared.graph import errors as graph
from shared.microsoft365.reply import Reply
from shared.sharepoint import errors as sharepoint

_WORD = re.compile(r"[A-Za-z_]{1,60}")
_NUMBER = re.compile(r"-?\d{1,12}")
_MEDIA = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,40}", re.IGNORECASE)


def of_graph(reply: Reply) -> str:
    """Such as "404 ImageNotFound"."""
    return _joined(reply, graph.code_and_message(reply)[0])


def of_sharepoint(reply: Reply) -> str:
    """Such as "404 -2130575338 SPException", or "200 with odata.null"."""
    if sharepoint.is_odata_null(reply.body):
        return f"{reply.status} with odata.null"
    number, _, kind = sharepoint.read_error(reply.body).code.partition(", ")
    number = number if _NUMBER.fullmatch(number) and number != "-1" else ""
    return _joined(reply, number, kind.rpartition(".")[2])


def of_number(value: object) -> str:
    """A number from a JSON answer, which may hold any value; "?" if it is not a number."""
    return str(value) if type(value) is int and abs(value) < 10**12 else "?"


def of_media(reply: Reply) -> str:
    """Such as "image/jpeg"."""
    kind = reply.headers.get("Content-Type", "").partition(";")[0].strip()
    return kind if _MEDIA.fullmatch(kind) else "another content type" if kind else "no content type"


def host_in(address: str) -> str:
    """The host in *address*; empty if it names none or is invalid."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _joined(reply: Reply, *words: str) -> str:
    """Keep only words in the form of a code: a service may send anything there."""
    known = (word for word in words if _WORD.fullmatch(word) or _NUMBER.fullmatch(word))
    return " ".join([str(reply.status), *known])
