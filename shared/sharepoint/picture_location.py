"""
Where a user's three picture files are, and the PictureURL that shows them.

A profile's PictureURL names the middle one, `<name>_MThumb.jpg`; pages replace the suffix for the
small and the large one (facts: sharepoint.md section 1).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from shared.pictures.sizes import SUFFIXES
from shared.sharepoint.client import PICTURE_LIBRARY

PICTURE_URL = "PictureURL"

_SHOWN = re.compile(
    re.escape(PICTURE_LIBRARY) + r"/(?P<folder>[^/\\]+)/(?P<name>[^/\\]+)_MThumb\.jpg",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class PictureLocation:
    """A folder of the picture library and the common prefix of the three file names."""

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
    """
    What a PictureURL shows: nothing (`url` is empty), files in the picture library of a My Site
    host in the tenant's cloud (`is_here`: on our host), or neither.
    """

    url: str
    location: PictureLocation | None = None
    is_here: bool = False

    @property
    def here(self) -> PictureLocation | None:
        """The location of the files if they are on our host, else None."""
        return self.location if self.is_here else None

    def is_chosen(self, user_id: str, *, wrote: str) -> bool:
        """
        Whether a person has set it, rather than PhotoSync or Microsoft's own sync.

        Files on another host that are named by the user's own object id came from one of these two,
        for example before a tenant rename. So did the URL that the state says we *wrote*.
        """
        if not self.url or self.is_here or self.is_same(shown_by(wrote, wrote)):
            return False
        return self.location is None or not is_named_by_id(self.location, user_id)

    def is_same(self, other: Shown) -> bool:
        """
        Whether both show the same files, on any host: a URL has many spellings, and a query does
        not change the picture.
        """
        if self.location is not None and self.location == other.location:
            return True
        return _without_query(self.url) == _without_query(other.url)


def shown_in(profile: Mapping[str, str], my_url: str) -> Shown:
    """What *profile* shows. Only this function reads PictureURL."""
    return shown_by(profile.get(PICTURE_URL, ""), my_url)


def shown_by(picture_url: str, my_url: str) -> Shown:
    """What *picture_url* shows."""
    try:
        url = urlsplit(picture_url)
        (host, port), ours = host_and_port(url), host_and_port(urlsplit(my_url))
        is_here = (host, port) == ours
        is_sibling = port == 443 and _is_my_site(host, ours[0])
    except ValueError:
        return Shown(picture_url)
    found = _SHOWN.fullmatch(unquote(url.path))
    if not (is_here or is_sibling) or url.scheme != "https" or not found:
        return Shown(picture_url)
    # `Forms` contains the library's own pages (section 1).
    if found["folder"].casefold() in {".", "..", "forms"}:
        return Shown(picture_url)
    return Shown(picture_url, PictureLocation(found["folder"], found["name"]), is_here)


def _without_query(url: str) -> str:
    return re.split("[?#]", url)[0]


def host_and_port(url: SplitResult) -> tuple[str, int]:
    """Host, in lower case, or "", and port. Raises ValueError for an invalid port."""
    return url.hostname or "", url.port or 443


def _is_my_site(host: str, ours: str) -> bool:
    """Whether *host* is a My Site host in the same cloud: a satellite's, or under another name."""
    name, _, cloud = host.partition(".")
    return name.endswith("-my") and cloud == ours.partition(".")[2]


def is_named_by_id(location: PictureLocation, user_id: str) -> bool:
    """Whether the files are named by the user's object id, as since 2022 (section 1, recorded)."""
    return location.name.casefold() == user_id.casefold()


def is_named_by_upn(location: PictureLocation, upn: str) -> bool:
    """
    Whether the files are named by the user's UPN with `_` for `@` and `.`, as until 2021
    (recorded).

    How other characters were replaced is unknown; files of such users are named by object id. The
    name may match other users too, and users can set their own PictureURL. So check `rivals` before
    relying on it. Otherwise a user could point it at a colleague's files, and we would overwrite
    them.
    """
    return location.name.casefold() == re.sub("[@.]", "_", upn.casefold())


def rivals(upn: str) -> Iterator[str]:
    """Every other UPN that leads to the same file names; most of them do not exist."""
    parts = re.split("[@._]", upn.casefold())
    # A domain has a dot and no underscore, so at least two parts follow the @.
    for domain in range(1, len(parts) - 1):
        tail = ".".join(parts[domain:])
        for separators in itertools.product("._", repeat=domain - 1):
            between = "".join(
                mark + part for mark, part in zip(separators, parts[1:domain], strict=True)
            )
            rival = f"{parts[0]}{between}@{tail}"
            if rival != upn.casefold():
                yield rival
