"""The tenant's switches in the control API: camelCase names, values checked by type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from local.m365.graph.batch import ALPHABETS
from local.m365.graph.query import FORMS
from local.m365.tenant.tenant import Tenant

_ALLOWED: dict[str, tuple[Any, ...]] = {
    "answers": ("sized", "chunked", "gzip"),
    "missing_photo": ("404", "1x1"),
    "missing_photo_code": ("ErrorEntityNotFound", "ImageNotFound"),
    "list_pages": FORMS,
    "member_cast": ("documented", "reported"),
    "subscriptions_listed": ("all", "none", "empty"),
    "missing_profile": ("odata.null", "404", "500"),
    "profiles_elsewhere": ("shown", "none"),
    "former_hosts": ("redirect", "gone"),
    "deleted_profile": ("kept", "gone"),
    "pictures_from": ("library", "people service"),
    "csom": ("served", "refused"),
    "csom_counts": ("requests", "methods"),
    "language": ("en-US", "de-DE", "nl-NL"),
    "sharepoint_errors": ("json", "xml", "text", "empty"),
    "mailbox_status": (404, 400),
    "batch_base64": ("mixed", *ALPHABETS),
}


def described(tenant: Tenant) -> dict[str, Any]:
    switches = {
        _camel(field.name): getattr(tenant.switches, field.name)
        for field in fields(tenant.switches)
    }
    lists = {
        name: sorted(value) for name, value in switches.items() if isinstance(value, frozenset)
    }
    return {**switches, **lists, "pictureFolder": tenant.picture_folder.name}


def change(tenant: Tenant, wanted: Mapping[str, Any]) -> None:
    """Set the named switches. Raises ValueError and then sets none."""
    names = {_camel(field.name): field.name for field in fields(tenant.switches)}
    values: dict[str, Any] = {}
    folder = wanted.get("pictureFolder")
    if folder is not None and not (isinstance(folder, str) and folder and "/" not in folder):
        raise ValueError("pictureFolder must be the name of a folder")
    for key, raw in wanted.items():
        if key == "pictureFolder":
            continue
        if key not in names:
            raise ValueError(f"no such switch: {key}")
        values[names[key]] = _read(tenant, names[key], raw)
    for name, value in values.items():
        setattr(tenant.switches, name, value)
    if folder is not None:
        tenant.name_picture_folder(folder)


def _read(tenant: Tenant, name: str, raw: Any) -> Any:
    current = getattr(tenant.switches, name)
    if name in _ALLOWED and raw not in _ALLOWED[name]:
        choices = ", ".join(str(choice) for choice in _ALLOWED[name])
        raise ValueError(f"{_camel(name)} must be one of {choices}")
    if isinstance(current, frozenset):
        if not isinstance(raw, list):
            raise ValueError(f"{_camel(name)} must be a list")
        return frozenset(str(each) for each in raw)
    if isinstance(current, float) and type(raw) is int:
        raw = float(raw)
    if type(raw) is not type(current):
        raise ValueError(f"{_camel(name)} must be a {type(current).__name__}")
    minimum = 1 if name == "notification_batch" else 0
    if isinstance(raw, int | float) and raw < minimum:
        raise ValueError(f"{_camel(name)} must be at least {minimum}")
    return raw


def _camel(name: str) -> str:
    return re.sub(r"_(\w)", lambda match: match[1].upper(), name)
