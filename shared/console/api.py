"""
What an admin sees: the console's queries, as JSON-ready dictionaries.

Everything is read from its source: users from their blobs' metadata, one user from Exchange and
SharePoint as they are now. Nothing here writes; an admin's orders are in `ordering`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from shared import moments, version
from shared.auditing import audit_log
from shared.auditing.audit_log import AuditLog, AuditLogs
from shared.console import card as cards
from shared.console import fields
from shared.console.cached_answer import CachedAnswer
from shared.console.card import Brakes, Rules
from shared.console.comparison import EXCHANGE, SHAREPOINT, PictureComparison
from shared.console.concurrency_limit import ConcurrencyLimit, limited
from shared.console.dismissals import Dismissals, Dismissed
from shared.console.history import History, shown
from shared.console.lookup import NamedUser, StateReader, UserLookup
from shared.console.ordering import Chains, Ordering, Queues
from shared.console.outcomes import Outcomes
from shared.console.roster import LARGEST_PAGE, USERS_A_CALL, Census, Roster
from shared.errors import BadRequest, GiveUp, TryLater
from shared.orders.order_log import OrderLog
from shared.storage import user_state
from shared.storage.documents import Documents
from shared.storage.roster_entry import Entry
from shared.storage.unreadable import SetAside
from shared.storage.user_state import STATUSES
from shared.subscription import keeper
from shared.sweeping import fill_log, sweep_log
from shared.sweeping.fill_log import FillLogs
from shared.sweeping.sweep_log import SweepLog, SweepLogs
from shared.uninstalling import uninstall_log

_SHOWN = 10
# Prefix of the token of a list that has found nobody so far; the roster's tokens never contain it.
_NONE_FOUND = "~"
# Half of an instance's threads.
_ASKING_AT_ONCE = 8


class ConsoleStates(StateReader, Protocol):
    """The reading half of the state store, and the messages set aside in it."""

    def unreadable(self, limit: int, after: datetime | None = None) -> SetAside: ...


class Console:
    """
    All methods raise Throttled, ServiceDown, AccessDenied; UnknownUser if they take a user's name.

    `groups` are the ids of the groups that limit the scope, by the setting that names each;
    `changes` are the roster's kinds of change that the settings allow, leaving DRY_RUN aside.
    """

    def __init__(
        self,
        roster: Roster,
        comparison: PictureComparison,
        states: ConsoleStates,
        documents: Documents,
        lookup: UserLookup,
        chains: Chains,
        queues: Queues,
        order_log: OrderLog,
        *,
        groups: Mapping[str, str],
        changes: Collection[str],
        rules: Rules,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._roster = roster
        # It lists everyone: for 100,000 users that takes most of a minute.
        self._census = CachedAnswer(self._count, clock)
        self._comparison = comparison
        self.limit = ConcurrencyLimit(_ASKING_AT_ONCE)
        self._states = states
        self._documents = documents
        self._dismissals = Dismissals(documents, roster)
        self._lookup = lookup
        self._uninstall = chains.uninstall
        self._queues = queues
        self._groups = groups
        self._changes = changes
        self._history = History(order_log)
        self._rules = rules
        self._clock = clock
        self.orders = Ordering(
            *(lookup, self._dismissals, chains, queues, order_log),
            census=self._census,
            limit=self.limit,
            clock=clock,
            new_id=new_id,
        )

    @limited
    def overview(self) -> dict[str, Any]:
        """Everything at a glance."""
        subscription = self._documents.read(keeper.NAME)
        newest, _ = SweepLogs(self._documents).latest()
        fill, _ = FillLogs(self._documents).latest()
        audit, _ = AuditLogs(self._documents).latest()
        counted_at, census = self._census.get()
        dismissed = self._dismissals.read()
        aside = self._states.unreadable(_SHOWN, dismissed.unreadable_to)
        uninstall = self._uninstall.latest()
        return {
            "asOf": self._clock().isoformat(),
            "counts": dict(census.counts),
            "pictures": census.pictures,
            "countedAt": counted_at.isoformat(),
            "queues": self._queues.lengths(),
            "subscription": keeper.shown(subscription) if subscription else None,
            "sweep": sweep_log.to_fields(newest) if newest else None,
            "fill": fill_log.to_fields(fill) if fill else None,
            "brake": fields.brake(self._held_back()),
            "audit": audit_log.to_fields(audit) if audit else None,
            "repairBrake": fields.repair_brake(self._held_repairs()),
            "differ": census.differ,
            "uninstall": uninstall_log.to_fields(uninstall) if uninstall else None,
            "failures": [
                fields.of_entry(each) for each in census.failures if not dismissed.hides(each)
            ],
            "dismissed": census.dismissed,
            "unreadable": aside.newest,
            "unreadableCount": aside.total,
            "groups": dict(self._groups),
            "dryRun": self._rules.dry_run,
            **version.to_fields(),
        }

    @limited
    def users(self, query: Mapping[str, str]) -> dict[str, Any]:
        """
        Users by `search`, `status`, `token` and `size`; with `gone=true` those whose photo is gone
        while the picture is still there, with `differs=true` those whom an audit has found damaged
        in SharePoint, with `wouldChange=true` those whose picture a run would change if it may
        write. A search without filters that finds nobody continues in Graph. Raises BadRequest.
        """
        status, size = query.get("status", ""), query.get("size") or "50"
        flags = ("gone", "differs", "wouldChange")
        gone, differs, would_change = (_is_asked_for(query, name) for name in flags)
        if status and status not in STATUSES:
            raise BadRequest(f"status must be one of {', '.join(sorted(STATUSES))}.")
        if not (size.isascii() and size.isdecimal() and len(size) <= 3):
            size = "0"
        if not 1 <= int(size) <= LARGEST_PAGE:
            raise BadRequest(f"size must be a whole number from 1 to {LARGEST_PAGE}.")
        search, token = query.get("search", ""), query.get("token", "")
        page = self._roster.page(
            search=search,
            status=status,
            gone=gone,
            differs=differs,
            changes=self._changes if would_change else None,
            token=token.removeprefix(_NONE_FOUND),
            size=int(size),
        )
        none_found = not page.entries and (not token or token.startswith(_NONE_FOUND))
        answer = {
            "users": self._listed(page.entries),
            "token": _NONE_FOUND + page.token if none_found and page.token else page.token,
            "complete": page.complete,
        }
        if page.in_batches:
            answer["sortedWithin"] = USERS_A_CALL
        narrowed = status or gone or differs or would_change
        if search.strip() and page.complete and none_found and not narrowed:
            return answer | self._found_in_graph(search)
        return answer

    def _found_in_graph(self, search: str) -> dict[str, Any]:
        """Users whom Graph finds though no state matches *search*: by an alias, or as new users."""
        try:
            found = self._lookup.search(search)
        except (TryLater, GiveUp) as error:
            return {"unasked": str(error)}
        return {"users": self._listed([fields.entry_of(user, known) for user, known in found])}

    def _listed(self, entries: Collection[Entry]) -> list[dict[str, Any]]:
        failed = any(each.status == user_state.FAILED for each in entries)
        dismissed = self._dismissals.read() if failed else Dismissed()
        return [{**fields.of_entry(each), "dismissed": dismissed.hides(each)} for each in entries]

    @limited
    def user(self, name: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """
        One user: the stored state, both sides as they are now, and the difference in words.

        With `sides=none` only the stored state, for callers that poll: both sides cost calls from a
        budget that copies need too. Raises BadRequest.
        """
        sides = (query or {}).get("sides", "")
        if sides not in {"", "none"}:
            raise BadRequest("sides must be none or omitted.")
        if sides:
            return self._state_answer(self._lookup.stored(name))
        user, known, error = self._lookup.find(name)
        difference = self._comparison.compare(user, known, exchange_error=error)
        now = self._clock()
        card = cards.card(
            user, known, difference.finding, rules=self._rules, brakes=self._brakes(), now=now
        )
        return {
            "user": {
                "id": user.id,
                "userPrincipalName": user.user_principal_name,
                "displayName": user.display_name,
                "accountEnabled": None if error else user.account_enabled,
                "guest": None if error else user.is_guest,
            },
            **self._state_answer(known),
            "profile": difference.profile,
            "chosen": difference.chosen,
            "agree": difference.agree,
            "difference": difference.sentence,
            "finding": difference.finding,
            "card": card.fields(user, now=now, version=version.VERSION),
            "unasked": [
                {"side": side, "message": sentence, "retryAfter": retry_after}
                for side, sentence, retry_after in difference.unasked
            ],
            "history": fields.past(known) if known else [],
        }

    def _brakes(self) -> Brakes:
        held, audit = self._held_back(), self._held_repairs()
        return Brakes(
            removals=held is not None and held.removals == sweep_log.BRAKED,
            forgetting=held is not None and held.forgetting == sweep_log.BRAKED,
            repairs=audit is not None and audit.repairs == audit_log.BRAKED,
            halted=self._uninstall.is_on(),
        )

    def _held_back(self) -> SweepLog | None:
        found = SweepLogs(self._documents).held_back()
        return found[0] if found else None

    def _held_repairs(self) -> AuditLog | None:
        found = AuditLogs(self._documents).held_back()
        return found[0] if found else None

    def _state_answer(self, known: user_state.UserState | None) -> dict[str, Any]:
        return {
            "asOf": self._clock().isoformat(),
            "state": self._state_fields(known) if known else None,
        }

    def _state_fields(self, known: user_state.UserState) -> dict[str, Any]:
        """The state as its blob has it, with the claim's end by our clock, for human readers."""
        fields: dict[str, Any] = json.loads(user_state.to_json(known))
        if known.claim:
            ends = self._clock() + timedelta(seconds=known.claim.left)
            fields["claim"] = {"by": known.claim.by, "expiresAt": ends.isoformat()}
        return fields

    @limited
    def photo(self, name: str, side: str, query: Mapping[str, str] | None = None) -> bytes:
        """
        The picture on one side, with `small=true` as a thumbnail. Raises BadRequest for an unknown
        side, NoPhoto, NoProfile, PictureKept for one that a person chose and that cannot be shown,
        and PhotoRefused for one that cannot be made small.
        """
        if side not in {EXCHANGE, SHAREPOINT}:
            raise BadRequest("The side must be exchange or sharepoint.")
        small = _is_asked_for(query or {}, "small")
        user, known, _ = self._lookup.find(name)
        if side == EXCHANGE:
            return self._comparison.exchange(user, small=small)
        return self._comparison.sharepoint(user, known, small=small)

    @limited
    def history(self, query: Mapping[str, str]) -> dict[str, Any]:
        """
        Orders, newest first: those about `user`, those given `since` a moment, and older ones by
        `token`; and the user that `user` means, null if unknown. Raises BadRequest.
        """
        name = query.get("user", "")
        named = self._lookup.named(name) if name else NamedUser("")
        page = self._history.page(
            lambda entry: not name or entry.is_about(named.called, named.user_principal_name),
            since=_moment(query.get("since", "")),
            token=query.get("token", ""),
        )
        outcomes = Outcomes(self._documents)
        return {
            "orders": [shown(outcomes.of(entry)) for entry in page.entries],
            "token": page.token,
            "complete": not page.token,
            "damaged": page.damaged,
            "user": fields.account(*named) if named.called else None,
        }

    def _count(self) -> tuple[datetime, Census]:
        return self._clock(), self._roster.census(_SHOWN, self._dismissals.read().hides)


def _is_asked_for(query: Mapping[str, str], name: str) -> bool:
    if query.get(name, "") not in {"", "true"}:
        raise BadRequest(f"{name} must be true or omitted.")
    return query.get(name) == "true"


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return moments.read(text)
    except (ValueError, OverflowError) as error:
        raise BadRequest("since must be a time such as 2026-01-31T08:00:00+00:00.") from error
