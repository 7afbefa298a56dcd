"""
Draining, which is how Azure takes an instance out of service: no new work, what runs may end.

Documented: Azure/azure-functions-host, HostController.cs and DrainModeStatus.cs. Listeners stop,
HTTP is answered still, and the host goes on until somebody stops it.
"""

from typing import Any

from local.host.invocations import Invocations
from local.host.listeners import Listeners


class Drain:
    """Whether this host drains, and how far it is."""

    def __init__(self, listeners: Listeners, invocations: Invocations) -> None:
        self._listeners = listeners
        self._invocations = invocations
        self._begun = False

    def begin(self) -> None:
        """Take no message and no tick from now on."""
        self._begun = True
        self._listeners.drain()

    def status(self) -> dict[str, Any]:
        """As /admin/host/drain/status tells it."""
        running = self._invocations.running
        state = "Disabled"
        if self._begun:
            state = "InProgress" if running else "Completed"
        return {"state": state, "outstandingInvocations": running, "outstandingRetries": 0}
