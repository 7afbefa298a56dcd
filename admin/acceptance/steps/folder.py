"""The folder of the pictures, and its name."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from admin.acceptance.finding import Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.wording import of_sharepoint
from shared.errors import Refused
from shared.sharepoint.client import PICTURE_LIBRARY
from shared.sharepoint.errors import read_error
from shared.sharepoint.picture_library import KNOWN_FOLDERS, picture_folder


def _folder(scene: Scene) -> Seen:
    found = scene.m365.geos.home.sharepoint.picture_folders()
    known = [name for name in found if name in KNOWN_FOLDERS]
    others = len(found) - len(known)
    told = ", ".join(known) or "no folder with a known name"
    told += f", and {others} with other names" if others else ""
    try:
        picture_folder(found, scene.m365.settings.picture_folder)
    except Refused:
        return Seen(f"{told}: PICTURE_FOLDER must name the right one", as_assumed=False)
    return Seen(told)


def _missing_file(scene: Scene) -> Seen:
    home = scene.m365.geos.home
    http = scene.m365.http("sharepoint", home.my_url)
    found = home.sharepoint.picture_folders()
    folder = picture_folder(found, scene.m365.settings.picture_folder)
    path = quote(f"{PICTURE_LIBRARY}/{folder}/{uuid.uuid4()}_MThumb.jpg", safe="")
    headers = {"Accept": "application/json;odata=nometadata"}
    reply = http.send(
        "GET", f"/_api/web/GetFileByServerRelativePath(decodedurl='{path}')", headers=headers
    )
    is_known = reply.status == 404 and read_error(reply.body).code.startswith("-2130575338")
    return Seen(of_sharepoint(reply), is_known)


STEPS = (
    Step(
        "folder",
        "Can the app read the picture library, and what is its folder called?",
        "one folder beside Forms, or one with a known name",
        _folder,
    ),
    Step(
        "missing-file",
        "What does SharePoint answer for a picture file that does not exist?",
        "404 -2130575338 SPException",
        _missing_file,
    ),
)
