"""What Microsoft 365 calls its hosts in each national cloud (D, facts/graph.md section 6)."""

from __future__ import annotations

from typing import NamedTuple


class NationalCloud(NamedTuple):
    """Host names, the end of every SharePoint host's, and who issues tokens of version 1."""

    login: str
    graph: str
    sharepoint: str
    issuer: str = "sts.windows.net"


# Assumed: the issuer of the US clouds is the global one, and China has its own.
CLOUDS = {
    "global": NationalCloud("login.microsoftonline.com", "graph.microsoft.com", "sharepoint.com"),
    "usgov": NationalCloud("login.microsoftonline.us", "graph.microsoft.us", "sharepoint.us"),
    "dod": NationalCloud("login.microsoftonline.us", "dod-graph.microsoft.us", "sharepoint-mil.us"),
    "china": NationalCloud(
        "login.chinacloudapi.cn",
        "microsoftgraph.chinacloudapi.cn",
        "sharepoint.cn",
        "sts.chinacloudapi.cn",
    ),
}
