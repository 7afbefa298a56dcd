"""One instance of the app: the product's own classes, with clocks of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from unittest import mock

from shared.at_once import AtOnce
from shared.auditing import checker
from shared.auditing.audit import Audit, Terms
from shared.auditing.audit_log import AuditLogs
from shared.auditing.checker import PictureChecker
from shared.auditing.repairs import Repairs
from shared.copying.run import Policy
from shared.copying.sync import Sync
from shared.copying.worker import Worker
from shared.graph.excluded_members import MarkedListing
from shared.messages.upkeep_message import SWEEP
from shared.microsoft365.http import Http
from shared.pictures.recipe import Recipe
from shared.subscription.keeper import SubscriptionKeeper
from shared.sweeping import sweep_page, user_queue
from shared.sweeping.fill import Fill
from shared.sweeping.fill_log import FillLogs
from shared.sweeping.pace import Pace
from shared.sweeping.snapshot import SnapshotParts
from shared.sweeping.state_page import StateChecker
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_log import SweepLogs
from shared.sweeping.sweep_page import PageChecker
from shared.sweeping.turns import Turns
from shared.sweeping.user_queue import UserQueue
from shared.uninstalling.uninstall import Uninstall
from shared.upkeep.upkeep import Upkeep
from tests.doubles.halt import Halting, Ordered
from tests.doubles.memory_lines import in_memory
from tests.machine.jobs import InTurn
from tests.machine.sharepoint import Desk
from tests.machine.storage import Blobs, MemoryDocuments, MemoryQueue, MemoryStates
from tests.machine.subscriptions import URL, Subscriptions
from tests.machine.tenant import GROUP, Directory, Exchange, Members, check_scope
from tests.race.world import renditions

# How long Graph can restore a deleted user; short, because a day is long here.
FORGET_AFTER = timedelta(hours=3)
_STATES_A_PAGE, _SHARE = 2, 0.5


@dataclass(frozen=True)
class Parts:
    """The classes that the app consists of; a mutant replaces one."""

    sync: Callable[..., Sync] = Sync
    sweep: type[Sweep] = Sweep
    pages: type[PageChecker] = PageChecker
    checker: type[PictureChecker] = PictureChecker
    state_checker: type[StateChecker] = StateChecker
    audit: type[Audit] = Audit
    repairs: type[Repairs] = Repairs
    keeper: type[SubscriptionKeeper] = SubscriptionKeeper
    upkeep: type[Upkeep] = Upkeep


@dataclass(frozen=True)
class Services:
    """The services that all instances share."""

    exchange: Exchange
    subscriptions: Subscriptions
    blobs: Blobs
    photo_sync: MemoryQueue
    photo_upkeep: MemoryQueue


class Instance:
    """A process of the app, with a wall clock of its own."""

    def __init__(
        self,
        parts: Parts,
        services: Services,
        desk: Desk,
        *,
        at_once: AtOnce,
        clock: Callable[[], datetime],
        ticks: Callable[[], float],
        new_id: Callable[[], str],
        jitter: float,
    ) -> None:
        self._parts = parts
        self._services = services
        self._clock = clock
        self._new_id = new_id
        self._states = MemoryStates(services.blobs)
        self._chance: dict[str, Any] = {"jitter": lambda: jitter, **self._here}
        # Threads of a pool would make their calls in another order each time.
        with (
            mock.patch.object(sweep_page, "ThreadPoolExecutor", InTurn),
            mock.patch.object(user_queue, "ThreadPoolExecutor", InTurn),
            mock.patch.object(checker, "ThreadPoolExecutor", InTurn),
        ):
            self._users = UserQueue(services.photo_sync, **self._here)
            self.sweep = self._built_sweep()
            self.audit = self._built_audit(desk)
        sync = parts.sync(
            services.exchange,
            desk,
            self._states,
            Recipe("48,72,300", 1, renditions),
            Policy(forget_after=FORGET_AFTER),
            check_scope=check_scope,
            at_once=at_once,
            clock=clock,
            ticks=ticks,
        )
        self.worker = Worker(
            sync,
            services.exchange,
            self._states,
            services.photo_sync,
            Halting(),
            in_memory(clock),
            ticks=ticks,
            **self._chance,
        )
        self.upkeep = parts.upkeep(
            self._built_keeper(),
            self.sweep,
            self._built_fill(),
            self.audit,
            cast(Uninstall, Ordered()),
            self._states,
            services.photo_upkeep,
            in_memory(clock),
            self._users,
            lengths=dict,
            **self._chance,
        )

    @property
    def _here(self) -> dict[str, Any]:
        return {"clock": self._clock, "new_id": self._new_id}

    def _built_sweep(self) -> Sweep:
        parts, services = self._parts, self._services
        pages = parts.pages(
            services.exchange,
            self._states,
            check_scope=check_scope,
            sizes="48,72,300",
            recipe=1,
            dry_run=False,
            removes=True,
            clock=self._clock,
        )
        members = cast(Http, Members(services.exchange))
        listing = MarkedListing(services.exchange, members, GROUP, self._clock)
        state_checker = parts.state_checker(
            self._states,
            Directory(services.exchange),
            pages,
            check_scope=check_scope,
            forget_after=FORGET_AFTER,
            clock=self._clock,
            left_out=listing.among,
        )
        return parts.sweep(
            listing,
            pages,
            state_checker,
            SweepLogs(MemoryDocuments(services.blobs)),
            SnapshotParts(MemoryDocuments(services.blobs)),
            self._users,
            self._built_turns(),
            services.photo_upkeep,
            self._states,
            # So that a sweep consists of several runs, with events between them.
            pages_a_run=2,
            **self._here,
        )

    def _built_turns(self) -> Turns:
        services = self._services
        fills = FillLogs(MemoryDocuments(services.blobs))
        return Turns(
            fills, self._users, services.photo_upkeep, pace=_pace, clock=self._clock, few=0
        )

    def _built_fill(self) -> Fill:
        services = self._services
        documents = MemoryDocuments(services.blobs)
        return Fill(
            FillLogs(documents),
            SweepLogs(documents),
            self._users,
            services.photo_upkeep,
            pace=_pace,
            waiting=lambda: len(services.photo_sync.messages),
            clock=self._clock,
        )

    def _built_audit(self, desk: Desk) -> Audit:
        parts, services = self._parts, self._services
        logs = AuditLogs(MemoryDocuments(services.blobs))
        return parts.audit(
            self._states,
            parts.checker(self._states, desk),
            logs,
            parts.repairs(logs, self._users, services.photo_upkeep, clock=self._clock),
            services.photo_upkeep,
            self._states,
            Terms(
                days=1,
                repair=True,
                dry_run=False,
                size=_STATES_A_PAGE,
                wait_for=lambda calls: desk.budget.wait_for(calls, share=_SHARE),
            ),
            **self._here,
        )

    def _built_keeper(self) -> SubscriptionKeeper:
        services = self._services
        return self._parts.keeper(
            services.subscriptions,
            MemoryDocuments(services.blobs),
            url=URL,
            client_state="secret",
            warm=lambda url: None,
            missed=lambda: services.photo_upkeep.send(SWEEP, delay_seconds=0),
            clock=self._clock,
        )


def _pace() -> Pace:
    """The pace of a tenant with room for one user a minute."""
    return Pace(100)
