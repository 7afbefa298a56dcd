"""
The record of a sweep, in blob `sweeps/<id>.json`, and of the newest one, `sweeps/latest.json`.

A page message that does not match the page in the blob is late or a duplicate.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from shared import moments
from shared.errors import Conflict, EndlessList
from shared.messages.sweep_id import is_sweep_id
from shared.storage import records
from shared.storage.documents import Document, Documents
from shared.sweeping import sweep_rules
from shared.telemetry.log_text import loggable
from shared.user import is_object_id

RUNNING, FINISHED, FAILED = "running", "finished", "failed"
# The removals: none due; due and not yet queued; held back by the brake; queued.
NONE, DUE, BRAKED, QUEUED = "none", "due", "braked", "queued"
_STATUSES, _REMOVALS = {RUNNING, FINISHED, FAILED}, {NONE, DUE, BRAKED, QUEUED}

LATEST = "sweeps/latest.json"
# The prefix of the path of a page of states; these follow the pages of users that Graph lists.
STATES = "states:"
# A sweep asks Graph by id about a hundredth of the stored users, listed or not, so that everyone is
# asked about within a hundred sweeps, four days; at least about this many.
ONE_ASKED_IN, FEWEST_ASKED = 100, 100
# Users whose photo is gone, and users who have left.
GONE, LEFT = "gone", "left"

log = logging.getLogger("photosync")


@dataclass(frozen=True)
class SweepLog:
    """
    One sweep. `page` is the number of the next message, from 1, and `next` is where it begins: the
    path of a page in Graph, or of a page of states.

    `links` is how many pages were followed, and `mark` is the fingerprint of an earlier page's
    path.

    `parts` names the blobs of what Graph said (see `snapshot`); `listed_to` is the last user
    compared with them; `lists` names the lists of users who may lose something. `broken` says
    why Graph's list was not followed to its end.

    `left` counts users to be forgotten. `removals` says what happens to the `gone`, `forgetting` to
    the `left`. Graph was asked by id about `asked` users, the last of them `asked_to`.

    `managed` counts users whose SharePoint picture is ours, `gone` those of them whose photo was
    missing in two checks; `failed` users about whom Graph gave no answer or an unexpected one;
    `changed` users sent to the worker, by reason; `turns` those of them who wait for a fill.
    """

    id: str
    started_at: str
    updated_at: str
    status: str = RUNNING
    detail: str = ""
    page: int = 1
    next: str = ""
    users: int = 0
    in_scope: int = 0
    failed: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    managed: int = 0
    gone: int = 0
    removals: str = NONE
    left: int = 0
    forgetting: str = NONE
    asked: int = 0
    asked_to: str = ""
    stalls: int = 0
    previous: str = ""
    expected_users: int = 0
    finished_at: str = ""
    mark: str = ""
    links: int = 0
    parts: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    listed_to: str = ""
    broken: str = ""
    turns: int = 0

    @property
    def is_untouched(self) -> bool:
        """Whether it is running, and none of its pages was processed."""
        return (self.status, self.page, self.updated_at) == (RUNNING, 1, self.started_at)

    def must_end_with(self, following: str) -> None:
        """Raise EndlessList if *following* is this page, an earlier one, or one page too many."""
        if following and (
            following == self.next
            or sweep_rules.fingerprint(following) == self.mark
            or self.links + 1 >= sweep_rules.MOST_PAGES
        ):
            raise EndlessList(
                "Microsoft Graph's list of users returns to an earlier page or does not end, so "
                "this sweep would never end. It removes nothing, and the next one starts over."
            )

    def marked(self, following: str) -> str:
        """The fingerprint to store, now that the next page is *following*."""
        # Brent's cycle detection: one link is stored, and replaced at pages 1, 2, 4, 8 and so on.
        # Sooner or later it lies on the cycle, and is met again before it is replaced.
        is_power_of_two = self.links & (self.links + 1) == 0
        return sweep_rules.fingerprint(following) if is_power_of_two else self.mark

    def finished(self, now: str) -> SweepLog:
        """The sweep after its last page, with its removals decided; a broken sweep has none."""
        if self.broken:
            return replace(self, status=FAILED, finished_at=now, detail=self.broken)
        removals, forgetting = self._decision(self.gone), self._decision(self.left)
        sentences = []
        if removals == BRAKED:
            sentences.append(
                f"{self.gone} of {self.managed} pictures would be removed at once. That looks like "
                "an outage of the source. None is removed until a person releases the removals."
            )
        if forgetting == BRAKED:
            sentences.append(
                f"{self.left} users who left would be forgotten at once, compared with "
                f"{self.managed} managed pictures. None is forgotten until a person releases them."
            )
        return replace(
            self,
            status=FINISHED,
            finished_at=now,
            removals=removals,
            forgetting=forgetting,
            detail=" ".join(sentences),
        )

    def _decision(self, users: int) -> str:
        """What happens to this many removals, or users who left, at once."""
        if sweep_rules.looks_like_an_outage(users, self.managed):
            return BRAKED
        return DUE if users else NONE

    def released(self, when: str) -> SweepLog:
        """The sweep after a person has released what the brake held back."""
        decisions = {
            f"removing {self.gone} pictures": self.removals,
            f"forgetting {self.left} users who left": self.forgetting,
        }
        held_back = ", ".join(what for what, decision in decisions.items() if decision == BRAKED)
        return replace(
            self,
            removals=DUE if self.removals == BRAKED else self.removals,
            forgetting=DUE if self.forgetting == BRAKED else self.forgetting,
            detail=f"A person released this at {when}: {held_back}.",
        )

    @property
    def to_ask(self) -> int:
        """About how many more users this sweep may ask Graph about by id."""
        return max(FEWEST_ASKED, self.users // ONE_ASKED_IN) - self.asked

    def held_back(self) -> int:
        """How many users the brake holds back."""
        gone = self.gone if self.removals == BRAKED else 0
        return gone + (self.left if self.forgetting == BRAKED else 0)

    def all_queued(self) -> SweepLog:
        """The sweep once every user who was due is queued for the worker."""
        return replace(
            self,
            removals=QUEUED if self.removals == DUE else self.removals,
            forgetting=QUEUED if self.forgetting == DUE else self.forgetting,
        )

    @property
    def is_due(self) -> bool:
        """Whether there are removals to send to the worker."""
        return bool(self.kinds_due())

    def kinds_due(self) -> list[str]:
        """GONE and LEFT, as far as their users are to be sent to the worker."""
        kinds = {GONE: self.removals, LEFT: self.forgetting}
        return [kind for kind, decision in kinds.items() if decision == DUE]

    def progress(self) -> float:
        """Fraction done, 0 to 1, estimated from the last sweep's number of users."""
        if self.status == FINISHED:
            return 1.0
        # The last sweep may have found fewer users than there are now.
        return min(0.99, self.users / self.expected_users) if self.expected_users else 0.0

    def eta(self) -> str:
        """The estimated end, from the last sweep's number of users; empty if unknown."""
        if self.status != RUNNING or not self.users or not self.expected_users:
            return ""
        began = moments.read(self.started_at)
        spent = moments.read(self.updated_at) - began
        try:
            return (began + spent * max(1.0, self.expected_users / self.users)).isoformat()
        except OverflowError:
            return ""


