"""The host names of Microsoft 365 in each national cloud (D, facts/graph.md section 6)."""

from __future__ import annotations

from typing import NamedTuple


class NationalCloud(NamedTuple):
    """
    Host names, the suffix of all SharePoint hosts, other login host names, and the issuer of tokens
    of version 1.
    """

    login: str
    graph: str
    sharepoint: str
    login_aliases: tuple[str, ...]
    issuer: str = "sts.windows.net"


# Assumed: the US clouds share the global issuer, and China has its own.
CLOUDS = {
    "global": NationalCloud(
        "login.microsoftonline.com",
        "graph.microsoft.com",
        "sharepoint.com",
        ("login.windows.net", "login.microsoft.com", "sts.windows.net"),
    ),
    "usgov": NationalCloud(
        "login.microsoftonline.us",
        "graph.microsoft.us",
        "sharepoint.us",
        ("login.usgovcloudapi.net",),
    ),
    "dod": NationalCloud(
        "login.microsoftonline.us",
        "dod-graph.microsoft.us",
        "sharepoint-mil.us",
        ("login.usgovcloudapi.net",),
    ),
    "china": NationalCloud(
        "login.chinacloudapi.cn",
        "microsoftgraph.chinacloudapi.cn",
        "sharepoint.cn",
        ("login.partner.microsoftonline.cn",),
        "sts.chinacloudapi.cn",
    ),
}
