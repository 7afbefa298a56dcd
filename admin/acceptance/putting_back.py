"""
Remembers what a user's picture was before a step writes, and puts it back.

What cannot be put back is told as an order for a person, and the bytes that it takes are left in a
folder: the library's own copy is gone by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from admin.acceptance.microsoft365 import Microsoft365, unclaimed
from shared.errors import PhotoSyncError
from shared.sharepoint.client import PICTURE_LIBRARY
from shared.sharepoint.geos import Geo
from shared.sharepoint.inspection import PLACEHOLDER_STATE
from shared.sharepoint.picture_location import PICTURE_URL
from shared.sharepoint.publisher import SYNC_STATE, TIMESTAMP, Plan
from shared.user import User

PROPERTIES = (PICTURE_URL, PLACEHOLDER_STATE, SYNC_STATE, TIMESTAMP)


@dataclass(frozen=True)
class _Before:
    """One user's picture as it was: files by name, None where there was none, and the profile."""

    user: User
    geo: Geo
    folder: str
    files: dict[str, bytes | None]
    profile: dict[str, str]


@dataclass(frozen=True)
class _Act:
    """One thing to put back; `order` tells a person to do it, `content` is what it takes."""

    order: str
    do: Callable[[], None]
    file: str = ""
    content: bytes = b""


class PuttingBack:
    """Of one run; *folder* is made only if something cannot be put back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before: dict[str, _Before] = {}
        self._owed: list[str] = []

    def owe(self, order: str) -> None:
        """Note what only a person can put back, until it is `paid`."""
        self._owed.append(order)

    def paid(self, order: str) -> None:
        self._owed.remove(order)

    def remember(self, m365: Microsoft365, user: User, plan: Plan | None = None) -> Plan:
        """
        Keep what *plan* (else a copy's) would write over, once for each user.

        To be called before the first write. Raises what SharePointClient raises.
        """
        plan = plan or m365.plan(user)
        if user.id not in self._before:
            geo = plan.geo or m365.geos.home
            held = {name: _held(geo, plan.location.folder, name) for name in plan.location.files}
            _, profile = m365.geos.residence(user)
            kept = {name: profile.get(name, "") for name in PROPERTIES}
            self._before[user.id] = _Before(user, geo, plan.location.folder, held, kept)
        return plan

    def put_back(self, m365: Microsoft365 | None) -> list[str]:
        """
        Put everything back; an order for a person for each thing that could not be.

        Never raises; Ctrl-C makes an order of all that is left.
        """
        acts = [act for before in self._before.values() for act in _acts(m365, before)]
        self._before = {}
        orders, self._owed = self._owed, []
        stopped = False
        for act in acts:
            try:
                if not stopped:
                    act.do()
                    continue
                why = "stopped"
            except PhotoSyncError as error:
                why = str(error).rstrip(".")
            except Exception as error:  # noqa: BLE001 - whatever it is, the rest is to be put back
                why = type(error).__name__
            except KeyboardInterrupt:
                stopped, why = True, "stopped"
            orders.append(f"{act.order} ({why}).{self._left(act)}")
        return orders

    def _left(self, act: _Act) -> str:
        """Leave the bytes of *act* in a file; where."""
        if not act.file:
            return ""
        try:
            self._folder.mkdir(exist_ok=True)
            file = self._folder / act.file
            file.write_bytes(act.content)
        except OSError as error:
            return f" Its bytes could not be kept: {error.strerror}."
        return f" The file is {file}."


def _held(geo: Geo, folder: str, name: str) -> bytes | None:
    found = geo.sharepoint.file(folder, name)
    return geo.sharepoint.picture(folder, name) if found else None


def _acts(m365: Microsoft365 | None, before: _Before) -> Iterator[_Act]:
    """Files first, as a copy does: properties then show what is there again."""
    assert m365, "who has no way in has remembered nothing"
    ways = before.geo.sharepoint
    for name, content in before.files.items():
        place = f"{PICTURE_LIBRARY}/{before.folder}"
        if content is None:
            yield _Act(f"Delete {name} in {place}", _recycle(m365, before, name))
        else:
            order = f"Upload {name} to {place}"
            yield _Act(order, _upload(m365, before, name, content), name, content)
    upn = before.user.user_principal_name

    for name, value in before.profile.items():

        def write(name: str = name, value: str = value) -> None:
            _, profile = m365.geos.residence(before.user)
            if profile.get(name, "") != value:
                ways.set_property(upn, name, value, before_write=unclaimed)

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
