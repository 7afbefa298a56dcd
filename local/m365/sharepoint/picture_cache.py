"""What `userphoto.aspx` serves instead of the file: an older one, or another service's."""

from __future__ import annotations

from datetime import timedelta

from local.m365.tenant import photos
from local.m365.tenant.records import File, User
from local.m365.tenant.tenant import Tenant

# About the usual size of the three files (Assumed).
_SIDES = {"S": 48, "M": 96, "L": 240}


def served(tenant: Tenant, user: User, size: str, file: File) -> bytes:
    """
    The bytes that a page gets for *file*.

    How fast pages show a new picture is unknown (facts/sharepoint.md section 8): with the switch
        `picture_cache_seconds`, the last picture is served for this long after it was replaced.
    """
    key, age = (user.id, size), tenant.now() - file.modified
    before = tenant.served_pictures.get(key)
    if before is not None and age < timedelta(seconds=tenant.switches.picture_cache_seconds):
        return before
    tenant.served_pictures[key] = file.content
    return file.content


def of_people_service(user: User, size: str) -> bytes | None:
    """
    The mailbox's photo, scaled; None without one.

    Documented: message MC653734 moved part of the pictures to a people service (section 11). It
        does not say which part, so the switch `pictures_from` chooses. Assumed: the scaling.
    """
    if user.photo is None:
        return None
    picture = photos.sized(user.photo, _SIDES.get(size, 96))
    return picture.content if picture else user.photo.content
