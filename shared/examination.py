"""An examination: checks one after the other, each with what it needs of those before."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from shared.errors import PhotoSyncError


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
    """What one check came to; one that could not be made, for another failed, is not `looked`."""

    name: str
    ok: bool
    detail: str
    action: str
    looked: bool = True


def examine(steps: Iterable[Step]) -> list[Check]:
    """Take every step in its order; one that cannot be taken says why."""
    checks: list[Check] = []
    usable: set[str] = set()
    for step in steps:
        lacking = [name for name in step.after if name not in usable]
        found = _could_not_run(lacking[0]) if lacking else _look(step)
        if found.usable or not found.action:
            usable.add(step.name)
        checks.append(
            Check(step.name, not found.action, found.detail, found.action, looked=not lacking)
        )
    return checks


def _look(step: Step) -> Finding:
    try:
        return step.look()
    except PhotoSyncError as error:
        return Finding(str(error), step.remedy(error))


def _could_not_run(lacking: str) -> Finding:
    return Finding(
        f'This could not be looked at, because "{lacking}" failed.',
        f'Do first what "{lacking}" says.',
    )
