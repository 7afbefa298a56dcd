"""Rules of the library `User Photos` on a -my host: folders, files, bytes."""

from __future__ import annotations

import hashlib
from urllib.parse import unquote

from local.m365.sharepoint import names
from local.m365.sharepoint.errors import (
    bad_request,
    changed_since,
    file_exists,
    no_such_file,
    no_such_folder,
    outside_the_web,
    too_many_files,
)
from local.m365.tenant.geo import Geo
from local.m365.tenant.records import File, Folder
from local.m365.tenant.tenant import Tenant

FORMS = "Forms"
LARGEST_LIST = 5000
# Assumed: paths of other site collections on the same host start with these.
_OTHER_WEBS = ("/personal/", "/sites/", "/teams/")


def server_relative(path: str, *, encoded: bool) -> str:
    """
    The path that a literal means, or 400 if it is outside this web.

    Documented: the `decodedurl` forms take `%` and `#` literally, the older `url` forms decode
        percent escapes once more (SharePoint's support for % and # in names).
    Recorded: a path outside the web is 400 System.ArgumentException.
    Assumed: which paths are outside; a path without a leading slash counts as outside.
    """
    literal = (decoded(path) if encoded else path).rstrip("/")
    parts = literal.split("/")
    if not literal.startswith("/") or ".." in parts or literal.lower().startswith(_OTHER_WEBS):
        raise outside_the_web(literal)
    return literal


def decoded(text: str) -> str:
    """The meaning of a literal in the older `url` forms."""
    return unquote(text)


def folder_at(geo: Geo, path: str) -> Folder:
    folder = geo.folder(path)
    if folder is None:
        raise no_such_folder()
    return folder


def folders_in(geo: Geo, path: str) -> list[Folder]:
    """The folders directly below *path* (the web, if empty), including `Forms`."""
    parent = folder_at(geo, path).path.casefold() if path else ""
    inside = (f for key, f in geo.folders.items() if key.rpartition("/")[0] == parent)
    return sorted(inside, key=lambda folder: folder.name.casefold())


def file_at(geo: Geo, path: str) -> tuple[Folder, File]:
    """The file at *path*. Recorded: 404 with SPException, also if its folder is missing."""
    parent, _, name = path.rpartition("/")
    folder = geo.folder(parent)
    file = folder.files.get(name.casefold()) if folder else None
    if folder is None or file is None:
        raise no_such_file(path)
    return folder, file


def upload(tenant: Tenant, folder: Folder, name: str, content: bytes, *, overwrite: bool) -> File:
    """
    Store *content* byte for byte; it is not inspected, and may be empty.

    Recorded: the answer is the SP.File. Assumed: an existing name without overwrite is 400; the
    unique id stays and the version increases when a file is overwritten; nothing can be added to
    `Forms`, which contains the library's views.
    """
    if problem := names.problem(folder.path, name):
        raise bad_request(problem)
    if folder.name == FORMS:
        raise bad_request("Files cannot be added to the folder Forms.")
    now, old = tenant.now(), folder.files.get(name.casefold())
    if old is not None and not overwrite:
        raise file_exists(name)
    unique_id = old.unique_id if old else tenant.new_id()
    version = old.version + 1 if old else 1
    file = File(
        name=old.name if old else name,
        content=content,
        etag=f'"{{{unique_id.upper()}}},{version}"',
        created=old.created if old else now,
        modified=now,
        unique_id=unique_id,
        version=version,
    )
    folder.files[name.casefold()] = file
    return file


def processed(tenant: Tenant, file: File) -> None:
    """Reported, by switch: the service's later processing of a picture changes its ETag."""
    if tenant.switches.etags_move:
        file.etag = file.etag.removesuffix('"') + '0"'


def listed(folder: Folder) -> list[File]:
    """All files of *folder*. Reported: a folder of more than 5,000 cannot be listed."""
    if len(folder.files) > LARGEST_LIST:
        raise too_many_files()
    return sorted(folder.files.values(), key=lambda file: file.name.casefold())


def delete(geo: Geo, path: str, if_match: str | None) -> None:
    """Recorded: POST with X-HTTP-Method DELETE and `If-Match: *`. Assumed: If-Match is optional."""
    folder, file = file_at(geo, path)
    if if_match not in (None, "*", file.etag):
        raise changed_since(file.name)
    del folder.files[file.name.casefold()]


def recycle(tenant: Tenant, geo: Geo, path: str) -> str:
    """Recorded: the answer is the GUID of the recycle-bin item. The bin itself is not simulated."""
    folder, file = file_at(geo, path)
    del folder.files[file.name.casefold()]
    return tenant.new_id()


def content_tag(file: File) -> str:
    return hashlib.sha256(file.content).hexdigest()
