"""An examination: checks one after the other, each with what it needs of those before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.errors import PhotoSyncError

# Where nobody answers, one look takes half a minute or more (`microsoft365.http`). Whoever asked
# waits two minutes (manage.py), and would else be told nothing at all, just when it matters.
ENOUGH = timedelta(seconds=60)


class Finding(NamedTuple):
    """
    What a look found; `action` says what to do, empty where nothing is wrong.

    With `usable` later checks may build on it although something is wrong.
    """

    detail: str
    action: str = ""
    usable: bool = False


class Step(NamedTuple):
    """
    One check: *look* returns a Finding or raises, and *remedy* says what to do about the error.

    It runs only if the checks named in *after*, all of them earlier ones, were of use.
    """

    name: str
    look: Callable[[], Finding]
    remedy: Callable[[PhotoSyncError], str]
    after: tuple[str, ...] = ()


class Check(NamedTuple):
    """
    What one check came to; one that could not be made, for another failed or time was up, is not
    `looked`.
    """

    name: str
    ok: bool
    detail: str
    action: str
    looked: bool = True


def examine(steps: Iterable[Step], clock: Callable[[], datetime]) -> list[Check]:
    """Take every step in its order; one that cannot be taken, or not any more, says why."""
    checks: list[Check] = []
    usable: set[str] = set()
    ends = clock() + ENOUGH
    for step in steps:
        hindrance = _hindrance(step, usable, late=clock() > ends)
        found = hindrance or _look(step)
        if found.usable or not found.action:
            usable.add(step.name)
        looked = hindrance is None
        checks.append(Check(step.name, not found.action, found.detail, found.action, looked))
    return checks


def _hindrance(step: Step, usable: set[str], *, late: bool) -> Finding | None:
    """Why *step* cannot be taken; None if it can."""
    lacking = next((name for name in step.after if name not in usable), None)
    if lacking:
        return Finding(
            f'This could not be looked at, because "{lacking}" failed.',
            f'Do first what "{lacking}" says.',
        )
    if late:
        return Finding(
            "This was not looked at any more: the checks before it took too long.",
            "Do first what they say, then look again.",
        )
    return None


def _look(step: Step) -> Finding:
    try:
        return step.look()
    except PhotoSyncError as error:
        return Finding(str(error), step.remedy(error))
