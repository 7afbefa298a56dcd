"""
One local cloud per folder: a second one would overwrite its logs, keys and settings. And no folder
of anything else, whose files it would overwrite.
"""

import os
from pathlib import Path

from filelock import FileLock, Timeout

_MOMENT = 1.0
MARK = "in-use.txt"
# 0.1.0 left no mark, but always this file.
_MARKS = (MARK, "m365.json")
# `python -m tools.package` may have been the first to use .local.
_PACKAGE = "photosync.zip"


class NotOurs(Exception):
    """The folder holds files of something else; the text says what to do."""


class Occupied(Exception):
    """Another local cloud is running in this folder; the text says which and what to do."""


class NotUp(Exception):
    """No local cloud is running in this folder; the text says how to start one."""


def make_ours(folder: Path) -> None:
    """
    Create *folder*, and mark it as a local cloud's own.

    Raises NotOurs if it already holds other files: some of ours have names that others use, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = {each.name for each in folder.iterdir()} - {_PACKAGE}
    if names and names.isdisjoint(_MARKS):
        raise NotOurs(
            f"{folder} holds files that the local cloud did not write: choose a new or an empty "
            "folder with --folder."
        )
    (folder / MARK).touch()


class Occupancy:
    """
    The right to use a folder, from `take` to `leave`.

    The kernel releases the lock when the process ends, even by a crash, so files that a dead
    process left in the folder block no one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Another thread may release it than the one that acquired it.
        self._lock = FileLock(folder / "in-use.lock", thread_local=False)
        self._holder = folder / MARK

    def take(self) -> None:
        """
        Create the folder if there is none.

        Raises Occupied if another process holds it, NotOurs if it holds files of something else.
        """
        make_ours(self._folder)
        try:
            # `is_taken` in another process holds the lock for a moment.
            self._lock.acquire(timeout=_MOMENT)
        except Timeout:
            raise Occupied(
                f"Another local cloud is running in {self._folder}{self._who()}: stop it first, "
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

    def _who(self) -> str:
        try:
            holder = self._holder.read_text("utf-8")
        except OSError:
            return ""
        # The other process may have the lock, but not have written its id yet.
        return f" ({holder})" if holder else ""


def must_be_up(folder: Path) -> None:
    """Raises NotUp unless a local cloud is running in *folder*."""
    if not (folder / "endpoints.json").exists() or not Occupancy(folder).is_taken():
        raise NotUp(f"No local cloud is running in {folder}: run python run.py start first.")
