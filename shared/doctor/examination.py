"""An examination: checks one after another, each of which may depend on earlier ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.errors import PhotoSyncError

# If a service does not answer, one check takes half a minute or more (`microsoft365.http`). The
# caller waits two minutes (manage.py), and would otherwise learn nothing just when it matters.
ENOUGH = timedelta(seconds=60)


class Finding(NamedTuple):
    """
    The result of a check; `action` says what to do, empty if nothing is wrong.

    If `usable`, later checks may depend on it although something is wrong.
    """

    detail: str
    action: str = ""
    usable: bool = False


class Step(NamedTuple):
    """
    One check: *probe* returns a Finding or raises, and *remedy* says what to do about the error.

    It runs only if the checks named in *after*, all of them earlier ones, were usable.
    """

    name: str
    probe: Callable[[], Finding]
    remedy: Callable[[PhotoSyncError], str]
    after: tuple[str, ...] = ()


class Check(NamedTuple):
    """
    The result of one check; `looked` is false if it could not run, because another failed or time
    was up.
    """

    name: str
    ok: bool
    detail: str
    action: str
    looked: bool = True


def examine(steps: Iterable[Step], clock: Callable[[], datetime]) -> list[Check]:
    """Run every step in order; one that cannot run, or no longer can, says why."""
    checks: list[Check] = []
    usable: set[str] = set()
    ends = clock() + ENOUGH
    for step in steps:
        obstacle = _obstacle(step, usable, late=clock() > ends)
        found = obstacle or _probe(step)
        if found.usable or not found.action:
            usable.add(step.name)
        looked = obstacle is None
        checks.append(Check(step.name, not found.action, found.detail, found.action, looked))
    return checks


def _obstacle(step: Step, usable: set[str], *, late: bool) -> Finding | None:
    """Why *step* cannot run; None if it can."""
    failed = next((name for name in step.after if name not in usable), None)
    if failed:
        return Finding(
            f'Not checked, because "{failed}" failed.',
            f'Fix "{failed}" first.',
        )
    if late:
        return Finding(
            "Not checked: the checks before it took too long.",
            "Fix what those found, then run the checks again.",
        )
    return None


def _probe(step: Step) -> Finding:
    try:
        return step.probe()
    except PhotoSyncError as error:
        return Finding(str(error), step.remedy(error))
