"""The folder of the pictures, and its name."""

from __future__ import annotations

from admin.acceptance.scene import Scene
from admin.acceptance.step import Seen, Step
from shared.errors import Refused
from shared.sharepoint.picture_library import KNOWN_FOLDERS, picture_folder


def _folder(scene: Scene) -> Seen:
    found = scene.m365.geos.home.sharepoint.picture_folders()
    known = [name for name in found if name in KNOWN_FOLDERS]
    others = len(found) - len(known)
    told = ", ".join(known) or "no folder of a name that is known"
    told += f", and {others} of other names" if others else ""
    try:
        picture_folder(found, scene.m365.settings.picture_folder)
    except Refused:
        return Seen(f"{told}: PICTURE_FOLDER has to say which", as_assumed=False)
    return Seen(told)


STEPS = (
    Step(
        "folder",
        "Can the app read the picture library, and what is its folder called?",
        "one folder beside Forms, or one of a known name",
        _folder,
    ),
)