_BLANK = SweepLog("", "", "")


def to_fields(sweep: SweepLog) -> dict[str, Any]:
    """The blob's fields; `pages` and `eta` are for human readers only."""
    return records.to_fields(sweep) | {"pages": sweep.links, "eta": sweep.eta()}


class SweepLogs:
    """Reads and writes sweeps. Every write is conditional (Conflict)."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def latest(self) -> tuple[SweepLog | None, Document | None]:
        """The newest sweep, and the pointer to it as it was read."""
        pointer = self._documents.read(LATEST)
        if pointer is None:
            return None, None
        found = self.read(pointer.fields.get("id"))
        return (found[0] if found else None), pointer

    def counted_users(self) -> int:
        """
        The users in scope that the newest sweep or the one before counted, the larger; 0 if none.
        """
        newest, _ = self.latest()
        if newest is None:
            return 0
        before = self.read(newest.previous)
        return max(newest.in_scope, before[0].in_scope if before else 0)

    def read(self, sweep_id: Any) -> tuple[SweepLog, Document] | None:
        """One sweep and the document it was read from; None if it is missing or damaged."""
        if not isinstance(sweep_id, str) or not is_sweep_id(sweep_id):
            return None
        document = self._documents.read(_name(sweep_id))
        if document is None:
            return None
        try:
            return _read(sweep_id, document.fields), document
        except (TypeError, ValueError, OverflowError) as error:
            log.warning('sweep.set_aside id=%s why="%s"', sweep_id, loggable(str(error)))
            return None

    def held_back(self) -> tuple[SweepLog, Document] | None:
        """
        The sweep that holds users back until a person releases them: the newest, or the one before
        while the newest has not yet decided.
        """
        newest, _ = self.latest()
        if newest is None:
            return None
        decides = newest.held_back() or newest.status == FINISHED
        found = self.read(newest.id if decides else newest.previous)
        return found if found and found[0].held_back() else None

    def begin(self, sweep: SweepLog, pointer: Document | None) -> None:
        """Write a new sweep and make it the newest; Conflict if another run did so first."""
        self.write(sweep, after=None)
        self._documents.write(LATEST, {"id": sweep.id}, after=pointer)

    def write(self, sweep: SweepLog, *, after: Document | None) -> Document:
        """Replace the version read as *after* with *sweep*."""
        return self._documents.write(_name(sweep.id), to_fields(sweep), after=after)

    def keep_gone(
        self, sweep_id: str, page: int, user_ids: list[str], *, what: str = GONE
    ) -> list[str]:
        """
        Store the users who may lose something, and return the names of the lists; [] for no users.

        A name is derived from the users on the list: another attempt overwrites nothing, and the
        log says which attempt counts.
        """
        if not user_ids:
            return []
        name = f"{what}-{page}-{sweep_rules.fingerprint(','.join(user_ids))}"
        with suppress(Conflict):
            fields = {"userIds": user_ids}
            self._documents.write(_gone_name(sweep_id, name), fields, after=None)
        return [name]

    def gone(self, sweep: SweepLog, *, what: str = GONE) -> Iterator[list[str]]:
        """The users on the lists of a sweep, one list at a time."""
        names = [name for name in sweep.lists if name.startswith(f"{what}-")]
        # An older version named each list by its page alone.
        for name in names or [f"{what}-{page}" for page in range(1, sweep.page)]:
            yield records.kept_ids(self._documents, _gone_name(sweep.id, name))


def _read(sweep_id: str, written: Mapping[str, Any]) -> SweepLog:
    """
    The sweep that *written* describes.

    Raises TypeError, ValueError and OverflowError if it is not a valid sweep, e.g. edited by hand.
    """
    found = records.from_fields(_BLANK, written)
    known_words = found.status in _STATUSES and {found.removals, found.forgetting} <= _REMOVALS
    if found.id != sweep_id or not known_words:
        raise ValueError("Its id, status, removals or forgetting value is invalid.")
    if not 1 <= found.page <= sweep_rules.MOST_PAGES + 1:
        raise ValueError("Its page number is invalid.")
    part = re.compile(rf"sweeps/{re.escape(sweep_id)}/found-[0-9a-f]{{16}}")
    # Parts are deleted at the end: no name may lead to another blob.
    if not all(map(part.fullmatch, found.parts)) or any("/" in name for name in found.lists):
        raise ValueError("It names blobs that do not belong to this sweep.")
    if found.listed_to and not is_object_id(found.listed_to):
        raise ValueError("Its listedTo value is not an object id.")
    moments.read(found.started_at)
    moments.read(found.updated_at)
    return found


def _name(sweep_id: str) -> str:
    return f"sweeps/{sweep_id}.json"


def _gone_name(sweep_id: str, name: str) -> str:
    return f"sweeps/{sweep_id}/{name}.json"
