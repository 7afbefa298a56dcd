"""Rules of folders on a -my host: which can be created, and which can be deleted."""

from __future__ import annotations

from local.m365.sharepoint import files, names
from local.m365.sharepoint.errors import bad_request
from local.m365.tenant.geo import USER_PHOTOS, Geo
from local.m365.tenant.records import Folder
from local.m365.tenant.tenant import Tenant


def add(tenant: Tenant, geo: Geo, path: str) -> Folder:
    """
    The folder at *path*, created if missing; 404 if its parent is missing.

    Reported: an existing folder is answered like a new one (facts/sharepoint.md section 3).
    Assumed: names follow the rules of files; nothing can be created below `Forms`.
    """
    existing = geo.folder(path)
    if existing is not None:
        return existing
    parent, _, name = path.rpartition("/")
    if parent and files.folder_at(geo, parent).name == files.FORMS:
        raise bad_request("Folders cannot be added to the folder Forms.")
    if problem := names.problem(parent, name):
        raise bad_request(problem)
    return geo.add_folder(path)


def delete(geo: Geo, folder: Folder) -> None:
    """
    Delete *folder* and everything in it.

    Assumed: the library itself and its `Forms` cannot be deleted.
    """
    if folder.path.casefold() in (USER_PHOTOS.casefold(), f"{USER_PHOTOS}/Forms".casefold()):
        raise bad_request(f"The folder {folder.path} cannot be deleted.")
    geo.remove_folder(folder)
