"""People as the control API shows and seeds them, including data that Graph would refuse."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from PIL import Image

from local.m365.sharepoint import files
from local.m365.tenant import photos
from local.m365.tenant.fault_plan import only
from local.m365.tenant.records import File, Photo, Profile, User
from local.m365.tenant.tenant import Tenant

MAILBOXES = ("online", "none", "on-premises")
TYPES = ("Member", "Guest")
SIZES = ("S", "M", "L")


def described(tenant: Tenant, user: User) -> dict[str, Any]:
    """All data of *user* in Exchange, Graph and SharePoint."""
    profile = None if user.profile is None else dict(user.profile.properties)
    return {
        "id": user.id,
        "userPrincipalName": user.user_principal_name,
        "displayName": user.display_name,
        "mail": user.mail,
        "accountEnabled": user.account_enabled,
        "userType": user.user_type,
        "mailbox": user.mailbox,
        "personalHost": user.personal_host,
        "sharepointName": user.sharepoint_name,
        "photo": None if user.photo is None else _photo(user.photo),
        "profile": profile,
        "files": [_file(path, file) for path, file in picture_files(tenant, user)],
    }


def _photo(photo: Photo) -> dict[str, Any]:
    return {
        "sha256": hashlib.sha256(photo.content).hexdigest(),
        "bytes": len(photo.content),
        "contentType": photo.content_type,
        "width": photo.width,
        "height": photo.height,
        "etag": photo.etag,
        "mediaEtag": photos.media_etag(photo),
        "changedAt": photo.changed_at.isoformat(),
    }


def _file(path: str, file: File) -> dict[str, Any]:
    return {
        "name": file.name,
        "path": path,
        "sha256": hashlib.sha256(file.content).hexdigest(),
        "bytes": len(file.content),
        "etag": file.etag,
        "version": file.version,
        "modified": file.modified.isoformat(),
    }


def picture_files(tenant: Tenant, user: User) -> list[tuple[str, File]]:
    """The files named after *user*, by object id or by UPN (facts/sharepoint.md section 1)."""
    families = (user.id, re.sub(r"\W", "_", user.user_principal_name))
    names = [f"{family}_{size}Thumb.jpg".casefold() for family in families for size in SIZES]
    return [
        (f"{folder.path}/{folder.files[name].name}", folder.files[name])
        for geo in tenant.geos
        for folder in geo.folders.values()
        for name in names
        if name in folder.files
    ]


def added(tenant: Tenant, seed: Mapping[str, Any]) -> User:
    """A new user from *seed*; only `userPrincipalName` is required. Raises ValueError."""
    upn = seed.get("userPrincipalName")
    if not isinstance(upn, str) or "@" not in upn:
        raise ValueError("userPrincipalName must look like anne@contoso.com")
    object_id = str(uuid.UUID(seed["id"])) if "id" in seed else tenant.new_id()
    if tenant.user(upn) or tenant.user(object_id):
        raise ValueError(f"{upn} already exists")
    name = re.sub(r"[\W_]+", " ", upn.partition("@")[0]).title()
    user = User(object_id, upn, name, upn, profile=Profile())
    change(tenant, user, {key: value for key, value in seed.items() if key != "id"})
    return tenant.add_user(user)


def generated(tenant: Tenant, count: int) -> list[User]:
    """*count* users without a photo, for measurements of large tenants."""
    start = len(tenant.users)
    people = []
    for number in range(start + 1, start + count + 1):
        upn = f"user{number:06}@{tenant.domain}"
        user = User(tenant.new_id(), upn, f"User {number}", upn, profile=Profile())
        people.append(tenant.add_user(user))
    return people


def change(tenant: Tenant, user: User, seed: Mapping[str, Any]) -> None:
    """Set the properties in *seed*. Raises ValueError and then sets none."""
    setters = [_setter(tenant, user, name, value) for name, value in seed.items()]
    for setter in setters:
        setter()


def _setter(tenant: Tenant, user: User, name: str, value: Any) -> Callable[[], None]:
    attributes = {
        "displayName": ("display_name", str, ()),
        "mail": ("mail", str, ()),
        "accountEnabled": ("account_enabled", bool, ()),
        "userType": ("user_type", str, TYPES),
        "mailbox": ("mailbox", str, MAILBOXES),
        "personalHost": ("personal_host", str, ()),
        "aliases": ("aliases", list, ()),
        "otherMails": ("other_mails", list, ()),
        "manager": ("manager", str, ()),
    }
    if name in attributes:
        attribute, kind, allowed = attributes[name]
        if not isinstance(value, kind) or (allowed and value not in allowed):
            raise ValueError(f"{name} must be {' or '.join(allowed) or kind.__name__}")
        return lambda: setattr(user, attribute, value)
    renames = {
        "userPrincipalName": tenant.roster.rename,
        "sharepointName": tenant.roster.name_in_sharepoint,
    }
    if name in renames:
        if not isinstance(value, str):
            raise ValueError(f"{name} must be str")
        return lambda: renames[name](user, value)
    if name == "photo":
        photo = None if value is None else _read_photo(tenant, value)
        return lambda: setattr(user, "photo", photo)
    if name == "profile":
        profile = _read_profile(value)
        return lambda: setattr(user, "profile", profile)
    return _setter_of_shown(tenant, user, name, value)


def _setter_of_shown(tenant: Tenant, user: User, name: str, value: Any) -> Callable[[], None]:
    """A setter for the data that SharePoint shows."""
    if name == "damage":
        only(value, "files", "profile")
        return lambda: _damage(tenant, user, value)
    if name == "files":
        contents = {str(key): base64.b64decode(text) for key, text in dict(value).items()}
        return lambda: _put_files(tenant, user, contents)
    raise ValueError(f"a user has no {name}")


def _read_photo(tenant: Tenant, raw: Any) -> Photo:
    """Exactly these bytes, valid or not: photos that Graph would refuse can be seeded here."""
    if not isinstance(raw, str):
        only(raw, "content", "contentType")
    text = raw if isinstance(raw, str) else raw["content"]
    content = base64.b64decode(text, validate=True)
    width = height = 0
    kind = "image/jpeg"
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height = image.size
            kind = Image.MIME.get(image.format or "", kind)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        width = height = photos.LARGEST
    if not isinstance(raw, str):
        kind = str(raw.get("contentType", kind))
    picture = photos.Picture(content, kind, width, height)
    return photos.stored(picture, tenant.now())


def _read_profile(raw: Any) -> Profile | None:
    """null or false: no profile; true: an empty one; an object: its stored properties."""
    if isinstance(raw, dict):
        return Profile({str(key): str(value) for key, value in raw.items()})
    return Profile() if raw else None


def _damage(tenant: Tenant, user: User, wanted: Mapping[str, Any]) -> None:
    """Change a shown picture as an edit outside the app would; do nothing without a picture."""
    if user.profile is None or not user.profile.properties.get("PictureURL"):
        return
    user.profile.properties.update(wanted.get("profile", {}))
    folder = (tenant.geo_of(user) or tenant.home).picture_folder
    for name, text in wanted.get("files", {}).items():
        if text is None:
            folder.files.pop(name.casefold(), None)
        elif name.casefold() in folder.files:
            content = base64.b64decode(text)
            files.upload(tenant, folder, name, content, overwrite=True)


def _put_files(tenant: Tenant, user: User, contents: Mapping[str, bytes]) -> None:
    """Put files into the user's picture folder, as an earlier sync would have left them."""
    now = tenant.now()
    folder = (tenant.geo_of(user) or tenant.home).picture_folder
    for name, content in contents.items():
        unique = tenant.new_id()
        etag = f'"{{{unique.upper()}}},1"'
        folder.files[name.casefold()] = File(name, content, etag, now, now, unique)
