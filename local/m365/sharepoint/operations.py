"""Every REST operation the hosts know: its methods, the roles it needs, what it does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from local.m365.sharepoint import entities, files, profiles
from local.m365.sharepoint.errors import (
    SharePointError,
    bad_request,
    no_such_file,
    no_such_folder,
    unknown_resource,
)
from local.m365.sharepoint.paths import Call
from local.m365.sharepoint.wire import Answer, Binary, Collection, Empty, Scalar
from local.m365.tenant.geo import Geo
from local.m365.tenant.records import Folder
from local.m365.tenant.tenant import Tenant

# Needs, from facts/sharepoint.md section 4 (Documented; reading with either is Assumed).
ANYBODY = "anybody"
PROFILE_READ = "profile read"
PROFILE_WRITE = "profile write"
FILE_READ = "file read"
FILE_WRITE = "file write"

_FOLDER, _FILE = "folder", "file"
_ADDRESSES = {
    "getfolderbyserverrelativepath": _FOLDER,
    "getfolderbyserverrelativeurl": _FOLDER,
    "getfilebyserverrelativepath": _FILE,
    "getfilebyserverrelativeurl": _FILE,
}
_PEOPLE = "sp.userprofiles.peoplemanager"


@dataclass(frozen=True)
class Asked:
    """One request, after the HTTP of it: where, what, and with which body."""

    tenant: Tenant
    geo: Geo
    kind: str  # of host: my, admin or root
    base: str
    calls: tuple[Call, ...]
    body: bytes
    if_match: str | None
    content_type: str = ""

    def path(self) -> str:
        """The server-relative path that the address in the second call names."""
        call = self.calls[1]
        encoded = call.name.endswith("url")
        return files.server_relative(
            call.text("serverrelativeurl" if encoded else "decodedurl"), encoded=encoded
        )

    def missing(self, error: SharePointError) -> None:
        """Raise *error* on hosts without a library: it is on -my only (section 1)."""
        if self.kind != "my":
            raise error

    def folder(self) -> Folder:
        path = self.path()
        self.missing(no_such_folder())
        return files.folder_at(self.geo, path)

    def account(self) -> str:
        return self.calls[1].text("accountname")


@dataclass(frozen=True)
class Operation:
    methods: tuple[str, ...]
    needs: str
    answer: Callable[[Asked], Answer]


def find(calls: tuple[Call, ...], method: str) -> list[Operation]:
    """The operations on the resource that *calls* address; 404 where there is none."""
    names = tuple(_ADDRESSES.get(call.name, call.name) for call in calls)
    found = _OPERATIONS.get(names)
    if found is None:
        raise unknown_resource()
    return [operation for operation in found if method in operation.methods]


def _context(asked: Asked) -> Answer:
    return entities.context_entity(asked.tenant, asked.base)


def _web(asked: Asked) -> Answer:
    return entities.web_entity(asked.base, asked.kind)


def _folder(asked: Asked) -> Answer:
    return entities.folder_entity(asked.base, asked.geo, asked.folder())


def _folders(asked: Asked) -> Answer:
    inside = files.folders_in(asked.geo, asked.folder().path)
    return Collection([entities.folder_entity(asked.base, asked.geo, each) for each in inside])


def _files(asked: Asked) -> Answer:
    folder = asked.folder()
    inside = files.listed(folder)
    return Collection([entities.file_entity(asked.base, folder, file) for file in inside])


def _add(asked: Asked) -> Answer:
    """Recorded for AddUsingPath, Documented for add: the body is the file, whatever its type."""
    call, folder = asked.calls[3], asked.folder()
    given = call.text("decodedurl" if call.name == "addusingpath" else "url")
    name = given if call.name == "addusingpath" else files.decoded(given)
    file = files.upload(asked.tenant, folder, name, asked.body, overwrite=call.flag("overwrite"))
    answer = entities.file_entity(asked.base, folder, file)
    files.processed(asked.tenant, file)
    return answer


def _file(asked: Asked) -> Answer:
    folder, file = files.file_at(asked.geo, _file_path(asked))
    return entities.file_entity(asked.base, folder, file)


def _content(asked: Asked) -> Answer:
    return Binary(files.file_at(asked.geo, _file_path(asked))[1].content)


def _delete(asked: Asked) -> Answer:
    files.delete(asked.geo, _file_path(asked), asked.if_match)
    return Empty()


def _recycle(asked: Asked) -> Answer:
    return Scalar("Recycle", files.recycle(asked.tenant, asked.geo, _file_path(asked)))


def _file_path(asked: Asked) -> str:
    path = asked.path()
    asked.missing(no_such_file(path))
    return path


def _profile(asked: Asked) -> Answer:
    found = profiles.read(asked.tenant, asked.geo, asked.account())
    if found is None:
        return Scalar("GetPropertiesFor")
    return entities.profile_entity(asked.tenant, *found)


def _profile_property(asked: Asked) -> Answer:
    found = profiles.read(asked.tenant, asked.geo, asked.account())
    values = profiles.properties(*found) if found else {}
    wanted = asked.calls[1].text("propertyname").lower()
    value = next((v for k, v in values.items() if k.lower() == wanted), None)
    return Scalar("GetUserProfilePropertyFor", value)


def _set_property(asked: Asked) -> Answer:
    """
    Recorded: one property a call, answered by null (facts/sharepoint.md section 3).

    Documented (SharePoint's REST service): a JSON body needs a content type that says so.
    Assumed: 400 without it.
    """
    if not asked.content_type.lower().startswith("application/json"):
        raise bad_request("The Content-Type of the body must be application/json.")
    try:
        body = json.loads(asked.body)
        account, name, value = (body[k] for k in ("accountName", "propertyName", "propertyValue"))
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request("The body needs accountName, propertyName, propertyValue.") from error
    if not (isinstance(account, str) and isinstance(name, str) and isinstance(value, str)):
        raise bad_request("accountName, propertyName and propertyValue are strings.")
    profiles.write(asked.tenant, asked.geo, account, name, value)
    return Scalar("SetSingleValueProfileProperty")


def _both(needs: str, answer: Callable[[Asked], Answer]) -> list[Operation]:
    # Measured: the independent client reads by POST with an empty body.
    return [Operation(("GET", "POST"), needs, answer)]


def _post(needs: str, answer: Callable[[Asked], Answer]) -> list[Operation]:
    return [Operation(("POST",), needs, answer)]


_OPERATIONS: dict[tuple[str, ...], list[Operation]] = {
    ("contextinfo",): _post(ANYBODY, _context),
    ("web",): _both(FILE_READ, _web),
    ("web", _FOLDER): _both(FILE_READ, _folder),
    ("web", _FOLDER, "folders"): _both(FILE_READ, _folders),
    ("web", _FOLDER, "files"): _both(FILE_READ, _files),
    ("web", _FOLDER, "files", "add"): _post(FILE_WRITE, _add),
    ("web", _FOLDER, "files", "addusingpath"): _post(FILE_WRITE, _add),
    ("web", _FILE): [
        *_both(FILE_READ, _file),
        Operation(("DELETE",), FILE_WRITE, _delete),
    ],
    ("web", _FILE, "$value"): _both(FILE_READ, _content),
    ("web", _FILE, "recycle"): _post(FILE_WRITE, _recycle),
    (_PEOPLE, "getpropertiesfor"): _both(PROFILE_READ, _profile),
    (_PEOPLE, "getuserprofilepropertyfor"): _both(PROFILE_READ, _profile_property),
    (_PEOPLE, "setsinglevalueprofileproperty"): _post(PROFILE_WRITE, _set_property),
}
