"""
Where a user's three picture files live, and which address the profile then shows.

A profile's PictureURL names the middle one, `<name>_MThumb.jpg`; pages swap the suffix for the
small and the large one (facts: sharepoint.md section 1).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from shared.pictures.sizes import SUFFIXES
from shared.sharepoint.client import PICTURE_LIBRARY

PICTURE_URL = "PictureURL"

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


@dataclass(frozen=True)
class Shown:
    """What a profile shows: nothing (`url` is empty), files in the picture library, or neither."""

    url: str
    location: PictureLocation | None

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is a picture outside the picture library."""
        return self.url != "" and self.location is None


def shown_in(profile: Mapping[str, str], my_url: str) -> Shown:
    """What the properties of *profile* show: the one place that reads PictureURL."""
    url = profile.get(PICTURE_URL, "")
    return Shown(url, shown_by(url, my_url))


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


def is_named_by_id(location: PictureLocation, user_id: str) -> bool:
    """Whether the files carry the user's object id, as since 2022 (section 1, recorded)."""
    return location.name.casefold() == user_id.casefold()


def is_named_by_upn(location: PictureLocation, upn: str) -> bool:
    """
    Whether the files carry the user's UPN, `@` and `.` as `_`, as until 2021 (recorded).

    What became of other characters is unknown; such a user's files get the object id. The name
    may stand for other users too, and users may write their own PictureURL: whoever relies on it
    asks for `rivals` first, or one who points it at a colleague's files has them overwritten.
    """
    return location.name.casefold() == re.sub("[@.]", "_", upn.casefold())


def rivals(upn: str) -> Iterator[str]:
    """Every other UPN whose files would be named alike; most of them nobody has."""
    parts = re.split("[@._]", upn.casefold())
    # A domain has a dot and no underscore, so two parts at least stand after the @.
    for domain in range(1, len(parts) - 1):
        tail = ".".join(parts[domain:])
        for signs in itertools.product("._", repeat=domain - 1):
            between = "".join(
                sign + part for sign, part in zip(signs, parts[1:domain], strict=True)
            )
            rival = f"{parts[0]}{between}@{tail}"
            if rival != upn.casefold():
                yield rival
