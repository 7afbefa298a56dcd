"""The sentences for an admin who lacks a role: which role is needed, and how to get it."""

from __future__ import annotations

from admin.grants.wanted import GRAPH, Service

# A token has the roles from when it was issued, and the Azure CLI caches the token.
_AGAIN = "activate it, sign in again (az logout, az login), and repeat the command."
READING = (
    "You may not read service principals in Microsoft Graph: sign in as a member of the tenant, "
    "or with a token that has Application.Read.All."
)
REGISTERING = (
    "Registering an app needs Application Administrator or Cloud Application Administrator in this "
    f"tenant: {_AGAIN}"
)
KEYS = (
    "Adding a certificate to this app needs its owner, Application Administrator or Cloud "
    f"Application Administrator: {_AGAIN}"
)
CONSOLE = (
    "The console's registration, its consent and its roles need Application Administrator, "
    f"Cloud Application Administrator or Global Administrator: {_AGAIN}"
)
PEOPLE = (
    "Finding people and groups by name needs User.ReadBasic.All and GroupMember.Read.All with "
    "admin consent: consent when you are asked, or sign in with the Azure CLI."
)
_SITES_BY_CLI = (
    "The Azure CLI's token never has rights on sites: repeat the command with --device-code as "
    "SharePoint Administrator or Global Administrator, or choose --full-control."
)
_SITES = (
    "A permission on a site needs SharePoint Administrator or Global Administrator, and consent to "
    "Sites.FullControl.All: sign in with one of these roles, or choose --full-control."
)


def roles(service: Service) -> str:
    """Documented (graph.md section 8): Graph's app roles need a higher role than others."""
    if service == GRAPH:
        return (
            "Granting app roles of Microsoft Graph needs Privileged Role Administrator or Global "
            f"Administrator: {_AGAIN}"
        )
    return (
        f"Granting app roles of {service.name} needs Privileged Role Administrator, Application "
        f"Administrator, Cloud Application Administrator or Global Administrator: {_AGAIN}"
    )


def sites(*, device_code: bool) -> str:
    """Reported (graph.md section 9): the Azure CLI's token never has the scope."""
    return _SITES if device_code else _SITES_BY_CLI
