"""One local cloud per folder: a second one would overwrite its logs, keys and settings."""

import os
from pathlib import Path

from filelock import FileLock, Timeout

_MOMENT = 1.0


class Occupied(Exception):
    """Another local cloud is running in this folder; the text says which and what to do."""


class NotUp(Exception):
    """No local cloud is running in this folder; the text says how to start one."""


class Occupancy:
    """
    The right to use a folder, from `take` to `leave`.

    The kernel releases the lock when the process ends, even by a crash, so files that a dead
    process left in the folder block nobody.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Whoever leaves may be another thread than the one that took it.
        self._lock = FileLock(folder / "in-use.lock", thread_local=False)
        self._holder = folder / "in-use.txt"

    def take(self) -> None:
        """Raises Occupied if another process holds the folder."""
        try:
            # `is_taken` in another process holds the lock for a moment.
            self._lock.acquire(timeout=_MOMENT)
        except Timeout:
            raise Occupied(
                f"Another local cloud is running in {self._folder}{self._told()}: stop it first, "
                "or choose another folder with --folder."
            ) from None
        self._holder.write_text(f"process {os.getpid()}", "utf-8")

    def leave(self) -> None:
        self._lock.release()

    def is_taken(self) -> bool:
        """Whether a running process holds the folder."""
        try:
            with self._lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def _told(self) -> str:
        try:
            return f" ({self._holder.read_text('utf-8')})"
        except OSError:
            # The other process has the lock, but has not written its id yet.
            return ""


def must_be_up(folder: Path) -> None:
    """Raises NotUp unless a local cloud is running in *folder*."""
    if not (folder / "endpoints.json").exists() or not Occupancy(folder).is_taken():
        raise NotUp(f"No local cloud is running in {folder}: run python run.py start first.")
