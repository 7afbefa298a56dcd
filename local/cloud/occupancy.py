"""One local cloud a folder: another would take its logs, keys and settings away."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

_MOMENT = 1.0


class Occupied(Exception):
    """Another local cloud is up in this folder; the text says which and what to do."""


class NotUp(Exception):
    """No local cloud is up in this folder; the text says how to get one."""


class Occupancy:
    """
    The right to use a folder, from `take` to `leave`.

    The kernel keeps the lock and drops it when the process ends, however that happens: what a
    dead process has left in the folder keeps nobody out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Whoever leaves may be another thread than the one that took it.
        self._lock = FileLock(folder / "in-use.lock", thread_local=False)
        self._holder = folder / "in-use.txt"

    def take(self) -> None:
        """Raises Occupied where another process holds the folder."""
        try:
            # Whoever only wants to know has it for a moment.
            self._lock.acquire(timeout=_MOMENT)
        except Timeout:
            raise Occupied(
                f"Another local cloud is up in {self._folder}{self._told()}: stop it first, or "
                "choose another folder with --folder."
            ) from None
        self._holder.write_text(f"process {os.getpid()}", "utf-8")

    def leave(self) -> None:
        self._lock.release()

    def is_taken(self) -> bool:
        """Whether a process that lives holds the folder."""
        try:
            with self._lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def _told(self) -> str:
        try:
            return f" ({self._holder.read_text('utf-8')})"
        except OSError:
            # It has the lock already, and is about to write its name.
            return ""


def must_be_up(folder: Path) -> None:
    """Raises NotUp unless a local cloud is up in *folder*; what a dead one has left is none."""
    if not (folder / "endpoints.json").exists() or not Occupancy(folder).is_taken():
        raise NotUp(f"No local cloud is up in {folder}: run python run.py start first.")
