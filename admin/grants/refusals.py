"""What to tell an admin who may not do something: which role it takes, and how to come by it."""

from __future__ import annotations

from admin.grants.wanted import GRAPH, Service

# A token keeps the roles of the moment it was made, and the Azure CLI keeps the token.
_AGAIN = "activate it, sign in again (az logout, az login), and repeat the command."
READING = (
    "Microsoft Graph does not let you read service principals: sign in as a member of the tenant, "
    "or with a token that has Application.Read.All."
)
REGISTERING = (
    "Registering an app takes Application Administrator or Cloud Application Administrator in this "
    f"tenant: {_AGAIN}"
)
KEYS = (
    "Adding a certificate to this app takes its owner, Application Administrator or Cloud "
    f"Application Administrator: {_AGAIN}"
)
CONSOLE = (
    "The console's registration, consent to it, and its roles take Application Administrator, "
    f"Cloud Application Administrator or Global Administrator: {_AGAIN}"
)
PEOPLE = (
    "Finding people and groups by name takes User.ReadBasic.All and GroupMember.Read.All, which an "
    "admin has to consent to: do so when you are asked, or sign in with the Azure CLI."
)
_SITES_BY_CLI = (
    "The Azure CLI's token has no right to sites, whatever your roles are: repeat the command with "
    "--device-code as SharePoint Administrator or Global Administrator, or choose --full-control."
)
_SITES = (
    "A permission on a site takes SharePoint Administrator or Global Administrator, and consent to "
    "Sites.FullControl.All: sign in as one, or choose --full-control."
)


def roles(service: Service) -> str:
    """Documented (graph.md section 8): Graph's own roles take more than those of others."""
    if service == GRAPH:
        return (
            "Granting app roles of Microsoft Graph takes Privileged Role Administrator or Global "
            f"Administrator: {_AGAIN}"
        )
    return (
        f"Granting app roles of {service.name} takes Privileged Role Administrator, Application "
        f"Administrator, Cloud Application Administrator or Global Administrator: {_AGAIN}"
    )


def sites(*, device_code: bool) -> str:
    """Reported (graph.md section 9): the Azure CLI's token never has the scope."""
    return _SITES if device_code else _SITES_BY_CLI
