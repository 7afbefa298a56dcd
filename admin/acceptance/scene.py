"""What the steps work with: the users, the clients, and what must be restored."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from admin.acceptance.app import App
from admin.acceptance.backup import Backup
from admin.acceptance.finding import NotRun
from admin.acceptance.microsoft365 import Microsoft365
from shared import stopwatch
from shared.sharepoint.publisher import Plan
from shared.user import User
from shared.written_file import WrittenFile

T = TypeVar("T")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Person(Protocol):
    """Somebody who does by hand what a program cannot do."""

    def must_be_there(self) -> None:
        """Raises NotRun if nobody can do anything by hand, so that nothing is written in vain."""
        ...

    def does(self, what: str) -> None:
        """Ask for *what*, and return once it is done. Raises NotRun if nobody does it."""
        ...


@dataclass(frozen=True)
class Copied:
    """What a step has written for a user: small, medium, large."""

    plan: Plan
    pictures: tuple[bytes, ...]
    files: tuple[WrittenFile, ...]


@dataclass
class Scene:
    """
    One run. *limit* is how many seconds a step waits for a change to appear.

    `direct` is None without a certificate, `deployed` is None without a deployed app.
    """

    user: User
    direct: Microsoft365 | None
    deployed: App | None
    person: Person
    backup: Backup
    limit: float
    other: User | None = None
    # What the last step has written, by object id.
    written: dict[str, Copied] = field(default_factory=dict)
    pause: Callable[[float], None] = time.sleep

    @property
    def m365(self) -> Microsoft365:
        """Graph and SharePoint, called directly. Raises NotRun."""
        if self.direct is None:
            raise NotRun("it needs a certificate: give --settings, or --app and --certificate")
        return self.direct

    @property
    def app(self) -> App:
        """The deployed app. Raises NotRun."""
        if self.deployed is None:
            raise NotRun("it needs the deployed app: leave out --local")
        return self.deployed

    @property
    def unlicensed(self) -> User:
        """The second user. Raises NotRun."""
        if self.other is None:
            raise NotRun("it needs a user without a licence: give --unlicensed USER")
        return self.other

    def until(self, poll: Callable[[], T | None]) -> tuple[T | None, float]:
        """The first result of *poll*, and the seconds it took; None after the limit."""
        began, pause = stopwatch.ticks(), _FIRST_PAUSE
        while True:
            found = poll()
            took = stopwatch.ticks() - began
            if found is not None or took >= self.limit:
                return found, took
            self.pause(min(pause, self.limit - took))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
