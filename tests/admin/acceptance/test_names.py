"""acceptance.json has no names or ids, so it may be attached to a bug report."""

from __future__ import annotations

import re

import pytest

from admin.acceptance.scrub import GONE, Scrub
from tests.admin.acceptance.conftest import OTHER, USER, fault
from tests.local.m365.simulator import ADMIN_APP, TENANT_ID

_GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJ4In0.c2lnbmF0dXJl"
_ETAG = f'W/"{"3F" * 32}"'


def test_document_has_no_names(acceptance, tenant, anne, bert, tmp_path):
    """No UPN, name, id, host, etag or token, even if a service quotes them in an error."""
    urls = tenant.tenant.urls
    quoted = (
        f"Keller, Anne 李明的 {anne.user_principal_name} {anne.id.upper()} {TENANT_ID} "
        f"{urls.my}/personal/anne contoso-my.sharepoint.com {_TOKEN} {_ETAG} CN={anne.display_name}"
    )
    bert.display_name = "李明"
    for path in ("GetFolderByServerRelativePath", "GetPropertiesFor"):
        fault(tenant, service="sharepoint", path=path, next=1, fault="400", message=quoted)

    result = acceptance("--unlicensed", OTHER, "--yes", "--json", USER)
    text = (tmp_path / "acceptance.json").read_text("utf-8")

    assert GONE in text
    held = tenant.tenant.picture_folder.files.values()
    assert anne.photo
    names = [
        *("keller", "李明"),
        *(anne.user_principal_name, anne.display_name, anne.id, USER.partition("@")[0]),
        *(bert.user_principal_name, bert.id, "contoso", TENANT_ID, ADMIN_APP),
        *("localhost", "sharepoint.com", _TOKEN, _ETAG, anne.photo.etag),
        *(file.etag for file in held),
        *(url.removeprefix("https://") for url in (urls.my, urls.admin, urls.graph, urls.login)),
    ]
    for found in (text, result.out):
        assert [name for name in names if name.casefold() in found.casefold()] == []
        for form in (_GUID, r"@\w", "eyJ", "https?:", r"\b[0-9a-f]{24,}\b"):
            assert re.findall(form, found, re.IGNORECASE) == [], form


@pytest.mark.parametrize(
    "name",
    [
        *("anne@contoso.com", "o'brien+x@fabrikam.example", "https://a.example/x?code=1"),
        *("contoso-my.sharepoint.com:443", "fabrikam.sharepoint.us", "localhost:8443"),
        *(TENANT_ID, TENANT_ID.upper(), f"{{{TENANT_ID}}}", _TOKEN, _ETAG, "a" * 64),
        *(f'"{{{TENANT_ID}}},3"', "Anne Keller", "anne keller", "contosoeur"),
        "李明",
    ],
)
def test_scrub(name: str):
    """Known names, and what looks like one, are removed; other words stay."""
    scrub = Scrub(["Anne Keller", "contosoeur", "ab", "李明"])

    assert scrub(f"seen {name} there, ab 403 Microsoft.SharePoint.SPException") == (
        f"seen {GONE} there, ab 403 Microsoft.SharePoint.SPException"
    )
