"""The list, folder or file that a path addresses, step by step from the web."""

from __future__ import annotations

from local.m365.sharepoint import files
from local.m365.sharepoint.errors import bad_request
from local.m365.sharepoint.paths import Call
from local.m365.tenant.geo import USER_PHOTOS

FOLDER, FILE, LIST = "folder", "file", "list"
# Paths that start at the web, and those inside the preceding collection.
_FROM_THE_WEB = {
    "getfolderbyserverrelativepath": FOLDER,
    "getfolderbyserverrelativeurl": FOLDER,
    "getfilebyserverrelativepath": FILE,
    "getfilebyserverrelativeurl": FILE,
}
_OF = {"folders": FOLDER, "files": FILE, "lists": LIST}
_GETTERS = {"folders": ("getbyurl",), "files": ("getbyurl",), "lists": ("getbytitle", "getbyid")}
_TITLE = USER_PHOTOS.removeprefix("/")
# Any other segment with arguments is no resource.
_FUNCTIONS = {
    "add",
    "addusingpath",
    "addsubfolderusingpath",
    "getpropertiesfor",
    "getuserprofilepropertyfor",
}


def names(calls: tuple[Call, ...]) -> tuple[str, ...]:
    """
    The steps of the path; a list, folder or file and all that leads to it are one step.

    Documented (facts/sharepoint.md section 3): by path from the web, and by name inside a folder,
        `Files('name')` and `Folders('name')`. Assumed: unexpected arguments are 400.
    """
    found: list[str] = []
    for call in calls:
        before = found[-1] if found else ""
        if found == ["web"] and call.name in _FROM_THE_WEB:
            found.append(_FROM_THE_WEB[call.name])
        elif call.name in _OF and call.arguments:
            _step_into(found, _OF[call.name])
        elif call.name in _GETTERS.get(before, ()):
            found.pop()
            _step_into(found, _OF[before])
        elif call.name == "rootfolder" and before == LIST:
            found[-1] = FOLDER
        elif call.arguments and call.name not in _FUNCTIONS:
            raise bad_request(f"{call.name} takes no parameters.")
        else:
            found.append(call.name)
    return tuple(found)


def _step_into(found: list[str], kind: str) -> None:
    if found and found[-1] in (FOLDER, LIST):
        found[-1] = kind
    else:
        found.append(kind)


def path(calls: tuple[Call, ...]) -> str:
    """
    The server-relative path of the folder or file that *calls* address; empty for the web's own.

    Assumed: a name is used unchanged, and never as a path of several segments.
    """
    found = ""
    for call in calls:
        if call.name in _FROM_THE_WEB:
            encoded = call.name.endswith("url")
            given = call.text("serverrelativeurl" if encoded else "decodedurl")
            found = files.server_relative(given, encoded=encoded)
        elif call.name == "rootfolder":
            found = USER_PHOTOS
        elif (call.name in ("files", "folders") and call.arguments) or call.name == "getbyurl":
            name = call.text("url")
            if "/" in name or name in ("", ".", ".."):
                raise bad_request(f"{name!r} is not a name.")
            found = f"{found}/{name}"
    return found


def is_the_library(calls: tuple[Call, ...], list_id: str) -> bool:
    """
    Whether the list that *calls* name is `User Photos`, by its title or its id.

    Documented: both. Assumed: the title is the one in the URL, ignoring case.
    """
    for call in calls:
        if call.name == "getbytitle":
            return call.text("title").casefold() == _TITLE.casefold()
        if call.name == "getbyid" or (call.name == "lists" and call.arguments):
            return call.text("id", "guid").casefold() == list_id.casefold()
    return False
