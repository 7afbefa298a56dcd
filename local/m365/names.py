"""The real names of the tenant's hosts: the mapping to simulated hosts, and one port for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from local.m365.tenant.tenant import Tenant


def host_called(tenant: Tenant, hosts: Iterable[str], name: str) -> str | None:
    """
    Which of *hosts* (`graph`, `my`, `contosoeur-my`) has the real *name*; None if unknown.

    A renamed tenant's former names lead to the same hosts.
    """
    cloud = tenant.cloud
    found = dict.fromkeys((cloud.login, *cloud.login_aliases), "login") | {cloud.graph: "graph"}
    for begins in (tenant.sharepoint_name, *tenant.former_names):
        for end, host in (("-my", "my"), ("-admin", "admin"), ("", "root")):
            found[f"{begins}{end}.{cloud.sharepoint}"] = host
    # The real names of satellites start with the simulated ones.
    found |= {f"{host}.{cloud.sharepoint}": host for host in hosts if "-" in host}
    return found.get(name.lower())


class ByName:
    """
    Serves all hosts on one port by the Host header, for clients without a proxy.

    Any other name gets 421, HTTP's status for a request to the wrong server.
    """

    def __init__(self, tenant: Tenant, apps: Mapping[str, ASGIApp]) -> None:
        self._tenant = tenant
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = Headers(scope=scope).get("host", "").partition(":")[0]
        host = host_called(self._tenant, self._apps, name)
        app = PlainTextResponse("No such host.", 421) if host is None else self._apps[host]
        await app(scope, receive, send)
