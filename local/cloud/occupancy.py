"""One local cloud a folder: another would take its logs, keys and settings away."""

import os
from pathlib import Path

from filelock import FileLock, Timeout


class Occupied(Exception):
    """Another local cloud is up in this folder; the text says which and what to do."""


class Occupancy:
    """
    The right to use a folder, from `take` to `leave`.

    The kernel keeps the lock and drops it when the process ends, however that happens: what a
    dead process has left in the folder keeps nobody out.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = FileLock(folder / "in-use.lock")
        self._holder = folder / "in-use.txt"

    def take(self) -> None:
        """Raises Occupied at once where another process holds the folder."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise Occupied(
                f"Another local cloud is up in {self._folder}{self._told()}: stop it first, or "
                "choose another folder with --folder."
            ) from None
        self._holder.write_text(f"process {os.getpid()}", "utf-8")

    def leave(self) -> None:
        self._lock.release()

    def _told(self) -> str:
        try:
            return f" ({self._holder.read_text('utf-8')})"
        except OSError:
            # It has the lock already, and is about to write its name.
            return ""
