"""
Examines the app and its surroundings for an admin: what is wrong, and what to do.

It writes nothing except one small document of its own.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NoReturn, Protocol

from shared import version
from shared.console.concurrency_limit import ConcurrencyLimit
from shared.doctor import remedies
from shared.doctor.examination import Finding, Step, examine
from shared.doctor.microsoft365_checks import CHECKS, SETTINGS, Microsoft365Checks
from shared.errors import Conflict, SettingsError
from shared.storage.documents import Documents

NAME = "doctor.json"
_AT_ONCE = 2
STORAGE = "storage"
_STORAGE_ROLES = (
    "Give the app's identity the roles Storage Blob Data Owner and Storage Queue Data Contributor "
    "on the storage account, or set AzureWebJobsStorage to a valid connection string."
)
_CORRECT = "Correct the app settings that are named here. The app then restarts automatically."


class Storage(Protocol):
    """The parts of the storage account that are examined."""

    @property
    def documents(self) -> Documents: ...
    def lengths(self) -> dict[str, int]: ...


# For a check that depends on the settings: it never runs.
_unseen = functools.partial(Finding, "")


def unopened(error: SettingsError) -> Callable[[], NoReturn]:
    """Takes the place of the Microsoft 365 clients while settings are wrong."""

    def fail() -> NoReturn:
        # A new instance: one raised again collects tracebacks, which keep every request alive.
        raise SettingsError(str(error))

    return fail


class Doctor:
    """
    *enter* reconnects to Microsoft 365 for each examination, so that a role shows as soon as it
    is granted; it raises SettingsError if settings are wrong. *storage* is None if the settings do
    not even say where it is.
    """

    def __init__(
        self,
        enter: Callable[[], Microsoft365Checks],
        storage: Storage | None,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._enter = enter
        self._storage = storage
        self._clock = clock
        self._limit = ConcurrencyLimit(_AT_ONCE)

    def examine(self) -> dict[str, Any]:
        """
        Run every check, in the order in which to fix what is wrong.

        Raises ServiceDown if others are being examined, and none of our other errors.
        """
        with self._limit.slot():
            checks = examine(self._steps(), self._clock)
        return {
            **version.to_fields(),
            "ok": all(check.ok for check in checks),
            "checks": [check._asdict() for check in checks],
        }

    def _steps(self) -> Iterator[Step]:
        opened: list[Microsoft365Checks] = []

        def settings() -> Finding:
            opened.append(self._enter())
            return Finding("All settings are valid.")

        yield Step(SETTINGS, settings, lambda _: _CORRECT)
        yield Step(
            STORAGE,
            self._write,
            lambda error: remedies.remedy(error, _STORAGE_ROLES, what="the storage account"),
            after=() if self._storage else (SETTINGS,),
        )
        # This is a generator: the settings have been checked by the time it gets here.
        if opened:
            yield from opened[0].steps()
        else:
            yield from (Step(name, _unseen, str, after=(SETTINGS,)) for name in CHECKS)

    def _write(self) -> Finding:
        assert self._storage, "without storage this step waits for the settings"
        documents = self._storage.documents
        before = documents.read(NAME)
        # A Conflict means that another examination has just written: so writing works.
        with contextlib.suppress(Conflict):
            documents.write(NAME, {"examinedAt": self._clock().isoformat()}, after=before)
        lengths = self._storage.lengths().items()
        queues = ", ".join(f"{length} in {name}" for name, length in lengths)
        return Finding(f"Blobs can be read and written. Messages: {queues}.")
