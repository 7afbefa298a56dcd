"""
The picture that a person chose, and its bytes if our token may fetch them.

Users can set their own PictureURL, and the console shows its target to everyone with access. So
only pictures are returned, only from the My Site host's own libraries or the user's personal site,
and no other host is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from shared.errors import AccessDenied, NoPhoto, PhotoRefused, PictureKept, Refused
from shared.pictures import reader
from shared.sharepoint.client import SharePointClient
from shared.sharepoint.picture_location import shown_in

# The path of the personal site on its host, empty before it exists (sharepoint.md section 3).
PERSONAL_SPACE = "PersonalSpace"
_PERSONAL_SITE = re.compile(r"(/personal/[^/\\]+)/?", re.IGNORECASE)
_PERSONAL_SITES = "/personal/"


@dataclass(frozen=True)
class ChosenPicture:
    """
    Its URL and its location on our host: the file's `path`, and the `site` that contains it, empty
    for the root site. Without a path, PhotoSync must not fetch it.
    """

    url: str
    site: str = ""
    path: str = ""


def chosen_in(
    profile: Mapping[str, str], my_url: str, *, user_id: str, wrote: str
) -> ChosenPicture | None:
    """The picture in *profile* if a person chose it; *wrote* is our picture's URL in the state."""
    shown = shown_in(profile, my_url)
    if not shown.is_chosen(user_id, wrote=wrote):
        return None
    path = _path_on(my_url, shown.url)
    site = _site_of(path, profile.get(PERSONAL_SPACE, ""))
    return ChosenPicture(shown.url) if site is None else ChosenPicture(shown.url, site, path)


def read(sharepoint: SharePointClient, chosen: ChosenPicture) -> bytes:
    """
    Its bytes, unchanged. Raises PictureKept with the reason if they cannot be shown; Throttled,
    ServiceDown.
    """
    if not chosen.path:
        raise _kept(chosen, "PhotoSync does not read files from there.")
    try:
        content = sharepoint.content(chosen.site, chosen.path)
        reader.read(content)
    except NoPhoto as error:
        raise _kept(chosen, "The file does not exist.") from error
    except AccessDenied as error:
        raise _kept(chosen, "PhotoSync may not read the file.") from error
    except PhotoRefused as error:
        raise _kept(chosen, "The file is not a picture that can be shown.") from error
    except Refused as error:
        raise _kept(chosen, str(error)) from error
    return content


def _kept(chosen: ChosenPicture, why: str) -> PictureKept:
    # Only the host: a URL may be longer than a sentence may be.
    host = _host(chosen.url) or "an invalid address"
    return PictureKept(f"A person chose a picture at {host}. {why}")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _path_on(my_url: str, url: str) -> str:
    """The decoded path of *url* if it is on our host, else empty."""
    try:
        ours, parts = urlsplit(my_url), urlsplit(url)
        is_here = (parts.hostname, parts.port or 443) == (ours.hostname, ours.port or 443)
        path = unquote(parts.path, errors="strict")
    except ValueError:
        return ""
    if parts.scheme != "https" or "@" in parts.netloc or not is_here:
        return ""
    steps = path.split("/")[1:]
    if "\\" in path or not path.isprintable() or {"", ".", ".."} & set(steps):
        return ""
    return path


def _site_of(path: str, personal_space: str) -> str | None:
    """The site that contains *path*; None for an empty path or another user's personal site."""
    if not path:
        return None
    own = _PERSONAL_SITE.fullmatch(personal_space)
    if own and path.casefold().startswith(f"{own[1]}/".casefold()):
        return own[1]
    return None if path.casefold().startswith(_PERSONAL_SITES) else ""
