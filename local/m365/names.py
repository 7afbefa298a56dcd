"""The real names of the tenant's hosts: which of them plays a name, and one port for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from local.m365.tenant.tenant import Tenant


def host_called(tenant: Tenant, hosts: Iterable[str], name: str) -> str | None:
    """
    Which of *hosts* (`graph`, `my`, `contosoeur-my`) is called *name*; None for a stranger.

    A renamed tenant's former names lead to the same hosts.
    """
    cloud = tenant.cloud
    found = {cloud.login: "login", cloud.graph: "graph"}
    for begins in (tenant.sharepoint_name, *tenant.former_names):
        for end, host in (("-my", "my"), ("-admin", "admin"), ("", "root")):
            found[f"{begins}{end}.{cloud.sharepoint}"] = host
    # Those of satellites are called as they are played.
    found |= {f"{host}.{cloud.sharepoint}": host for host in hosts if "-" in host}
    return found.get(name.lower())


class ByName:
    """
    All hosts behind one port, told apart by the request's Host, for who comes without a proxy.

    A name that is none of the tenant's is 421, as HTTP has it for a server of other hosts.
    """

    def __init__(self, tenant: Tenant, apps: Mapping[str, ASGIApp]) -> None:
        self._tenant = tenant
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = Headers(scope=scope).get("host", "").partition(":")[0]
        host = host_called(self._tenant, self._apps, name)
        app = PlainTextResponse("No such host.", 421) if host is None else self._apps[host]
        await app(scope, receive, send)
