"""
The picture that a person chose, and its bytes where our token may go for them.

Users write their own PictureURL, and the console shows what it names to whoever may look: so only
pictures are handed out, of the My Site host's own libraries or of the user's personal site, and no
other host is asked for anything.
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

# Where the personal site is on the host, empty before there is one (sharepoint.md section 3).
PERSONAL_SPACE = "PersonalSpace"
_PERSONAL_SITE = re.compile(r"(/personal/[^/\\]+)/?", re.IGNORECASE)
_PERSONAL_SITES = "/personal/"


@dataclass(frozen=True)
class ChosenPicture:
    """
    Its address, and where it is on our host: a file's `path` and the `site` that holds it, empty
    for the root. Without a path it is not ours to read.
    """

    url: str
    site: str = ""
    path: str = ""


def chosen_in(
    profile: Mapping[str, str], my_url: str, *, user_id: str, wrote: str
) -> ChosenPicture | None:
    """The picture in *profile* if a person chose it; *wrote* is where the state has ours."""
    shown = shown_in(profile, my_url)
    if not shown.is_chosen(user_id, wrote=wrote):
        return None
    path = _path_on(my_url, shown.url)
    site = _site_of(path, profile.get(PERSONAL_SPACE, ""))
    return ChosenPicture(shown.url) if site is None else ChosenPicture(shown.url, site, path)


def read(sharepoint: SharePointClient, chosen: ChosenPicture) -> bytes:
    """
    Its bytes, as they stand there. Raises PictureKept where they cannot be shown, with the reason;
    Throttled, ServiceDown.
    """
    if not chosen.path:
        raise _kept(chosen, "PhotoSync fetches nothing from there.")
    try:
        content = sharepoint.content(chosen.site, chosen.path)
        reader.read(content)
    except NoPhoto as error:
        raise _kept(chosen, "There is no such file.") from error
    except AccessDenied as error:
        raise _kept(chosen, "PhotoSync may not read that file.") from error
    except PhotoRefused as error:
        raise _kept(chosen, "What is there is no picture that can be shown.") from error
    except Refused as error:
        raise _kept(chosen, str(error)) from error
    return content


def _kept(chosen: ChosenPicture, why: str) -> PictureKept:
    # The host alone: an address may be longer than a sentence.
    host = _host(chosen.url) or "an address that is none"
    return PictureKept(f"A person chose a picture at {host}. {why}")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _path_on(my_url: str, url: str) -> str:
    """The path that *url* names on our host, decoded; empty for anything else."""
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
    """The site that holds *path*; None for no path, and for a personal site of somebody else."""
    if not path:
        return None
    own = _PERSONAL_SITE.fullmatch(personal_space)
    if own and path.casefold().startswith(f"{own[1]}/".casefold()):
        return own[1]
    return None if path.casefold().startswith(_PERSONAL_SITES) else ""
