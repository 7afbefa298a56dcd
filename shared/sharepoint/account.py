"""The account name of a user in SharePoint."""

from __future__ import annotations


def account_name(upn: str) -> str:
    """The claims name under which SharePoint knows a cloud user (sharepoint.md section 3)."""
    return f"i:0#.f|membership|{upn}"
