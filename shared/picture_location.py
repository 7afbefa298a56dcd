"""
Where a user's three picture files live, and which address the profile then shows.

A profile's PictureURL names the middle one, `<name>_MThumb.jpg`; pages swap the suffix for the
small and the large one (facts: sharepoint.md section 1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from shared.sharepoint import PICTURE_LIBRARY

# In the order of PICTURE_SIZES: small, middle, large.
SUFFIXES = ("_SThumb.jpg", "_MThumb.jpg", "_LThumb.jpg")

_SHOWN = re.compile(
    re.escape(PICTURE_LIBRARY) + r"/(?P<folder>[^/\\]+)/(?P<name>[^/\\]+)_MThumb\.jpg",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PictureLocation:
    """A folder of the picture library and what the three file names begin with."""

    folder: str
    name: str

    @property
    def files(self) -> tuple[str, ...]:
        """File names: small, middle, large."""
        return tuple(self.name + suffix for suffix in SUFFIXES)

    def url(self, my_url: str) -> str:
        """PictureURL as Microsoft's own sync writes it, port included (section 2, recorded)."""
        host = urlsplit(my_url)
        path = f"{PICTURE_LIBRARY}/{self.folder}/{self.files[1]}"
        return f"https://{host.hostname}:{host.port or 443}{quote(path)}"


def shown_by(picture_url: str, my_url: str) -> PictureLocation | None:
    """Which files *picture_url* shows; None when it is not a picture in the picture library."""
    try:
        ours, url = urlsplit(my_url), urlsplit(picture_url)
        same_host = (url.hostname, url.port or 443) == (ours.hostname, ours.port or 443)
    except ValueError:
        return None
    found = _SHOWN.fullmatch(unquote(url.path))
    if not same_host or url.scheme != "https" or not found:
        return None
    # `Forms` holds the library's own pages (section 1).
    if found["folder"].casefold() in {".", "..", "forms"}:
        return None
    return PictureLocation(found["folder"], found["name"])


def belongs_to(location: PictureLocation, user_id: str, upn: str) -> bool:
    """
    Whether the files at *location* are this user's own, by one of the two known naming rules.

    Until 2021 the UPN with `@` and `.` as `_`, since 2022 the object id (section 1, recorded).
    What became of other characters is unknown: each may stand as it is or as `_`. Users may write
    their own PictureURL: without this question, one who points it at a colleague's files would
    have them overwritten with his own photo.
    """
    name = location.name.casefold()
    return name == user_id.casefold() or _stands_for(name, upn.casefold())


def _stands_for(name: str, upn: str) -> bool:
    return len(name) == len(upn) and all(
        shown == meant or (shown == "_" and not re.match("[a-z0-9]", meant))
        for shown, meant in zip(name, upn, strict=True)
    )
