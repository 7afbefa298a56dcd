"""
Reads and writes picture files and profile properties in SharePoint Online.

Two hosts: files are on the My Site host (`TENANT-my`), profiles on the admin host (`TENANT-admin`).
Facts: sharepoint.md section 3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from shared import stopwatch
from shared.errors import NoPhoto, NoProfile, Refused, ServiceDown
from shared.microsoft365 import pages
from shared.microsoft365.http import Http
from shared.sharepoint.account import account_name
from shared.sharepoint.errors import NO_PROFILE, file_fault, is_odata_null, profile_fault
from shared.sharepoint.form_digest import FormDigest
from shared.sharepoint.several_properties import SeveralProperties
from shared.user import User, is_object_id, is_upn
from shared.written_file import WrittenFile

PICTURE_LIBRARY = "/User Photos"

_JSON = {"Accept": "application/json;odata=nometadata"}
_PEOPLE = "/_api/SP.UserProfiles.PeopleManager"
_OTHER_USERS_PROFILE = (
    "SharePoint's profile with this user's name still belongs to another user. A new user "
    "principal name takes hours to reach SharePoint. Sweeps check again once a day."
)
# The host where the user's personal site is or would be: a field beside the profile properties.
PERSONAL_HOST = "PersonalSiteHostUrl"
OBJECT_ID = "msOnline-ObjectId"


class FileVersion(NamedTuple):
    """A file's metadata from SharePoint; `etag` is empty if SharePoint does not return one."""

    etag: str
    length: int


