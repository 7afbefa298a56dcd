"""Plays a seed day by day, and looks after each day whether all is as it must be."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

from shared.sweeping import state_page, sweep_rules
from shared.webhook import notifications
from tests.machine import history
from tests.machine.deeds import Deeds
from tests.machine.history import DAY, HOUR, TROUBLED, Temper
from tests.machine.instance import Parts
from tests.machine.world import World

# With so few users the brake would never be seen.
BRAKE_USERS = 2
# Nor would anybody be who is looked at again after a day.
AGAIN_AFTER = timedelta(minutes=30)
# Nor would a bundle.
ONE_BY_ONE = 1
# So that a sweep lists states in several pages.
STATES_A_PAGE = 3
_LONGEST_WAIT = 40 * HOUR


class Failure(AssertionError):
    """Something is wrong, in so many words."""


class Simulation:
    """One seed with the app made of these parts."""

    def __init__(self, seed: int, parts: Parts, allowed: frozenset[str] | None = None) -> None:
        self._seed = seed
        self.temper = Temper.of(seed)
        # Of the day that it is, from 0.
        self.number = 0
        self.world = World(seed, parts, self.temper, allowed)
        self._deeds = Deeds(self.world)

    def play(self, days: int) -> float:
        """So many days; how many it took in the end. Raises Failure."""
        with _as_it_is_here():
            try:
                self._begin()
                for self.number in range(days):
                    self._day(self.number)
            finally:
                self.world.end()
        return self.days

    @property
    def days(self) -> float:
        """How many have passed."""
        return self.world.seconds / DAY

    def _begin(self) -> None:
        """Whoever has a photo is shown with it."""
        world = self.world
        self._deeds.upkeep("renew")
        for user_id in world.exchange.everybody:
            if user_id not in world.exchange.everybody[: self.temper.without]:
                world.exchange.put(user_id, world.exchange.album(user_id)[0])
            self._deeds.order(user_id, "replay")
        self._become_quiet()
        self._check(world.judge.missed(set(world.exchange.users)))

    def _day(self, number: int) -> None:
        world, began = self.world, self.world.seconds
        world.is_calm, world.timers = False, self.temper.timers
        for event in history.day(self._seed, number, self.temper):
            world.run_until(began + event.at)
            if world.history.happens(event.key, str(event)):
                self._deeds.do(event)
        world.run_until(began + TROUBLED)
        self._calm_down()
        self._become_quiet()
        self._check_told()
        world.timers = True
        world.run_until(max(began + DAY, world.seconds + 2 * HOUR * self.temper.hours_between))
        self._look_after_everybody()
        self._check_end()

    def _calm_down(self) -> None:
        world = self.world
        world.is_calm, world.storms, world.lost_after = True, [], 0
        self._deeds.end_outage()
        world.services.subscriptions.ghosts.clear()
        self._deeds.ask_again()
        # Somebody may have lost the message of the timer.
        self._deeds.upkeep("renew")

    def _become_quiet(self) -> None:
        """Work everything off, and what becomes of it."""
        world = self.world
        until = world.seconds + _LONGEST_WAIT
        while not world.is_quiet():
            world.run_until(min(until, world.next_at))
            self._check(world.judge.wrongs)
            if world.seconds >= until:
                raise Failure(f"messages wait for ever: {world.queues[0].messages}")

    def _look_after_everybody(self) -> None:
        """
        Sweeps and audits as a person orders them, each with all that becomes of it. Of the sweeps
        the first may only end one that was interrupted, and a removal takes two looks.
        """
        world = self.world
        for _ in range(3):
            world.run_until(world.seconds + HOUR + 1)
            self._deeds.upkeep("sweep")
            self._become_quiet()
            world.instances[0].sweep.removals.release()
            self._become_quiet()
        for _ in range(2):
            world.run_until(world.seconds + HOUR + 1)
            world.instances[0].audit.order(repair=True)
            self._become_quiet()
            world.instances[0].audit.repairs.release()
            self._become_quiet()

    def _check_told(self) -> None:
        """Whoever was told of the last change has it, without any sweep."""
        judge = self.world.judge
        self._check(judge.untrue(set()))
        self._check(judge.unsubscribed())
        judge.settle()
        if not self.temper.timers:
            self._check(judge.unswept())

    def _check_end(self) -> None:
        world, judge = self.world, self.world.judge
        troubled = world.exchange.troubles
        self._check(judge.missed(set(world.exchange.users) - judge.misled()))
        self._check(judge.unsaid(set(troubled) & set(world.exchange.users)))
        # Nobody is told that a mailbox or a profile is well again.
        judge.told -= judge.misled()
        troubled.clear()
        world.sharepoint.troubles.clear()
        self._look_after_everybody()
        self._check(judge.missed(set(world.exchange.users)))
        self._check(judge.remains())
        self._check(judge.overlooked())
        self._check(judge.unsubscribed())
        self._check(judge.remade())
        judge.all_is_well()

    def _check(self, wrongs: object) -> None:
        found = [*self.world.judge.wrongs, *_listed(wrongs)]
        if found:
            raise Failure(found[0])


def _listed(wrongs: object) -> list[str]:
    assert isinstance(wrongs, list | Iterator)
    return list(wrongs)


@contextmanager
def _as_it_is_here() -> Iterator[None]:
    """Without a log, which nobody reads, with few users a page and in a brake, and impatient."""
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
