"""How many licences with SharePoint in them the organization has bought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.graph.errors import said
from shared.graph.groups import listed
from shared.microsoft365.http import Http
from shared.microsoft365.reply import fault

# Names of service plans, without the web apps', which is in others, too (graph.md section 11).
_SHAREPOINT, _NO_SHAREPOINT = "SHAREPOINT", "SHAREPOINTWAC"
_PATH = "/v1.0/subscribedSkus?$select=appliesTo,prepaidUnits,servicePlans"


class Licences:
    """What Graph tells whoever may ask."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def count(self) -> int | None:
        """
        Licences of users that are not suspended; None where Graph does not tell this app.

        It takes LicenseAssignment.Read.All or Organization.Read.All, which PhotoSync does not ask
        for. Raises Throttled, ServiceDown, Refused.
        """
        reply = self._http.send("GET", _PATH)
        if reply.status in {401, 403}:
            return None
        if not reply.ok:
            raise fault(reply, *said(reply))
        return reply.read(lambda fields: sum(map(_units, listed(fields))))


def _units(sku: Mapping[str, Any]) -> int:
    names = {str(plan["servicePlanName"]).upper() for plan in sku["servicePlans"]}
    holds = any(name.startswith(_SHAREPOINT) for name in names - {_NO_SHAREPOINT})
    is_users = sku["appliesTo"] == "User"
    return max(0, int(sku["prepaidUnits"]["enabled"])) if holds and is_users else 0
