"""
The record of the latest uninstall, in blob `uninstall.json`.

For every part of the app the blob is the order itself. For the chain of messages that carries it
out, it says which page is current: a message for another page is late or a duplicate.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple

from shared import counts, moments
from shared.messages.sweep_id import is_sweep_id
from shared.storage.documents import Document, Documents
from shared.telemetry.log_text import loggable

NAME = "uninstall.json"
RUNNING, DONE, FAILED, CANCELLED = "running", "done", "failed", "cancelled"
_STATUSES = {RUNNING, DONE, FAILED, CANCELLED}

log = logging.getLogger("photosync")


@dataclass(frozen=True)
class UninstallLog:
    """
    One uninstall. `page` is the next piece of work, from 1, and counts through all rounds over the
    states; `next` is the round's token for the listing.

    Within the round, `listed` counts users found, `open` those of them who are unfinished, and
    `problems` names some of the `troubled` users who cannot be finished. `left` is how many of the
    `expected` users may remain. `rests` counts the pauses since the order. `subscription` says why
    the subscription could not be deleted.
    """

    id: str
    remove_pictures: bool
    started_at: str
    updated_at: str
    round_ended_at: str
    status: str = RUNNING
    detail: str = ""
    subscription: str = ""
    page: int = 1
    round: int = 1
    next: str = ""
    expected: int = 0
    left: int = 0
    rests: int = 0
    listed: int = 0
    open: int = 0
    troubled: int = 0
    problems: list[dict[str, str]] = field(default_factory=list)
    finished_at: str = ""

    @property
    def halts(self) -> bool:
        """Whether PhotoSync is halted: until a person cancels the order."""
        return self.status != CANCELLED


_BLANK = UninstallLog("", False, "", "", "")


class Read(NamedTuple):
    """The uninstall, None if it is missing or damaged, and the document it was read from."""

    log: UninstallLog | None
    document: Document | None


def to_fields(uninstall: UninstallLog) -> dict[str, Any]:
    """The blob's fields."""
    return {_camel(key): value for key, value in asdict(uninstall).items()}


class UninstallLogs:
    """Reads and writes the uninstall. Every write is conditional (Conflict)."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def read(self) -> Read:
        document = self._documents.read(NAME)
        if document is None:
            return Read(None, None)
        try:
            return Read(_read(document.fields), document)
        except (TypeError, ValueError, OverflowError) as error:
            log.warning('uninstall.set_aside why="%s"', loggable(str(error)))
            return Read(None, document)

    def write(self, uninstall: UninstallLog, *, after: Document | None) -> Document:
        """Replace the version read as *after* with *uninstall*."""
        return self._documents.write(NAME, to_fields(uninstall), after=after)


def _read(written: Mapping[str, Any]) -> UninstallLog:
    """
    The uninstall that *written* describes.

    Raises TypeError, ValueError and OverflowError if it is not valid, e.g. edited by hand.
    """
    known = {each.name: _camel(each.name) for each in fields(UninstallLog)}
    found = UninstallLog(**{name: written[key] for name, key in known.items() if key in written})
    for name in known:
        value, usual = getattr(found, name), getattr(_BLANK, name)
        if type(value) is not type(usual):
            raise TypeError(f"{name} has the wrong type.")
        if type(usual) is int:
            counts.read(value)
    if not is_sweep_id(found.id) or found.status not in _STATUSES:
        raise ValueError("Its id or status is invalid.")
    if not all(isinstance(each, dict) for each in found.problems):
        raise TypeError("problems has entries of the wrong type.")
    for moment in (found.started_at, found.updated_at, found.round_ended_at):
        moments.read(moment)
    return found


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
