"""Microsoft 365's endpoints in each national cloud (facts: graph.md section 6, documented)."""

from __future__ import annotations

from typing import NamedTuple


class Cloud(NamedTuple):
    """Base URLs without a trailing slash, and the suffix of every SharePoint host name."""

    login_url: str
    graph_url: str
    sharepoint_suffix: str


CLOUDS = {
    "global": Cloud(
        "https://login.microsoftonline.com", "https://graph.microsoft.com", "sharepoint.com"
    ),
    "usgov": Cloud(
        "https://login.microsoftonline.us", "https://graph.microsoft.us", "sharepoint.us"
    ),
    "dod": Cloud(
        "https://login.microsoftonline.us", "https://dod-graph.microsoft.us", "sharepoint-mil.us"
    ),
    "china": Cloud(
        "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn", "sharepoint.cn"
    ),
}
