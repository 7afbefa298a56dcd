"""The picture library of one geography: which of its folders contains the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.errors import Refused
from shared.sharepoint.client import PICTURE_LIBRARY

# The known names of the folder, by language (sharepoint.md section 1).
KNOWN_FOLDERS = {
    "Profile Pictures",
    "Profilbilder",
    "Profilbilleder",
    "Imagens de Perfil",
    "Profielafbeeldingen",
}


class PictureLibrary:
    """
    The known folders of the library; threads may share it.

    *wanted* is PICTURE_FOLDER. The home geography uses it without a check; another geography uses
    it only if such a folder exists there, since each My Site host has its own language.
    """

    def __init__(
        self, list_folders: Callable[[], list[str]], wanted: str, *, is_home: bool
    ) -> None:
        self._list_folders = list_folders
        self._wanted = wanted
        self._folder = wanted if is_home else ""
        # SharePoint ignores case, too.
        self._trusted = {name.casefold() for name in {*KNOWN_FOLDERS, self._folder}}
        self._listed: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Whether *name* is a picture folder; a profile may contain any name."""
        folder = name.casefold()
        if folder in self._trusted:
            return True
        if folder not in self._listed:
            self._listed = frozenset(each.casefold() for each in self._list_folders())
        return folder in self._listed

    def folder(self) -> str:
        """The picture folder, whose name depends on the host's language; requested once."""
        if not self._folder:
            self._folder = picture_folder(self._list_folders(), self._wanted)
        return self._folder


def picture_folder(found: Sequence[str], wanted: str = "") -> str:
    """Choose the picture folder among the folders *found* in a library. Raises Refused."""
    same = [name for name in found if name.casefold() == wanted.casefold()]
    known = same or [name for name in found if name in KNOWN_FOLDERS] or found
    if len(known) != 1:
        raise Refused(
            f"{PICTURE_LIBRARY} on the My Site host has {len(known)} folders that may hold "
            "pictures: set PICTURE_FOLDER to the name of the right one."
        )
    return known[0]
