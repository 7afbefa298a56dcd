"""Whether every user's picture matches the photo, by comparing the images of both services."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from local.outside.likeness import is_rendition
from local.outside.tenant_client import TenantClient, picture_paths

Person = Mapping[str, Any]
_YEAR_1 = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


class Judge:
    """Independent of PhotoSync; compares each pair of a photo and a file once."""

    def __init__(self, admin: TenantClient, photos: Sequence[bytes]) -> None:
        self._admin = admin
        self._photos = {_digest(photo): photo for photo in photos}
        self._seen: dict[tuple[str, str, str], bool] = {}

    def wrong(self) -> list[str]:
        """
        The UPNs of all users whose pictures are wrong.

        That is: the three pictures are not the photo, each in its size; pictures are shown without
        a photo; or they are hidden because they replaced others under a timestamp that browsers
        have cached.
        """
        people: list[Person] = self._admin.control("GET", "/users")["users"]
        return [person["userPrincipalName"] for person in people if not self._is_right(person)]

    def _is_right(self, person: Person) -> bool:
        url = str((person["profile"] or {}).get("PictureURL", ""))
        if person["photo"] is None:
            return not url
        names = {size: path.rpartition("/")[2] for size, path in picture_paths(url).items()}
        files = {file["name"]: file for file in person["files"]}
        if not set(names.values()) <= files.keys() or _is_hidden(person, files[names["M"]]):
            return False
        photo = person["photo"]["sha256"]
        seen = {(photo, size, files[name]["sha256"]) for size, name in names.items()}
        if not seen <= self._seen.keys():
            self._read(person["userPrincipalName"], photo)
        return all(self._seen.get(each, False) for each in seen)

    def _read(self, upn: str, photo: str) -> None:
        for size, content in self._admin.shown(upn).files.items():
            right = is_rendition(self._photos[photo], content, size)
            self._seen[photo, size, _digest(content)] = right


def _is_hidden(person: Person, file: Mapping[str, Any]) -> bool:
    """
    Whether the profile's timestamp is older than the photo change for which *file* was replaced.
    """
    changed = datetime.fromisoformat(person["photo"]["changedAt"])
    if file["version"] == 1 or datetime.fromisoformat(file["modified"]) < changed:
        return False
    # Seconds since the year 1 (facts: sharepoint.md section 2).
    stamp = int((person["profile"] or {}).get("SPS-PictureTimestamp") or 0)
    return stamp < int((changed - _YEAR_1).total_seconds())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
