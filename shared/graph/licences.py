"""How many licences that include SharePoint the organization has bought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.graph.errors import code_and_message
from shared.graph.groups import listed
from shared.microsoft365.http import Http
from shared.microsoft365.reply import fault

# Prefix of the service plans. The plan of the web apps is also in other licences (graph.md section
# 11), so it does not count.
_SHAREPOINT, _NO_SHAREPOINT = "SHAREPOINT", "SHAREPOINTWAC"
_PATH = "/v1.0/subscribedSkus?$select=appliesTo,prepaidUnits,servicePlans"


class Licences:
    """Reads the organization's licences, if this app has the role for it."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def count(self) -> int | None:
        """
        The number of user licences that are not suspended; None if this app may not read them.

        Reading them takes LicenseAssignment.Read.All or Organization.Read.All, which PhotoSync does
        not request. Raises Throttled, ServiceDown, Refused.
        """
        reply = self._http.send("GET", _PATH)
        if reply.status in {401, 403}:
            return None
        if not reply.ok:
            raise fault(reply, *code_and_message(reply))
        return reply.read(lambda fields: sum(map(_units, listed(fields))))


def _units(sku: Mapping[str, Any]) -> int:
    names = {str(plan["servicePlanName"]).upper() for plan in sku["servicePlans"]}
    holds = any(name.startswith(_SHAREPOINT) for name in names - {_NO_SHAREPOINT})
    is_users = sku["appliesTo"] == "User"
    return max(0, int(sku["prepaidUnits"]["enabled"])) if holds and is_users else 0
