"""Whether every user's picture is the photo, by a look at both sides of everybody."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from local.clients import TenantClient
from local.likeness import alike

Person = Mapping[str, Any]


class Judge:
    """Knows nothing of PhotoSync; each pair of a photo and a file is looked at once."""

    def __init__(self, admin: TenantClient, photos: Sequence[bytes]) -> None:
        self._admin = admin
        self._photos = {_digest(photo): photo for photo in photos}
        self._seen: dict[tuple[str, str], bool] = {}

    def wrong(self) -> list[str]:
        """The UPNs of all whose three pictures do not show the photo, or who have too many."""
        people: list[Person] = self._admin.control("GET", "/users")["users"]
        return [person["userPrincipalName"] for person in people if not self._is_right(person)]

    def _is_right(self, person: Person) -> bool:
        url = str((person["profile"] or {}).get("PictureURL", ""))
        if person["photo"] is None:
            return not url
        # A page finds the files through the profile.
        family = url.rpartition("/")[2].removesuffix("_MThumb.jpg")
        wanted = {f"{family}_{size}Thumb.jpg" for size in "SML"}
        files = {file["name"]: file["sha256"] for file in person["files"]}
        if not wanted <= files.keys():
            return False
        photo = person["photo"]["sha256"]
        pairs = {(photo, files[name]) for name in wanted}
        if not pairs <= self._seen.keys():
            self._look(person["userPrincipalName"], photo)
        return all(self._seen.get(pair, False) for pair in pairs)

    def _look(self, upn: str, photo: str) -> None:
        for content in self._admin.shown(upn).files.values():
            self._seen[photo, _digest(content)] = alike(self._photos[photo], content)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
