"""
Examines the app and all around it for an admin to read: what is wrong, and what to do.

It writes nothing but a small document of its own.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NoReturn, Protocol

from shared import version
from shared.console.turnstile import Turnstile
from shared.doctor import remedies
from shared.doctor.examination import Finding, Step, examine
from shared.doctor.microsoft365_checks import CHECKS, SETTINGS, Microsoft
from shared.errors import Conflict, SettingsError
from shared.storage.documents import Documents

NAME = "doctor.json"
_AT_ONCE = 2
STORAGE = "storage"
_STORAGE_ROLES = (
    "Give the app's identity the roles Storage Blob Data Owner and Storage Queue Data Contributor "
    "on the storage account, or set AzureWebJobsStorage to a valid connection string."
)
_MEND = "Set what the sentence names in the app's settings; the app then restarts by itself."


class Storage(Protocol):
    """The storage account, as far as it is examined."""

    @property
    def documents(self) -> Documents: ...
    def lengths(self) -> dict[str, int]: ...


# Of a check that waits for the settings: nobody looks.
_unseen = functools.partial(Finding, "")


def unopened(error: SettingsError) -> Callable[[], NoReturn]:
    """Stands in for the way into Microsoft 365 while settings are wrong."""

    def fail() -> NoReturn:
        # Anew: what is raised again keeps every request that it ever went through.
        raise SettingsError(str(error))

    return fail


class Doctor:
    """
    *enter* opens Microsoft 365 anew for each examination, so that a role shows as soon as it is
    granted; it raises SettingsError where settings are wrong. Without *storage* they do not even
    tell where that is.
    """

    def __init__(
        self,
        enter: Callable[[], Microsoft],
        storage: Storage | None,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._enter = enter
        self._storage = storage
        self._clock = clock
        self._turnstile = Turnstile(_AT_ONCE)

    def examine(self) -> dict[str, Any]:
        """
        Every check, in the order in which to mend what is wrong.

        Raises ServiceDown where others are being examined, and nothing else of ours.
        """
        with self._turnstile.inside():
            checks = examine(self._steps(), self._clock)
        return {
            **version.told(),
            "ok": all(check.ok for check in checks),
            "checks": [check._asdict() for check in checks],
        }

    def _steps(self) -> Iterator[Step]:
        opened: list[Microsoft] = []

        def settings() -> Finding:
            opened.append(self._enter())
            return Finding("All settings can be used.")

        yield Step(SETTINGS, settings, lambda _: _MEND)
        yield Step(
            STORAGE,
            self._write,
            lambda error: remedies.remedy(error, _STORAGE_ROLES, what="the storage account"),
            after=() if self._storage else (SETTINGS,),
        )
        # A generator: by now the settings were looked at.
        if opened:
            yield from opened[0].steps()
        else:
            yield from (Step(name, _unseen, str, after=(SETTINGS,)) for name in CHECKS)

    def _write(self) -> Finding:
        assert self._storage, "without storage this step waits for the settings"
        documents = self._storage.documents
        before = documents.read(NAME)
        # Should another examination write at this moment, then it can be written.
        with contextlib.suppress(Conflict):
            documents.write(NAME, {"examinedAt": self._clock().isoformat()}, after=before)
        lengths = self._storage.lengths().items()
        queues = ", ".join(f"{length} in {name}" for name, length in lengths)
        return Finding(f"Blobs can be read and written. Messages: {queues}.")
