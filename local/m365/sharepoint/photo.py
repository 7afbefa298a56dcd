"""`userphoto.aspx`: the picture that SharePoint's pages show for an account."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from PIL import Image, ImageDraw
from starlette.responses import RedirectResponse, Response

from local.m365.sharepoint import files, picture_cache, profiles
from local.m365.sharepoint.errors import SharePointError
from local.m365.tenant.geo import Geo
from local.m365.tenant.tenant import Tenant

PATH = "/_layouts/15/userphoto.aspx"
_SUFFIX = "_mthumb.jpg"


def response(tenant: Tenant, query: Mapping[str, str]) -> Response:
    """
    The picture in the requested size, or the placeholder; 200 either way.

    Captures match "PictureURL with its suffix swapped" (facts/sharepoint.md section 1). Recorded:
        the 200 with a placeholder if there is no picture, and placeholder state 1.
    Assumed: a picture elsewhere is a redirect, a missing size is the placeholder, and names may be
        accounts or plain user principal names.
    """
    given = {key.lower(): value for key, value in query.items()}
    size = given.get("size", "M").upper()
    name = given.get("accountname", "")
    if not name.lower().startswith(profiles.CLAIMS_PREFIX):
        name = profiles.CLAIMS_PREFIX + name
    user = profiles.account(tenant, name)
    if user is None or user.profile is None:
        return _jpeg(placeholder())
    if tenant.switches.pictures_from == "people service":
        return _jpeg(picture_cache.of_people_service(user, size) or placeholder())
    stored = user.profile.properties
    url = stored.get(profiles.PICTURE, "")
    if not url or stored.get(profiles.PLACEHOLDER) == "1":
        return _jpeg(placeholder())
    try:
        found = library_path(tenant, url)
    except ValueError:
        # Users may write any text there, including invalid URLs.
        return _jpeg(placeholder())
    if found is None:
        return RedirectResponse(url, 302)
    geo, path = found
    try:
        file = files.file_at(geo, in_size(path, size))[1]
        return _jpeg(picture_cache.served(tenant, user, size, file))
    except SharePointError:
        return _jpeg(placeholder())


def library_path(tenant: Tenant, url: str) -> tuple[Geo, str] | None:
    """The geography and the path of *url* if it is on a -my host; `:443` is allowed."""
    theirs = urlsplit(url)
    for geo in tenant.geos:
        ours = urlsplit(tenant.host_url(geo, "my"))
        if (theirs.hostname, theirs.port or 443) == (ours.hostname, ours.port or 443):
            return geo, unquote(theirs.path)
    return None


def in_size(path: str, size: str) -> str:
    """*path* with `_MThumb.jpg` replaced by the suffix of size S, M or L."""
    if path.lower().endswith(_SUFFIX) and size in ("S", "M", "L"):
        return f"{path[: -len(_SUFFIX)]}_{size}Thumb.jpg"
    return path


def _jpeg(content: bytes) -> Response:
    return Response(content, media_type="image/jpeg")


@functools.cache
def placeholder() -> bytes:
    """A grey head and shoulders, clearly not a real photo."""
    image = Image.new("RGB", (96, 96), (225, 223, 221))
    draw = ImageDraw.Draw(image)
    draw.ellipse((32, 18, 64, 50), fill=(161, 159, 157))
    draw.ellipse((16, 56, 80, 120), fill=(161, 159, 157))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()
