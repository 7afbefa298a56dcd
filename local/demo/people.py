"""The invented people of the demo tenant; each covers one case."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.cloud.endpoints import Endpoints
from local.demo import photo_files
from local.demo.portraits.portraits import portrait
from local.outside.tenant_client import TenantClient

# Graph converts every upload to a plain JPEG; photos uploaded by older means kept their format.
OLD_FORMS = {"png", "exif", "profile"}


@dataclass(frozen=True)
class Person:
    """
    One account and what its photo is like.

    `photo` is a form for `photo_of`, empty for none, and `face` the seed of the portrait, chosen by
    eye to fit the name; `expected` is the final status; `old_picture` puts files named by UPN into
    SharePoint, as was usual until 2021; `seed` holds further fields for the control API.
    """

    name: str
    upn: str
    why: str
    photo: str = "jpeg"
    face: int = 0
    expected: str = "synced"
    old_picture: bool = False
    seed: Mapping[str, Any] = field(default_factory=dict)


PEOPLE = (
    Person(
        "Anne Keller",
        "anne@contoso.com",
        "an ordinary JPEG",
        face=57,
        seed={"aliases": ["anne.keller@contoso.com"], "otherMails": ["a.keller@contoso.com"]},
    ),
    Person(
        "Bert Xu",
        "bert.x@contoso.com",
        "an old picture, named by UPN",
        face=28,
        old_picture=True,
        seed={"aliases": ["albert.xu@contoso.com"]},
    ),
    Person("Chidi Eze", "chidi@contoso.com", "a PNG with transparent parts", "png", 39),
    Person("Dana Novak", "dana@contoso.com", "upright only by EXIF", "exif", 24),
    Person("Elif Demir", "elif@contoso.com", "a colour profile", "profile", 17),
    Person("Finn Larsen", "finn@contoso.com", "a large photograph", "large", 40),
    Person("Grace O'Neill", "grace.o'neill@contoso.com", "an apostrophe in the UPN", face=65),
    Person(
        "Hugo Silva",
        "hugo@contoso.com",
        "not square",
        "wide",
        face=8,
        seed={"mail": "hugo.silva@contoso.com"},
    ),
    Person("Ines Moreau", "ines@contoso.com", "small, never enlarged", "small", 11),
    Person("Jonas Weber", "jonas@contoso.com", "no photo in Exchange", "", expected="no-photo"),
    Person(
        "Kaya Fields",
        "kaya_fabrikam.com#EXT#@contoso.com",
        "a guest",
        face=35,
        expected="skipped",
        seed={"userType": "Guest"},
    ),
    Person(
        "Lena Brandt",
        "lena@contoso.com",
        "no SharePoint profile yet",
        face=27,
        expected="skipped",
        seed={"profile": None},
    ),
)


def add_users(at: Endpoints, admin: TenantClient) -> list[str]:
    """Add everybody to the tenant without photos; returns their object ids in order of PEOPLE."""
    ids: list[str] = []
    for number, person in enumerate(PEOPLE):
        seed = {"userPrincipalName": person.upn, "displayName": person.name, **person.seed}
        if person.old_picture:
            seed |= _old_picture(at, person, number)
        ids += admin.control("POST", "/users", seed)["ids"]
    return ids


def put_photo(admin: TenantClient, user_id: str, form: str, seed: int) -> None:
    """Change a photo through Graph; a photo in an old format is not converted."""
    admin.control("POST", "/switches", {"reencode": form not in OLD_FORMS})
    admin.put_photo(user_id, *photo_of(form, seed))


def _old_picture(at: Endpoints, person: Person, number: int) -> dict[str, Any]:
    family = re.sub(r"[@.]", "_", person.upn)
    content, _ = photo_of("jpeg", seed=number + 100)
    picture = base64.b64encode(content).decode()
    folder = f"{at.sharepoint_my}/User%20Photos/Profile%20Pictures"
    return {
        "profile": {"PictureURL": f"{folder}/{family}_MThumb.jpg"},
        "files": {f"{family}_{size}Thumb.jpg": picture for size in "SML"},
    }


def photo_of(form: str, seed: int) -> tuple[bytes, str]:
    """An invented person's photo in the format *form*, and its media type."""
    match form:
        case "png":
            return photo_files.png_cut_out(portrait(seed)), "image/png"
        case "exif":
            content = photo_files.jpeg_upright_by_exif(portrait(seed))
        case "profile":
            content = photo_files.jpeg_with_wide_colours(portrait(seed))
        case "large":
            content = photo_files.jpeg(photo_files.photograph(seed))
        case "wide":
            content = photo_files.jpeg(photo_files.photograph(seed, 640, 400))
        case "small":
            content = photo_files.jpeg(portrait(seed, 96))
        case _:
            content = photo_files.jpeg(portrait(seed))
    return content, "image/jpeg"
