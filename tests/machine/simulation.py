"""Plays a seed day by day, and checks the result after each day."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

from shared.sweeping import state_page, sweep_rules
from shared.webhook import notifications
from tests.machine import history
from tests.machine.actions import Actions
from tests.machine.history import DAY, HOUR, TROUBLED, Conditions
from tests.machine.instance import Parts
from tests.machine.world import World

# Small limits, because there are few users and short days: so that the brake holds removals, users
# are checked again, notifications are bundled, and a sweep lists states in several pages.
BRAKE_USERS = 2
AGAIN_AFTER = timedelta(minutes=30)
ONE_BY_ONE = 1
STATES_A_PAGE = 3
_LONGEST_WAIT = 40 * HOUR


class Failure(AssertionError):
    """A violation, in words."""


class Simulation:
    """One seed, with an app of these parts."""

    def __init__(self, seed: int, parts: Parts, allowed: frozenset[str] | None = None) -> None:
        self._seed = seed
        self.conditions = Conditions.of(seed)
        # The current day, from 0.
        self.number = 0
        self.world = World(seed, parts, self.conditions, allowed)
        self._actions = Actions(self.world)

    def play(self, days: int) -> float:
        """Play so many days; returns how many have passed. Raises Failure."""
        with _small_limits():
            try:
                self._begin()
                for self.number in range(days):
                    self._day(self.number)
            finally:
                self.world.end()
        return self.days

    @property
    def days(self) -> float:
        """The number of days that have passed."""
        return self.world.seconds / DAY

    def _begin(self) -> None:
        """Create and copy the first photos."""
        world = self.world
        self._actions.upkeep("renew")
        for user_id in world.exchange.everybody:
            if user_id not in world.exchange.everybody[: self.conditions.without]:
                world.exchange.put(user_id, world.exchange.album(user_id)[0])
            self._actions.order(user_id, "replay")
        self._drain()
        self._check(world.oracle.mismatches(set(world.exchange.users)))

    def _day(self, number: int) -> None:
        world, began = self.world, self.world.seconds
        world.is_calm, world.timers = False, self.conditions.timers
        for event in history.day(self._seed, number, self.conditions):
            world.run_until(began + event.at)
            if world.history.happens(event.key, str(event)):
                self._actions.perform(event)
        world.run_until(began + TROUBLED)
        self._stop_faults()
        self._drain()
        self._check_notified()
        world.timers = True
        world.run_until(max(began + DAY, world.seconds + 2 * HOUR * self.conditions.hours_between))
        self._sweep_and_audit()
        self._check_end()

    def _stop_faults(self) -> None:
        world = self.world
        world.is_calm, world.storms, world.lost_after = True, [], 0
        self._actions.end_outage()
        world.services.subscriptions.stale.clear()
        self._actions.repeat_reauthorization()
        # The timer's message may have been lost.
        self._actions.upkeep("renew")

    def _drain(self) -> None:
        """Process all messages, and those that result from them."""
        world = self.world
        until = world.seconds + _LONGEST_WAIT
        while not world.is_quiet():
            world.run_until(min(until, world.next_at))
            self._check()
            if world.seconds >= until:
                raise Failure(f"messages wait forever: {world.queues[0].messages}")

    def _sweep_and_audit(self) -> None:
        """
        Sweeps and audits as an admin orders them, each to its end. The first sweep may only end an
        interrupted one, and a removal takes two looks.
        """
        world = self.world
        for _ in range(3):
            world.run_until(world.seconds + HOUR + 1)
            self._actions.upkeep("sweep")
            self._drain()
            world.instances[0].sweep.removals.release()
            self._drain()
        for _ in range(2):
            world.run_until(world.seconds + HOUR + 1)
            world.instances[0].audit.order(repair=True)
            self._drain()
            world.instances[0].audit.repairs.release()
            self._drain()

    def _check_notified(self) -> None:
        """Users whose last change was notified have it, without any sweep."""
        oracle = self.world.oracle
        self._check(oracle.overdue(set()))
        self._check(oracle.bad_subscription())
        oracle.note_subscription()
        if not self.conditions.timers:
            self._check(oracle.missing_sweep())

    def _check_end(self) -> None:
        world, oracle = self.world, self.world.oracle
        troubled = world.exchange.troubles
        self._check(oracle.mismatches(set(world.exchange.users) - oracle.troubled_users()))
        self._check(oracle.unreported(set(troubled) & set(world.exchange.users)))
        # There is no notification when a mailbox or a profile works again.
        oracle.notified -= oracle.troubled_users()
        troubled.clear()
        world.sharepoint.troubles.clear()
        self._sweep_and_audit()
        self._check(oracle.mismatches(set(world.exchange.users)))
        self._check(oracle.leftovers())
        self._check(oracle.wrongly_synced())
        self._check(oracle.bad_subscription())
        self._check(oracle.recreated_subscription())
        oracle.end_day()

    def _check(self, violations: Iterable[str] = ()) -> None:
        for violation in (*self.world.oracle.violations, *violations):
            raise Failure(violation)


@contextmanager
def _small_limits() -> Iterator[None]:
    """Patch the limits above into the product, and switch its log off."""
    log = logging.getLogger("photosync")
    was, log.disabled = log.disabled, True
    try:
        with (
            mock.patch.object(sweep_rules, "BRAKE_USERS", BRAKE_USERS),
            mock.patch.object(sweep_rules, "AGAIN_AFTER", AGAIN_AFTER),
            mock.patch.object(notifications, "ONE_BY_ONE", ONE_BY_ONE),
            mock.patch.object(state_page, "STATES_A_PAGE", STATES_A_PAGE),
        ):
            yield
    finally:
        log.disabled = was
