"""What can happen next, what must never happen, and the search for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.copying.held_claim import CLAIM_LENGTH
from shared.errors import AccessDenied, PhotoSyncError, ServiceDown, Unanswered
from shared.microsoft365.http import LATE_WRITE, REQUEST_LIMIT
from shared.storage.user_state import FAILED, NO_PHOTO, REMOVED, SYNCED, UserState
from tests.race.copier import Copier, Kind, message
from tests.race.world import ID, PLACES, Late, World, altered, sha256, shown, ticks

# After the first, no claim is live by storage's clock. After one of the second, a claim is live but
# covers no new write; after two, it has expired, and a write begun between them may be in progress.
FREEZE, PAUSE = timedelta(seconds=CLAIM_LENGTH + 1), timedelta(seconds=CLAIM_LENGTH / 2 + 1)


@dataclass(frozen=True)
class Situation:
    """A world, the copiers in it, and what may still happen to them."""

    world: World
    copiers: tuple[Copier, ...]
    changes: tuple[bytes | None, ...] = ()  # in this order, at any moment
    freezes: int = 0  # moments in which so much time passes that every claim expires
    pauses: int = 0  # shorter ones
    deletions: int = 0  # of the state, by an admin
    faults: int = 0  # calls that fail, and runs that die
    deaths: int = 0  # more runs that die
    orphans: int = 0  # runs that the host considers dead, but that continue
    faulty: bool = False  # one of these has happened
    dead: tuple[str, ...] = ()  # messages that the host delivers again
    cleared: bool = False  # an admin cleared the queue: a sweep's message replaces a dead one

    def successors(self, kind: Kind) -> Iterator[tuple[str, Situation]]:
        """Everything that can happen next, each with a name."""
        for copier in self.copiers:
            if copier.call is not None:
                yield from self._steps(copier, kind)
        if self.changes:
            world = self.world.changed(self.changes[0])
            name = f"source: {self.changes[0]!r}"
            yield name, altered(self, world=world, changes=self.changes[1:])
        if self.freezes and self.world.may_pass(FREEZE):
            yield "time passes", altered(self._later(FREEZE), freezes=self.freezes - 1)
        if self.pauses and self.world.may_pass(PAUSE):
            yield "a pause", altered(self._later(PAUSE), pauses=self.pauses - 1)
        if self.deletions and self.world.blob:
            world = self.world.without_blob()
            gone = altered(self, world=world, deletions=self.deletions - 1, faulty=True)
            yield "the state is deleted", gone
        for late in self.world.late:
            world = _arrived(self.world, late)
            yield f"late write of {late.writer}", altered(self, world=world)

    def _later(self, by: timedelta) -> Situation:
        return altered(self, world=altered(self.world, now=self.world.now + by), faulty=True)

    def _steps(self, copier: Copier, kind: Kind) -> Iterator[tuple[str, Situation]]:
        assert copier.call is not None
        verb = copier.call[0]
        name = f"{copier.number}: {PLACES[copier.call[1]] if verb == 'put' else verb}"
        if verb == "start":
            yield name, self._with(copier.received(None, kind, self.world.now), self.world)
            return
        world, answer = self.world.perform(copier.number, copier.call)
        yield name, self._with(copier.received(answer, kind, world.now), world)
        yield from self._variants(copier, kind, world, answer)
        if self.deaths:
            failing = altered(self, deaths=self.deaths - 1, faulty=True)
            yield f"{name}, and dies", failing._with(copier.dead(), world)
        if not self.faults:
            return
        failing = altered(self, faults=self.faults - 1, faulty=True)
        yield f"{name}, and dies", failing._with(copier.dead(), world)
        for what, error, after in self._failures(copier, world, answer):
            then = copier.received(error, kind, self.world.now)
            yield f"{name} {what}", failing._with(then, after)

    def _variants(
        self, copier: Copier, kind: Kind, done: World, answer: Any
    ) -> Iterator[tuple[str, Situation]]:
        """Other results of the call of *copier*: it becomes an orphan, or the answer is late."""
        assert copier.call is not None
        number, verb = copier.number, copier.call[0]
        if self.orphans and not copier.orphan:
            yield f"{number} is considered dead", self._with_redelivery(copier)
        if copier.orphan and verb == "put" and answer:
            sent = _in_progress(self.world, copier, REQUEST_LIMIT)
            name = f"{number}: its write is in progress, and it dies"
            yield name, self._with(copier.dead(), sent)
        refused = isinstance(answer, PhotoSyncError)
        if verb == "write" and not refused and self.freezes and done.may_pass(FREEZE):
            late = altered(done, now=done.now + FREEZE)
            slow = altered(self, freezes=self.freezes - 1, faulty=True)
            after = copier.received(answer, kind, late.now)
            yield f"{number}: write, answered late", slow._with(after, late)

    def _failures(
        self, copier: Copier, done: World, answer: Any
    ) -> Iterator[tuple[str, PhotoSyncError, World]]:
        """How the call of *copier* can fail instead, and the world then."""
        assert copier.call is not None
        verb = copier.call[0]
        yield "fails", ServiceDown("Broken."), self.world
        refused = isinstance(answer, PhotoSyncError)
        if verb == "write" and not refused:
            yield "is carried out but not answered", ServiceDown("Broken."), done
        if verb == "put" and answer:
            yield "is refused", AccessDenied("No."), self.world
            after = _in_progress(self.world, copier, LATE_WRITE)
            yield "is carried out later", Unanswered("No answer."), after

    def _with(self, copier: Copier, world: World) -> Situation:
        copiers = tuple(copier if c.number == copier.number else c for c in self.copiers)
        dead = self.dead
        if copier.raised and copier.orphan:
            # Another run has processed its message: the next sweep repairs what it left.
            world = altered(world, queue=(*world.queue, message(0, reason="sweep")))
        elif copier.raised:
            dead = (*dead, copier.body)
        return altered(self, world=world, copiers=copiers, dead=dead)

    def _with_redelivery(self, copier: Copier) -> Situation:
        """The host redelivers its message, while *copier* continues."""
        second = Copier(10 * copier.number, copier.body, copier.apart, redelivered=True)
        orphaned = self._with(altered(copier, orphan=True), self.world)
        copiers = (*orphaned.copiers, second)
        return altered(orphaned, copiers=copiers, orphans=self.orphans - 1, faulty=True)

    def wrong(self) -> str:
        """What must not be true even for a moment; empty if nothing is wrong."""
        writers = self.world.writers
        # Without the state there is no claim: both write, and one of them writes again.
        if len(set(writers)) < len(writers) and not self.world.deleted:
            return "two runs wrote at once"
        if self.world.superfluous and not self.faulty:
            return "files were written that were there already"
        return self.world.removal

    def is_over(self) -> bool:
        return not self.changes and all(copier.call is None for copier in self.copiers)


def _in_progress(world: World, copier: Copier, seconds: float) -> World:
    """The next write of *copier* is sent, and carried out within *seconds*."""
    assert copier.call is not None
    _, place, content, _ = copier.call
    late = Late(copier.number, place, content, ticks(world.now) + seconds)
    return altered(world, late=(*world.late, late))


def _arrived(world: World, late: Late) -> World:
    rest = tuple(other for other in world.late if other != late)
    return altered(world.written(late.writer, late.place, late.content), late=rest)


def final_error(situation: Situation, kind: Kind) -> str:
    """What is wrong after all delayed and redelivered messages have been processed."""
    world = situation.world
    for late in world.late:
        world = _arrived(world, late)
    if situation.cleared and situation.dead:
        world = altered(world, queue=(*world.queue, message(0, reason="sweep")))
    world = _process_all(world, kind, () if situation.cleared else situation.dead)
    if world.deleted and not world.blob:
        # A sweep finds users without a state.
        world = _process_all(altered(world, queue=(message(0, reason="sweep"),)), kind)
    if world.blob and world.blob.state.status == FAILED:
        # No message is redelivered: an admin replays the user.
        world = _process_all(altered(world, queue=(*world.queue, message(0))), kind)
    if world.queue:
        return "messages wait forever"
    wrong = altered(situation, world=world, faulty=True).wrong() or _mismatch(world)
    return wrong or _picture_left(world, kind)


def _picture_left(world: World, kind: Kind) -> str:
    """Whether two sweeps leave the picture of a missing photo."""
    if world.photo is not None or world.deleted:
        # With the state, the record is lost that the picture is ours.
        return ""
    if (world.blob and world.blob.state.picture_url) or not world.seen:
        world = _process_all(altered(world, queue=(message(0, reason="sweep"),)), kind)
        world = _process_all(altered(world, queue=(message(0, reason="removal"),)), kind)
    return "the photo is gone and its picture is not" if any(world.places) else world.removal


def _process_all(world: World, kind: Kind, dead: Sequence[str] = ()) -> World:
    """Process queued and *dead* messages one by one, and those queued in the meantime."""
    for _ in range(20):
        if not world.queue and not dead:
            break
        messages = [*((body, False) for body in world.queue), *((body, True) for body in dead)]
        world, dead = altered(world, now=world.now + timedelta(hours=1), queue=()), ()
        for body, redelivered in messages:
            copier = Copier(100 + len(world.writers), body, redelivered=redelivered)
            world = _run_alone(copier, world, kind)
    return world


def _run_alone(copier: Copier, world: World, kind: Kind) -> World:
    copier = copier.received(None, kind, world.now)
    while copier.call is not None:
        world, answer = world.perform(copier.number, copier.call)
        copier = copier.received(answer, kind, world.now)
    return world


def _mismatch(world: World) -> str:
    if not world.seen:
        return ""  # no run has seen the last change: the next sweep finds it
    state = world.blob.state if world.blob else UserState(ID)
    if state.claim:
        return "a claim is left"
    if world.photo is None:
        known = state.status == NO_PHOTO or (state.status == REMOVED and not any(world.places))
        return "" if known else f"no photo, but the state says {state.status}"
    if world.places != shown(world.photo):
        return "SharePoint shows another picture than Exchange"
    if (state.status, state.sha256) != (SYNCED, sha256(world.photo)):
        return f"SharePoint is right, but the state says {state.status} and another photo"
    return ""


@dataclass(frozen=True)
class Counterexample:
    """What went wrong, and the shortest path to it."""

    what: str
    steps: tuple[str, ...]


def search(start: Situation, kind: Kind) -> Counterexample | None:
    """Visit every situation reachable from *start*; return a shortest path to a wrong one."""
    came_from: dict[Situation, tuple[Situation | None, str]] = {start: (None, "")}
    ends: dict[tuple[World, tuple[str, ...]], str] = {}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        what = here.wrong() or (_final_error(here, kind, ends) if here.is_over() else "")
        if what:
            return Counterexample(what, tuple(_path(here, came_from)))
        for name, there in here.successors(kind):
            if there not in came_from:
                came_from[there] = (here, name)
                waiting.append(there)
    return None


def _final_error(
    here: Situation, kind: Kind, known: dict[tuple[World, tuple[str, ...]], str]
) -> str:
    key = (here.world, here.dead)
    if key not in known:
        known[key] = final_error(here, kind)
    return known[key]


def _path(end: Situation, came_from: dict[Situation, tuple[Situation | None, str]]) -> list[str]:
    steps: list[str] = []
    here: Situation | None = end
    while here is not None:
        here, name = came_from[here]
        steps.append(name)
    return [name for name in reversed(steps) if name]


Choose = Callable[[Sequence[tuple[str, Situation]]], tuple[str, Situation]]


def random_path(start: Situation, kind: Kind, choose: Choose) -> Counterexample | None:
    """Follow one path to its end, for races too large to search."""
    here = start
    steps: list[str] = []
    while True:
        what = here.wrong() or (final_error(here, kind) if here.is_over() else "")
        if what:
            return Counterexample(what, tuple(steps))
        successors = list(here.successors(kind))
        if not successors:
            return None
        name, here = choose(successors)
        steps.append(name)
