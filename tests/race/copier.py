"""One run of the real worker, stopped at each of its calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from shared.copying.run import Policy
from shared.copying.sync import Sync
from shared.copying.worker import Worker
from shared.errors import PhotoSyncError
from shared.graph.client import Fetched
from shared.messages.sync_message import SyncMessage
from shared.pictures.recipe import Recipe
from shared.sharepoint.picture_location import PictureLocation
from shared.sharepoint.publisher import Plan, Removal
from shared.storage.user_state import Stored, UserState
from shared.user import User
from shared.written_file import WrittenFile
from tests.doubles.at_once import in_turn
from tests.doubles.halt import Halting
from tests.doubles.memory_lines import in_memory
from tests.race.world import (
    ID,
    NOON,
    PICTURE_URL,
    PLACES,
    SHOWN,
    USER,
    Call,
    altered,
    renditions,
    ticks,
)

_LOCATION = PictureLocation("Profile Pictures", ID)
_PLAN = Plan(USER.user_principal_name, _LOCATION, PICTURE_URL, {})
_REMOVAL = Removal(USER.user_principal_name, _LOCATION, {})


class Unfinished(BaseException):
    """A copier made a call that has no answer yet. Not an Exception, so that no code handles it."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.call = call


class Answers:
    """
    Source, store, target, queue and clock of one copier, with the answers so far.

    Photos are never too large, no user leaves, and PhotoSync is not uninstalled: methods for these
    are missing.
    """

    def __init__(self, past: Sequence[Any], now: datetime, now_here: datetime) -> None:
        self.past = list(past)
        self._next = 0
        self._now, self._now_here = now, now_here

    def clock(self) -> datetime:
        moment = self._at_once(self._now_here)
        assert isinstance(moment, datetime)
        return moment

    def ticks(self) -> float:
        moment = self._at_once(ticks(self._now))
        assert isinstance(moment, float)
        return moment

    def _at_once(self, answer: Any) -> Any:
        # Reading the time is not an event: it happens when the previous call is answered.
        if self._next == len(self.past):
            self.past.append(answer)
        self._next += 1
        return self.past[self._next - 1]

    def ask(self, *call: Any) -> Any:
        if self._next == len(self.past):
            raise Unfinished(call)
        self._next += 1
        answer = self.past[self._next - 1]
        if isinstance(answer, _Raised):
            raise answer.kind(*answer.words)
        return answer

    def photo_etag(self, user: str) -> str:
        return str(self.ask("photo_etag"))

    def user_and_photo(self, user_id: str) -> Fetched:
        fetched = self.ask("user_and_photo")
        assert isinstance(fetched, Fetched)
        return fetched

    def user(self, user: str) -> User:
        return USER

    def read(self, user_id: str) -> Stored | None:
        stored: Stored | None = self.ask("read")
        return stored

    def create(self, state: UserState) -> str:
        return str(self.ask("write", state, None))

    def replace(self, state: UserState, *, version: str) -> str:
        return str(self.ask("write", state, version))

    def delete(self, user_id: str, *, version: str) -> None:
        raise AssertionError("No user leaves here.")

    def keep_unreadable(self, name: str, body: bytes, reason: str) -> None:
        raise AssertionError(reason)

    def plan(self, user: User, picture_url: str, *, replace: bool = False) -> Plan:
        return _PLAN

    def publish(
        self, plan: Plan, renditions: Sequence[bytes], *, before_write: Callable[[], None]
    ) -> tuple[WrittenFile, ...]:
        for place, content in enumerate([*renditions, SHOWN]):
            self._put(place, content, before_write)
        return tuple(map(WrittenFile.of, renditions))

    def find(self, plan: Plan, wanted: Sequence[WrittenFile]) -> tuple[WrittenFile | None, ...]:
        found: tuple[WrittenFile | None, ...] = self.ask("find", tuple(wanted))
        return found

    def plan_removal(self, user: User, picture_url: str) -> Removal:
        return _REMOVAL

    def remove(self, plan: Removal, *, before_write: Callable[[], None]) -> None:
        for place in reversed(range(len(PLACES))):
            self._put(place, b"", before_write)

    def _put(self, place: int, content: bytes, before_write: Callable[[], None]) -> None:
        sent = False
        while not sent:
            before_write()
            sent = self.ask("put", place, content, self.ticks())

    def send(self, text: str, *, delay_seconds: float) -> None:
        self.ask("send", text)


# A class of copiers: Sync itself, or one with a step moved or left out.
Kind = Callable[..., Sync]


class _Raised(NamedTuple):
    kind: type[PhotoSyncError]
    words: tuple[Any, ...]


@dataclass(frozen=True)
class Copier:
    """One run of the worker: its answers so far, and its pending call (None: it has ended)."""

    number: int
    body: str
    apart: timedelta = timedelta(0)  # by how much its clock is ahead
    redelivered: bool = False
    orphan: bool = False  # the host believes that its worker died, and redelivered its message
    past: tuple[Any, ...] = ()
    call: Call | None = ("start",)
    raised: bool = False

    def received(self, answer: Any, kind: Kind, now: datetime) -> Copier:
        """The copier after it has received *answer* and reached its next call."""
        if isinstance(answer, PhotoSyncError):
            answer = _Raised(type(answer), answer.args)
        past = () if self.call == ("start",) else (*self.past, answer)
        now_here = now + self.apart
        past, call, raised = _rerun(self.body, self.redelivered, past, kind, now, now_here)
        return altered(self, past=past, call=call, raised=raised)

    def dead(self) -> Copier:
        # Dying before a call is the same as dying after the previous one.
        return altered(self, past=(), call=None, raised=True)


# Most situations differ only in the other copiers, so this one was often computed before.
@functools.lru_cache(maxsize=100_000)
def _rerun(
    body: str,
    redelivered: bool,
    past: tuple[Any, ...],
    kind: Kind,
    now: datetime,
    now_here: datetime,
) -> tuple[tuple[Any, ...], Call | None, bool]:
    answers = Answers(past, now, now_here)
    worker = _worker(answers, kind)
    try:
        worker.process(body.encode(), redelivered=redelivered)
    except Unfinished as unfinished:
        return tuple(answers.past), unfinished.call, False
    except PhotoSyncError:
        return (), None, True
    # Its answers no longer matter: dropped, so that more situations are equal.
    return (), None, False


def _worker(answers: Answers, kind: Kind) -> Worker:
    recipe = Recipe("s", 1, renditions)
    sync = kind(
        answers,
        answers,
        answers,
        recipe,
        Policy(),
        check_scope=lambda user: None,
        at_once=in_turn,
        clock=answers.clock,
        ticks=answers.ticks,
    )
    return Worker(
        sync,
        answers,
        answers,
        answers,
        Halting(),
        in_memory(answers.clock),
        clock=answers.clock,
        ticks=answers.ticks,
        jitter=lambda: 0.5,
        new_id=lambda: "unused",
    )


def message(number: int, *, force: bool = False, reason: str = "notification") -> str:
    sweep_id = "sweep-1" if reason == "removal" else ""
    return SyncMessage(ID, reason, force, 1, NOON, f"message-{number}", sweep_id).to_json()


def copiers(count: int) -> tuple[Copier, ...]:
    return tuple(Copier(number, message(number)) for number in range(1, count + 1))
