"""One geography of the tenant: its host names, its picture library and who may write to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from local.m365.tenant.records import Folder

USER_PHOTOS = "/User Photos"
HOME_FOLDER = "Profile Pictures"


class Geo:
    """
    The home geography has no *name*; a satellite's hosts are `<name>-my` and `<name>-admin`.

    *folder* is the picture folder, named in the language of the My Site host. Documented: each has
    its own hosts and profiles. Assumed: libraries too (facts/sharepoint.md section 10).
    """

    def __init__(
        self, name: str, folder: str, new_id: Callable[[], str], now: Callable[[], datetime]
    ) -> None:
        self.name = name
        self.site_grants: dict[str, str] = {}  # client id -> its role on the -my root
        self._folder = folder
        self._new_id = new_id
        self._now = now

    def empty(self) -> None:
        """Reset the library; grants stay."""
        self.folders: dict[str, Folder] = {}
        self.picture_folder = Folder(f"{USER_PHOTOS}/{self._folder}", "", self._now())
        for path in (USER_PHOTOS, f"{USER_PHOTOS}/Forms", self.picture_folder.path):
            self.add_folder(path)

    def folder(self, path: str) -> Folder | None:
        return self.folders.get(path.casefold())

    def add_folder(self, path: str) -> Folder:
        """Create the folder at *path* (server-relative; its parent exists)."""
        folder = Folder(path, self._new_id(), self._now())
        self.folders[path.casefold()] = folder
        if path.casefold() == self.picture_folder.path.casefold():
            self.picture_folder = folder
        return folder

    def remove_folder(self, folder: Folder) -> None:
        """Remove *folder* and everything in it."""
        gone = folder.path.casefold()
        for key in [*self.folders]:
            if key == gone or key.startswith(f"{gone}/"):
                self.folders.pop(key).files.clear()

    def name_picture_folder(self, name: str) -> None:
        """Rename the picture folder, as on a My Site host in another language."""
        folder = self.picture_folder
        self.folders.pop(folder.path.casefold(), None)
        folder.path = f"{USER_PHOTOS}/{name}"
        self.folders[folder.path.casefold()] = folder
