"""Files, folders, webs and profiles as OData entities."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from local.m365.sharepoint import digests, files, profiles
from local.m365.sharepoint.wire import Collection, Entity
from local.m365.tenant.geo import USER_PHOTOS, Geo
from local.m365.tenant.records import File, Folder, Profile, User
from local.m365.tenant.tenant import Tenant


def file_entity(base: str, folder: Folder, file: File) -> Entity:
    """Recorded: Length is text; the members of SP.File (facts/sharepoint.md section 3)."""
    path = f"{folder.path}/{file.name}"
    fields = {
        "CheckInComment": "",
        "CheckOutType": 2,
        "ContentTag": files.content_tag(file),
        "CustomizedPageStatus": 0,
        "ETag": file.etag,
        "Exists": True,
        "Length": str(len(file.content)),
        "Level": 1,
        "MajorVersion": file.version,
        "MinorVersion": 0,
        "Name": file.name,
        "ServerRelativeUrl": path,
        "TimeCreated": _time(file.created),
        "TimeLastModified": _time(file.modified),
        "Title": None,
        "UIVersion": 512 * file.version,
        "UIVersionLabel": f"{file.version}.0",
        "UniqueId": file.unique_id,
    }
    return Entity("SP.File", fields, _uri(base, "File", path))


def folder_entity(base: str, geo: Geo, folder: Folder) -> Entity:
    fields = {
        "Exists": True,
        "IsWOPIEnabled": False,
        "ItemCount": len(folder.files) + len(files.folders_in(geo, folder.path)),
        "Name": folder.name,
        "ProgID": None,
        "ServerRelativeUrl": folder.path,
        "TimeCreated": _time(folder.created),
        "TimeLastModified": _time(folder.created),
        "UniqueId": folder.unique_id,
        "WelcomePage": "",
    }
    related = {
        "Files": lambda: files_of(base, folder),
        "Folders": lambda: Collection(
            [folder_entity(base, geo, each) for each in files.folders_in(geo, folder.path)]
        ),
    }
    return Entity("SP.Folder", fields, _uri(base, "Folder", folder.path), related=related)


def files_of(base: str, folder: Folder) -> Collection:
    """All files of *folder*, or the refusal for a list that is too long."""
    return Collection([file_entity(base, folder, file) for file in files.listed(folder)])


def library_entity(base: str, geo: Geo) -> Entity:
    """Documented: the members of SP.List, and 109 for a picture library."""
    root = geo.folders[USER_PHOTOS.casefold()]
    within = [each for key, each in geo.folders.items() if key.startswith(USER_PHOTOS.casefold())]
    fields = {
        "BaseTemplate": 109,
        "BaseType": 1,
        "EnableVersioning": False,
        "Hidden": False,
        "Id": root.unique_id,
        "ItemCount": sum(len(each.files) for each in within),
        "Title": USER_PHOTOS.removeprefix("/"),
    }
    related = {"RootFolder": lambda: folder_entity(base, geo, root)}
    uri = f"{base}/_api/Web/Lists(guid'{root.unique_id}')"
    return Entity("SP.List", fields, uri, related=related)


def profile_entity(tenant: Tenant, user: User, profile: Profile) -> Entity:
    """Recorded: the members named in facts/sharepoint.md section 3. The rest is omitted."""
    values = profiles.properties(user, profile)
    personal = values["UserName"].replace("@", "_").replace(".", "_")
    host = user.personal_host or f"{tenant.urls.my}/"
    fields = {
        "AccountName": values["AccountName"],
        "DisplayName": user.display_name,
        "Email": user.mail,
        "PersonalSiteHostUrl": host,
        "PersonalUrl": f"{host}personal/{quote(personal)}/",
        "PictureUrl": profiles.picture_url(profile),
        "Title": values["Title"] or None,
        "UserProfileProperties": Collection([_key_value(k, v) for k, v in values.items()]),
        "UserUrl": f"{tenant.urls.my}/Person.aspx?accountname={quote(values['AccountName'])}",
    }
    return Entity("SP.UserProfiles.PersonProperties", fields)


def web_entity(base: str, kind: str) -> Entity:
    fields = {
        "Language": 1033,
        "ServerRelativeUrl": "/",
        "Title": "My Site Host" if kind == "my" else "contoso",
        "Url": base,
        "WebTemplate": "SPSMSITEHOST" if kind == "my" else "SITEPAGEPUBLISHING",
    }
    return Entity("SP.Web", fields, f"{base}/_api/Web")


def context_entity(tenant: Tenant, base: str) -> Entity:
    """Documented: these members, and that the digest is valid for 1,800 seconds."""
    fields = {
        "FormDigestTimeoutSeconds": int(digests.LIFE.total_seconds()),
        "FormDigestValue": digests.made(base, tenant.now()),
        "LibraryVersion": "16.0.26000.12000",
        "SiteFullUrl": base,
        "WebFullUrl": base,
    }
    return Entity("SP.ContextWebInformation", fields, wrapper="GetContextWebInformation")


def _key_value(key: str, value: str) -> Entity:
    return Entity("SP.KeyValue", {"Key": key, "Value": value, "ValueType": "Edm.String"})


def _uri(base: str, kind: str, path: str) -> str:
    literal = quote(path.replace("'", "''"))
    return f"{base}/_api/Web/Get{kind}ByServerRelativePath(decodedurl='{literal}')"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
