"""The name that SharePoint's hosts begin with, and a tenant that gets another one."""

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
    """*urls* with the real names of SharePoint's hosts, which begin with *name*, in *cloud*."""
    kinds = ("-my", "-admin", "")
    my, admin, root = (f"https://{name}{kind}.{cloud.sharepoint}" for kind in kinds)
    return replace(urls, my=my, admin=admin, root=root)


def rename(tenant: Tenant, name: str, picture_urls: str) -> None:
    """
    Give the tenant's SharePoint another *name*, or ValueError.

    Documented: a tenant with several geographies cannot be renamed; addresses of before redirect
        (facts/sharepoint.md section 10). Assumed: sites, files and grants are the same ones.
    Unknown: what PictureURL says afterwards; *picture_urls* tells whether it is rewritten.
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