class SharePointClient:
    """
    Errors of every call: Throttled, ServiceDown, AccessDenied, Refused; NoProfile for calls about a
    profile. Writes call *before_write* right before each request; it may raise (ClaimLost).
    """

    def __init__(
        self,
        files: Http,
        profiles: Http,
        *,
        contexts: Http | None = None,
        ticks: Callable[[], float] = stopwatch.ticks,
    ) -> None:
        """*contexts* is for non-profile calls to the admin host; *profiles* if not given."""
        self._files = files
        self._profiles = profiles
        digest = FormDigest(contexts or profiles, ticks)
        self._several = SeveralProperties(profiles, digest, self.set_property, ticks)

    def profile(self, user: User) -> Mapping[str, str]:
        """
        All properties of the user's profile, including PERSONAL_HOST.

        Raises NoProfile, also if that name still belongs to another user's profile. That may last
        for hours after renames, and the picture would go to the wrong person (sharepoint.md section
        3).
        """
        if not is_upn(user.user_principal_name):
            # A person may have typed it into a state, and no URL can carry half a surrogate pair.
            raise NoProfile(NO_PROFILE)
        account = _literal(account_name(user.user_principal_name))
        path = f"{_PEOPLE}/GetPropertiesFor(accountName=@v)?@v={account}"
        reply = self._profiles.send("GET", path, headers=_JSON)
        if not reply.ok:
            raise profile_fault(reply)
        # A missing profile reads as null (sharepoint.md section 3, inferred).
        if reply.json() is None or is_odata_null(reply.body):
            raise NoProfile(NO_PROFILE)
        profile = reply.read(_properties)
        owner = profile.get(OBJECT_ID, "").casefold()
        # The property is empty in some profiles (section 3, seen).
        if is_object_id(owner) and owner != user.id.casefold():
            raise NoProfile(_OTHER_USERS_PROFILE)
        return profile

    def set_property(
        self, upn: str, name: str, value: str, *, before_write: Callable[[], None]
    ) -> None:
        """Write one profile property. Raises NoProfile."""
        body = {"accountName": account_name(upn), "propertyName": name, "propertyValue": value}
        reply = self._profiles.send(
            "POST",
            f"{_PEOPLE}/SetSingleValueProfileProperty",
            headers={**_JSON, "Content-Type": "application/json;odata=nometadata"},
            body=json.dumps(body).encode(),
            before_write=before_write,
        )
        if not reply.ok:
            raise profile_fault(reply)
        # A proxy may return a page with 200, and then nothing was written.
        reply.json()

    def set_properties(
        self, upn: str, changes: Mapping[str, str], *, before_write: Callable[[], None]
    ) -> None:
        """
        Write profile properties in order, in one request if SharePoint accepts that.

        Raises NoProfile; after that, as after any error, some of them may be written.
        """
        self._several.write(upn, changes, before_write=before_write)

    def upload(
        self, folder: str, name: str, content: bytes, *, before_write: Callable[[], None]
    ) -> WrittenFile:
        """
        Upload *content* to the picture library's *folder* as *name*, replacing an existing file.

        Returns the file with SharePoint's ETag. `file` will find the same, unless somebody else has
        written since, or SharePoint has changed the ETag by itself.
        """
        path = _literal(f"{PICTURE_LIBRARY}/{folder}")
        reply = self._files.send(
            "POST",
            f"/_api/web/GetFolderByServerRelativePath(decodedurl={path})"
            f"/Files/AddUsingPath(decodedurl={_literal(name)},overwrite=true)",
            headers={**_JSON, "Content-Type": "application/octet-stream"},
            body=content,
            before_write=before_write,
        )
        if reply.status == 404:
            raise Refused(
                f"There is no folder {PICTURE_LIBRARY}/{folder} on the My Site host: "
                "check PICTURE_FOLDER."
            )
        if not reply.ok:
            raise file_fault(reply)
        stored = reply.read(lambda file: _version({"Length": len(content), **file}))
        if stored.length != len(content):
            sentence = f"SharePoint stored only {stored.length} of {len(content)} bytes of {name}."
            raise ServiceDown(sentence, service="sharepoint")
        return WrittenFile.of(content, stored.etag)

    def file(self, folder: str, name: str) -> FileVersion | None:
        """The metadata of a picture file, None if it does not exist."""
        # One call per file: a folder with more than 5,000 files cannot be listed, filtered or not,
        # and pictures of 100,000 users are 300,000 files (sharepoint.md section 3, reported).
        path = _literal(f"{PICTURE_LIBRARY}/{folder}/{name}")
        reply = self._files.send(
            "GET",
            f"/_api/web/GetFileByServerRelativePath(decodedurl={path})?$select=ETag,Length",
            headers=_JSON,
        )
        if reply.status == 404:
            return None
        if not reply.ok:
            raise file_fault(reply)
        return reply.read(_version)

    def recycle(self, folder: str, name: str, *, before_write: Callable[[], None]) -> None:
        """Move a picture file to the recycle bin; does nothing if it is already gone."""
        path = _literal(f"{PICTURE_LIBRARY}/{folder}/{name}")
        reply = self._files.send(
            "POST",
            f"/_api/web/GetFileByServerRelativePath(decodedurl={path})/recycle()",
            headers=_JSON,
            before_write=before_write,
        )
        if not reply.ok and reply.status != 404:
            raise file_fault(reply)

    def picture(self, folder: str, name: str) -> bytes:
        """The bytes of a picture file. Raises NoPhoto if it does not exist."""
        return self.content("", f"{PICTURE_LIBRARY}/{folder}/{name}")

    def content(self, site: str, path: str) -> bytes:
        """
        The bytes of the file at *path* on the My Site host, in *site*, such as `/personal/anne`,
        empty for the root site. SharePoint refuses a path outside the site. Raises NoPhoto if the
        file does not exist.
        """
        reply = self._files.send(
            "GET",
            f"{quote(site)}/_api/web/GetFileByServerRelativePath(decodedurl={_literal(path)})/$value",
        )
        if reply.status == 404:
            folder, _, name = path.rpartition("/")
            raise NoPhoto(f"There is no file {name} in {folder} in SharePoint.")
        if not reply.ok:
            raise file_fault(reply)
        return reply.body

    def picture_folders(self) -> list[str]:
        """Names of the picture library's folders, without `Forms`. Also raises EndlessList."""
        path = _literal(PICTURE_LIBRARY)
        first = f"/_api/web/GetFolderByServerRelativePath(decodedurl={path})/Folders?$select=Name"
        read = pages.follow(first, self._folders, of="folders")
        return [name for page in read for name in page if name.casefold() != "forms"]

    def _folders(self, path: str) -> tuple[list[str], str]:
        reply = self._files.send("GET", path, headers=_JSON)
        if not reply.ok:
            raise file_fault(reply)
        names = reply.read(lambda fields: [str(item["Name"]) for item in fields["value"]])
        # The field's name with nometadata (sharepoint.md section 3, reported for lists).
        return names, self._files.path_of(str(reply.json().get("odata.nextLink") or ""))


def _version(file: Mapping[str, Any]) -> FileVersion:
    return FileVersion(str(file.get("ETag") or ""), int(file["Length"]))


def _properties(profile: Any) -> dict[str, str]:
    properties = {
        item["Key"]: str(item["Value"] or "") for item in profile["UserProfileProperties"]
    }
    return {**properties, PERSONAL_HOST: str(profile.get(PERSONAL_HOST) or "")}


def _literal(text: str) -> str:
    """An OData string literal in a URL: quotes doubled, then percent-encoded."""
    return "'" + quote(text.replace("'", "''"), safe="") + "'"
