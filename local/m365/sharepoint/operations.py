"""Every REST operation of the hosts: its methods, the roles it needs, its effect."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from local.m365.sharepoint import addresses, entities, files, folders, profiles
from local.m365.sharepoint.addresses import FILE, FOLDER, LIST
from local.m365.sharepoint.errors import (
    SharePointError,
    bad_request,
    changed_since,
    no_such_file,
    no_such_folder,
    no_such_list,
    unknown_resource,
)
from local.m365.sharepoint.paths import Call
from local.m365.sharepoint.wire import Answer, Binary, Collection, Empty, Entity, Scalar
from local.m365.tenant.geo import Geo
from local.m365.tenant.records import Folder
from local.m365.tenant.tenant import Tenant

# From facts/sharepoint.md section 4 (Documented; that either role allows reading is Assumed).
ANY_TOKEN = "any token"
PROFILE_READ = "profile read"
PROFILE_WRITE = "profile write"
FILE_READ = "file read"
FILE_WRITE = "file write"

_PEOPLE = "sp.userprofiles.peoplemanager"


@dataclass(frozen=True)
class ApiRequest:
    """One request, independent of HTTP: host, address, and body."""

    tenant: Tenant
    geo: Geo
    kind: str  # of the host: my, admin or root
    base: str
    calls: tuple[Call, ...]
    body: bytes
    if_match: str | None
    content_type: str = ""

    def require_library(self, error: SharePointError) -> None:
        """Raise *error* on hosts without a library: only -my has one (section 1)."""
        if self.kind != "my":
            raise error

    def folder(self) -> Folder:
        path = addresses.path(self.calls)
        self.require_library(no_such_folder())
        return files.folder_at(self.geo, path)

    def parent(self) -> str:
        """The path of the folder whose content is meant; empty for the web's root."""
        return self.folder().path if addresses.path(self.calls) else ""

    def texts(self, *names: str) -> list[str]:
        """
        The members *names* of the body.

        Documented (SharePoint's REST service): a JSON body needs a JSON content type. Assumed: 400
        without it.
        """
        values = self._members(*names)
        if not all(isinstance(value, str) for value in values):
            raise bad_request(f"{', '.join(names)} must be text.")
        return values

    def list_of_texts(self, name: str) -> list[str]:
        [values] = self._members(name)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise bad_request(f"{name} must be a list of texts.")
        return values

    def _members(self, *names: str) -> list[Any]:
        if not self.content_type.lower().startswith("application/json"):
            raise bad_request("The Content-Type of the body must be application/json.")
        try:
            body = json.loads(self.body)
            return [body[name] for name in names]
        except (ValueError, KeyError, TypeError) as error:
            raise bad_request(f"The body needs {', '.join(names)}.") from error

    def account(self) -> str:
        return self.calls[1].text("accountname")


@dataclass(frozen=True)
class Operation:
    methods: tuple[str, ...]
    needs: str
    answer: Callable[[ApiRequest], Answer]


def find(calls: tuple[Call, ...], method: str) -> list[Operation]:
    """The operations on the resource that *calls* address; 404 if there are none."""
    found = _OPERATIONS.get(addresses.names(calls))
    if found is None:
        raise unknown_resource()
    return [operation for operation in found if method in operation.methods]


def _context(request: ApiRequest) -> Answer:
    return entities.context_entity(request.tenant, request.base)


def _web(request: ApiRequest) -> Answer:
    return entities.web_entity(request.base, request.kind)


def _folder(request: ApiRequest) -> Answer:
    return entities.folder_entity(request.base, request.geo, request.folder())


def _folders(request: ApiRequest) -> Answer:
    if request.kind != "my" and not addresses.path(request.calls):
        return Collection([])
    inside = files.folders_in(request.geo, request.parent())
    return Collection([entities.folder_entity(request.base, request.geo, each) for each in inside])


def _files(request: ApiRequest) -> Answer:
    return entities.files_of(request.base, request.folder())


def _add_folder(request: ApiRequest) -> Answer:
    """
    Create a folder.

    Documented: POST with an SP.Folder whose ServerRelativeUrl names the new one; `add` and
        `AddUsingPath` on a folder's folders, `AddSubFolderUsingPath` on the folder.
    Assumed: 201 for the entity, 200 for the functions.
    """
    call, parent = request.calls[-1], request.parent()
    if call.name == "folders":
        [given] = request.texts("ServerRelativeUrl")
    else:
        given = call.text("url" if call.name == "add" else "decodedurl")
    absolute = given if given.startswith("/") else f"{parent}/{given}"
    path = files.server_relative(absolute, encoded=call.name == "add")
    folder = folders.add(request.tenant, request.geo, path)
    made = entities.folder_entity(request.base, request.geo, folder)
    return replace(made, status=201) if call.name == "folders" else made


def _delete_folder(request: ApiRequest) -> Answer:
    folders.delete(request.geo, request.folder())
    return Empty()


def _recycle_folder(request: ApiRequest) -> Answer:
    folders.delete(request.geo, request.folder())
    return Scalar("Recycle", request.tenant.new_id())


def _lists(request: ApiRequest) -> Answer:
    return Collection([_library(request)] if request.kind == "my" else [])


def _list(request: ApiRequest) -> Answer:
    request.require_library(no_such_list())
    library = _library(request)
    if not addresses.is_the_library(request.calls, library.fields["Id"]):
        raise no_such_list()
    return library


def _library(request: ApiRequest) -> Entity:
    return entities.library_entity(request.base, request.geo)


