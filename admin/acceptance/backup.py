"""
Saves a user's picture before a step writes, and restores it.

Instructions for a person and the files themselves are in a folder before anything is written,
because the library's own copies are overwritten and a process can be killed. Whatever has been
restored is removed from the folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from admin.acceptance.finding import NotRun
from admin.acceptance.microsoft365 import Microsoft365, unclaimed
from admin.terminal.problems import Unusable
from shared.errors import PhotoSyncError
from shared.sharepoint.client import PICTURE_LIBRARY
from shared.sharepoint.geos import Geo
from shared.sharepoint.inspection import PLACEHOLDER_STATE
from shared.sharepoint.picture_location import PICTURE_URL
from shared.sharepoint.publisher import SYNC_STATE, TIMESTAMP, Plan
from shared.user import User

# In the folder: one instruction a line.
ORDERS = "to-do.txt"
PROPERTIES = (PICTURE_URL, PLACEHOLDER_STATE, SYNC_STATE, TIMESTAMP)


@dataclass(frozen=True)
class _Before:
    """One user's picture as it was: files by name, None if missing, and the profile."""

    user: User
    geo: Geo
    folder: str
    files: dict[str, bytes | None]
    profile: dict[str, str]


@dataclass(frozen=True)
class _Act:
    """One thing to restore; `order` is the instruction for a person, `file` its file, if any."""

    order: str
    do: Callable[[], None]
    file: str = ""


class Backup:
    """Restores one run; *folder* exists as long as something is left to restore."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._orders_file = folder / ORDERS
        self._acts: dict[str, list[_Act]] = {}
        self._instructions: list[str] = []

    def check(self) -> None:
        """Raises Unusable if an earlier run left something, so as not to save a wrong state."""
        if self._orders_file.exists():
            raise Unusable(
                f"An earlier run has not restored everything: do what {self._orders_file} says, "
                f"delete {self._folder}, and repeat the command."
            )

    def add_instruction(self, order: str) -> None:
        """Note what only a person can restore, until `remove_instruction`. Raises NotRun."""
        self._instructions.append(order)
        try:
            self._save()
        except NotRun:
            self._instructions.remove(order)
            raise

    def remove_instruction(self, order: str) -> None:
        self._instructions.remove(order)

    def save(self, m365: Microsoft365, user: User, plan: Plan | None = None) -> Plan:
        """
        Save what *plan* (by default a copy's) would overwrite, once for each user.

        Call this before the first write. Raises what SharePointClient raises, and NotRun if it
        cannot be saved.
        """
        plan = plan or m365.plan(user)
        if user.id not in self._acts:
            geo = plan.geo or m365.geos.home
            held = {name: _held(geo, plan.location.folder, name) for name in plan.location.files}
            _, profile = m365.geos.residence(user)
            kept = {name: profile.get(name, "") for name in PROPERTIES}
            before = _Before(user, geo, plan.location.folder, held, kept)
            self._acts[user.id] = [*_acts(m365, before)]
            try:
                self._save(held)
            except NotRun:
                del self._acts[user.id]
                raise
        return plan

    def _save(self, files: Mapping[str, bytes | None] = MappingProxyType({})) -> None:
        """Save all that must be restored, and *files*. Raises NotRun."""
        acts = [act for of_user in self._acts.values() for act in of_user]
        try:
            self._folder.mkdir(exist_ok=True)
            for name, content in files.items():
                if content is not None:
                    (self._folder / name).write_bytes(content)
            self._write_down([*(self._instruction(act) for act in acts), *self._instructions])
        except OSError as error:
            raise NotRun(
                f"what would be overwritten cannot be saved to a file ({error.strerror})"
            ) from error

    def _write_down(self, orders: Sequence[str]) -> None:
        draft = self._folder / f"{ORDERS}.new"
        draft.write_text("".join(f"{order}\n" for order in orders), "utf-8")
        draft.replace(self._orders_file)

    def restore(self) -> list[str]:
        """
        Restore everything; returns an instruction for each thing that could not be restored.

        Never raises; after Ctrl-C, everything left becomes an instruction.
        """
        acts = [act for of_user in self._acts.values() for act in of_user]
        self._acts = {}
        orders, self._instructions = self._instructions, []
        files = {act.file for act in acts if act.file}
        stopped = False
        for act in acts:
            try:
                if not stopped:
                    act.do()
                    continue
                why = "stopped"
            except PhotoSyncError as error:
                why = str(error).rstrip(".")
            except Exception as error:  # noqa: BLE001 - whatever it is, restore the rest
                why = type(error).__name__
            except KeyboardInterrupt:
                stopped, why = True, "stopped"
            orders.append(self._instruction(act, f" ({why})"))
            files.discard(act.file)
        self._tidy(orders, files)
        return orders

    def _instruction(self, act: _Act, why: str = "") -> str:
        return f"{act.order}{why}." + (
            f" The file is {self._folder / act.file}." if act.file else ""
        )

    def _tidy(self, orders: Sequence[str], files: Iterable[str]) -> None:
        """Leave *orders* in the folder, and delete the *files* that are no longer needed."""
        # Leftover files do no harm.
        with contextlib.suppress(OSError):
            if orders:
                self._folder.mkdir(exist_ok=True)
                self._write_down(orders)
            else:
                self._orders_file.unlink(missing_ok=True)
            for name in files:
                (self._folder / name).unlink(missing_ok=True)
            if not orders:
                self._folder.rmdir()


def _held(geo: Geo, folder: str, name: str) -> bytes | None:
    found = geo.sharepoint.file(folder, name)
    return geo.sharepoint.picture(folder, name) if found else None


def _acts(m365: Microsoft365, before: _Before) -> Iterator[_Act]:
    """Files first, as in a copy, so that the properties point to files that exist."""
    sharepoint = before.geo.sharepoint
    for name, content in before.files.items():
        place = f"{PICTURE_LIBRARY}/{before.folder}"
        if content is None:
            yield _Act(f"Delete {name} in {place}", _recycle(m365, before, name))
        else:
            order = f"Upload {name} to {place}"
            yield _Act(order, _upload(m365, before, name, content), name)
    upn = before.user.user_principal_name

    for name, value in before.profile.items():

        def write(name: str = name, value: str = value) -> None:
            _, profile = m365.geos.residence(before.user)
            if profile.get(name, "") != value:
                sharepoint.set_property(upn, name, value, before_write=unclaimed)

        yield _Act(f'Set the profile property {name} of {upn} to "{value}"', write)


def _recycle(m365: Microsoft365, before: _Before, name: str) -> Callable[[], None]:
    def recycle() -> None:
        before.geo.sharepoint.recycle(before.folder, name, before_write=unclaimed)

    return recycle


def _upload(m365: Microsoft365, before: _Before, name: str, content: bytes) -> Callable[[], None]:
    def upload() -> None:
        if _held(before.geo, before.folder, name) != content:
            before.geo.sharepoint.upload(before.folder, name, content, before_write=unclaimed)

    return upload
