"""The real names of SharePoint's hosts, and the renaming of a tenant."""

from __future__ import annotations

import re
from dataclasses import replace

from local.m365.tenant.clouds import NationalCloud
from local.m365.tenant.records import Urls
from local.m365.tenant.tenant import Tenant

PICTURE_URLS = ("kept", "rewritten")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_PICTURE = "PictureURL"


def named(urls: Urls, name: str, cloud: NationalCloud) -> Urls:
    """*urls* with the real names of SharePoint's hosts, which start with *name*, in *cloud*."""
    kinds = ("-my", "-admin", "")
    my, admin, root = (f"https://{name}{kind}.{cloud.sharepoint}" for kind in kinds)
    return replace(urls, my=my, admin=admin, root=root)


def rename(tenant: Tenant, name: str, picture_urls: str) -> None:
    """
    Rename the tenant's SharePoint hosts to *name*. Raises ValueError.

    Documented: a tenant with several geographies cannot be renamed; old addresses redirect
        (facts/sharepoint.md section 10). Assumed: sites, files and grants stay the same.
    Unknown: PictureURL after the renaming; *picture_urls* says whether it is rewritten.
    """
    if not tenant.urls.proxy:
        raise ValueError("only hosts with real names can get others: start with realNames")
    if tenant.satellites:
        raise ValueError("a tenant with several geographies cannot be renamed")
    if not _NAME.fullmatch(name) or name == tenant.sharepoint_name:
        raise ValueError("name must be another one such as fabrikam")
    if picture_urls not in PICTURE_URLS:
        raise ValueError(f"pictureUrls must be one of {', '.join(PICTURE_URLS)}")
    before = tenant.urls.my
    tenant.former_names.append(tenant.sharepoint_name)
    tenant.sharepoint_name = name
    tenant.urls = named(tenant.urls, name, tenant.cloud)
    if picture_urls == "rewritten":
        for user in tenant.users.values():
            url = user.profile.properties.get(_PICTURE, "") if user.profile else ""
            if user.profile and url.startswith(before):
                user.profile.properties[_PICTURE] = url.replace(before, tenant.urls.my, 1)