def _add(request: ApiRequest) -> Answer:
    """Recorded for AddUsingPath, Documented for add: the body is the file, whatever its type."""
    call, folder = request.calls[-1], request.folder()
    given = call.text("decodedurl" if call.name == "addusingpath" else "url")
    name = given if call.name == "addusingpath" else files.decoded(given)
    file = files.upload(
        request.tenant, folder, name, request.body, overwrite=call.flag("overwrite")
    )
    answer = entities.file_entity(request.base, folder, file)
    files.processed(request.tenant, file)
    return answer


def _file(request: ApiRequest) -> Answer:
    folder, file = files.file_at(request.geo, _file_path(request))
    return entities.file_entity(request.base, folder, file)


def _content(request: ApiRequest) -> Answer:
    return Binary(files.file_at(request.geo, _file_path(request))[1].content)


def _replace(request: ApiRequest) -> Answer:
    """Documented: PUT of `$value` writes an existing file. Assumed: 204."""
    folder, file = files.file_at(request.geo, _file_path(request))
    if request.if_match not in (None, "*", file.etag):
        raise changed_since(file.name)
    files.upload(request.tenant, folder, file.name, request.body, overwrite=True)
    return Empty(204)


def _delete(request: ApiRequest) -> Answer:
    files.delete(request.geo, _file_path(request), request.if_match)
    return Empty()


def _recycle(request: ApiRequest) -> Answer:
    return Scalar("Recycle", files.recycle(request.tenant, request.geo, _file_path(request)))


def _file_path(request: ApiRequest) -> str:
    path = addresses.path(request.calls)
    request.require_library(no_such_file(path))
    return path


def _profile(request: ApiRequest) -> Answer:
    found = profiles.read(request.tenant, request.geo, request.account())
    if found is None:
        return Scalar("GetPropertiesFor")
    return entities.profile_entity(request.tenant, *found)


def _profile_property(request: ApiRequest) -> Answer:
    found = profiles.read(request.tenant, request.geo, request.account())
    values = profiles.properties(*found) if found else {}
    wanted = request.calls[1].text("propertyname").lower()
    value = next((v for k, v in values.items() if k.lower() == wanted), None)
    return Scalar("GetUserProfilePropertyFor", value)


def _set_property(request: ApiRequest) -> Answer:
    """Recorded: one property a call, and null as the answer (facts/sharepoint.md section 3)."""
    account, name, value = request.texts("accountName", "propertyName", "propertyValue")
    profiles.write(request.tenant, request.geo, account, name, value)
    return Scalar("SetSingleValueProfileProperty")


def _set_values(request: ApiRequest) -> Answer:
    """Documented: the values of a multi-valued property. Assumed: they are stored joined by `|`."""
    account, name = request.texts("accountName", "propertyName")
    values = request.list_of_texts("propertyValues")
    profiles.write(request.tenant, request.geo, account, name, "|".join(values))
    return Scalar("SetMultiValuedProfileProperty")


def _both(needs: str, answer: Callable[[ApiRequest], Answer]) -> list[Operation]:
    # Measured: the independent client reads by POST with an empty body.
    return [Operation(("GET", "POST"), needs, answer)]


def _post(needs: str, answer: Callable[[ApiRequest], Answer]) -> list[Operation]:
    return [Operation(("POST",), needs, answer)]


def _recycling(answer: Callable[[ApiRequest], Answer]) -> list[Operation]:
    # From a tool's source: it deletes by X-HTTP-Method.
    return [Operation(("POST", "DELETE"), FILE_WRITE, answer)]


_FOLDERS = [
    Operation(("GET",), FILE_READ, _folders),
    Operation(("POST",), FILE_WRITE, _add_folder),
]
_OPERATIONS: dict[tuple[str, ...], list[Operation]] = {
    ("contextinfo",): _post(ANY_TOKEN, _context),
    ("web",): _both(FILE_READ, _web),
    ("web", "lists"): _both(FILE_READ, _lists),
    ("web", LIST): _both(FILE_READ, _list),
    ("web", "folders"): _FOLDERS,
    ("web", "folders", "add"): _post(FILE_WRITE, _add_folder),
    ("web", "folders", "addusingpath"): _post(FILE_WRITE, _add_folder),
    ("web", FOLDER): [
        *_both(FILE_READ, _folder),
        Operation(("DELETE",), FILE_WRITE, _delete_folder),
    ],
    ("web", FOLDER, "recycle"): _recycling(_recycle_folder),
    ("web", FOLDER, "addsubfolderusingpath"): _post(FILE_WRITE, _add_folder),
    ("web", FOLDER, "folders"): _FOLDERS,
    ("web", FOLDER, "folders", "add"): _post(FILE_WRITE, _add_folder),
    ("web", FOLDER, "folders", "addusingpath"): _post(FILE_WRITE, _add_folder),
    ("web", FOLDER, "files"): _both(FILE_READ, _files),
    ("web", FOLDER, "files", "add"): _post(FILE_WRITE, _add),
    ("web", FOLDER, "files", "addusingpath"): _post(FILE_WRITE, _add),
    ("web", FILE): [
        *_both(FILE_READ, _file),
        Operation(("DELETE",), FILE_WRITE, _delete),
    ],
    ("web", FILE, "$value"): [
        *_both(FILE_READ, _content),
        Operation(("PUT",), FILE_WRITE, _replace),
    ],
    ("web", FILE, "recycle"): _recycling(_recycle),
    (_PEOPLE, "getpropertiesfor"): _both(PROFILE_READ, _profile),
    (_PEOPLE, "getuserprofilepropertyfor"): _both(PROFILE_READ, _profile_property),
    (_PEOPLE, "setsinglevalueprofileproperty"): _post(PROFILE_WRITE, _set_property),
    (_PEOPLE, "setmultivaluedprofileproperty"): _post(PROFILE_WRITE, _set_values),
}
