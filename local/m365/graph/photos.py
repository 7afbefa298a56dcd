"""Graph's profile photos: metadata, bytes, sizes, upload, deletion."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.graph.wire import (
    ONE_USER,
    Refusal,
    bad_request,
    collection,
    entity,
    named_user,
    route,
)
from local.m365.tenant import photos
from local.m365.tenant.records import Photo, User
from local.m365.tenant.tenant import Tenant

# Documented: facts/graph.md section 4 names the least role to read; the others include it.
READ = (
    "ProfilePhoto.Read.All",
    "ProfilePhoto.ReadWrite.All",
    "User.Read.All",
    "User.ReadWrite.All",
)
WRITE = ("ProfilePhoto.ReadWrite.All", "User.ReadWrite.All")
_SIZE = re.compile(r"(\d{1,4})x\1", re.IGNORECASE)
_MISSING = "The photo wasn't found."
# The picture that `1x1` stands for: a transparent GIF of one pixel.
_ONE_PIXEL = {"@odata.mediaContentType": "image/gif", "@odata.mediaEtag": "", "id": "1x1"}


def routes(tenant: Tenant) -> list[Route]:
    one = f"{ONE_USER}/photo"
    sized = f"{ONE_USER}/photos/{{size}}"
    return [
        route(tenant, "GET", one, READ, get_photo),
        route(tenant, "DELETE", one, WRITE, delete_photo),
        route(tenant, "GET", f"{one}/$value", READ, get_photo_value),
        route(tenant, "PUT", f"{one}/$value", WRITE, update_photo),
        route(tenant, "PATCH", f"{one}/$value", WRITE, update_photo),
        route(tenant, "DELETE", f"{one}/$value", WRITE, delete_photo),
        route(tenant, "GET", f"{ONE_USER}/photos", READ, list_photos),
        route(tenant, "GET", sized, READ, get_sized_photo),
        route(tenant, "GET", f"{sized}/$value", READ, get_sized_photo_value),
    ]


def _missing(tenant: Tenant) -> Refusal:
    """404 with one of two codes, by the age of the service (facts/graph.md section 4)."""
    return Refusal(404, tenant.switches.missing_photo_code, _MISSING)


def _owner(tenant: Tenant, request: Request) -> User:
    """
    The user in the path, whose mailbox can hold a photo.

    Documented: the two codes. Reported: statuses 404 and 400 (facts/graph.md section 4).
    """
    user = named_user(tenant, request)
    status = tenant.switches.mailbox_status
    if user.mailbox == "none":
        message = "The SMTP address has no mailbox associated with it."
        raise Refusal(status, "ErrorNonExistentMailbox", message)
    if user.mailbox == "on-premises":
        message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        raise Refusal(status, "MailboxNotHostedInExchangeOnline", message)
    return user


def _photo(tenant: Tenant, request: Request) -> Photo:
    photo = _owner(tenant, request).photo
    if photo is None:
        raise _missing(tenant)
    return photo


def _metadata(photo: Photo, width: int, height: int) -> dict[str, Any]:
    return {
        "@odata.mediaContentType": photo.content_type,
        "@odata.mediaEtag": photos.media_etag(photo),
        "id": f"{width}X{height}",
        "height": height,
        "width": width,
    }


def _entity(tenant: Tenant, user: str, metadata: dict[str, Any]) -> Response:
    return entity(tenant, f"users('{user}')/photo", metadata)


async def get_photo(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    The metadata of the largest photo.

    Documented: without a photo, 200 with `1x1` and an empty ETag. Reported: 404 instead. A switch
    chooses (facts/graph.md section 4).
    """
    user = _owner(tenant, request)
    name = str(request.path_params["user"])
    if user.photo is None and tenant.switches.missing_photo == "1x1":
        return _entity(tenant, name, {**_ONE_PIXEL, "height": 1, "width": 1})
    if user.photo is None:
        raise _missing(tenant)
    metadata = _metadata(user.photo, user.photo.width, user.photo.height)
    return _entity(tenant, name, metadata)


async def get_photo_value(tenant: Tenant, request: Request, client_id: str) -> Response:
    """The bytes; If-None-Match is ignored (facts/graph.md section 1)."""
    photo = _photo(tenant, request)
    return Response(photo.content, media_type=photo.content_type, headers={"ETag": photo.etag})


async def update_photo(tenant: Tenant, request: Request, client_id: str) -> Response:
    """
    Replace the photo.

    Documented: updates must be under 4 MB; from SDKs: any bytes (facts/graph.md section 4).
    Assumed: 413 above, 400 for anything that is not a valid image, 200 without a body.
    """
    user = _owner(tenant, request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind != "application/octet-stream":
        raise bad_request("The content type must be an image type.", "ErrorInvalidRequest")
    upload = await request.body()
    if len(upload) >= photos.MAX_BYTES:
        raise Refusal(413, "RequestEntityTooLarge", "The photo must be smaller than 4 MB.")
    switches = tenant.switches
    try:
        picture = await asyncio.to_thread(
            photos.accept, upload, reencode=switches.reencode, fresh=switches.reencode_fresh
        )
    except photos.InvalidImage as error:
        raise bad_request(f"The photo was refused: {error}.", "ErrorInvalidImage") from error
    user.photo = photos.stored(picture, tenant.now())
    tenant.touch(user, "photo")
    return Response(status_code=200)


async def delete_photo(tenant: Tenant, request: Request, client_id: str) -> Response:
    user = _owner(tenant, request)
    if user.photo is None:
        raise _missing(tenant)
    user.photo = None
    tenant.touch(user, "photo")
    return Response(status_code=204)


async def list_photos(tenant: Tenant, request: Request, client_id: str) -> Response:
    photo = _photo(tenant, request)
    pictures = [await asyncio.to_thread(photos.sized, photo, size) for size in photos.SIZES]
    value = [_metadata(photo, p.width, p.height) for p in pictures if p is not None]
    return collection(tenant, f"users('{request.path_params['user']}')/photos", value)


async def _sized(tenant: Tenant, request: Request) -> tuple[Photo, photos.Picture]:
    photo = _photo(tenant, request)
    named = _SIZE.fullmatch(str(request.path_params["size"]))
    size = int(named[1]) if named else 0
    if size not in (*photos.SIZES, max(photo.width, photo.height)):
        raise bad_request("The image size is not valid.", "ErrorInvalidImageId")
    picture = await asyncio.to_thread(photos.sized, photo, size)
    if picture is None:
        raise _missing(tenant)
    return photo, picture


async def get_sized_photo(tenant: Tenant, request: Request, client_id: str) -> Response:
    photo, picture = await _sized(tenant, request)
    name = str(request.path_params["user"])
    return _entity(tenant, name, _metadata(photo, picture.width, picture.height))


async def get_sized_photo_value(tenant: Tenant, request: Request, client_id: str) -> Response:
    photo, picture = await _sized(tenant, request)
    headers = {"ETag": photo.etag}
    return Response(picture.content, media_type=picture.content_type, headers=headers)
