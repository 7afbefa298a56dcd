"""
Draining, with which Azure takes an instance out of service: no new work, running work finishes.

Documented: Azure/azure-functions-host, HostController.cs and DrainModeStatus.cs. Listeners stop,
HTTP is still answered, and the host runs until it is stopped.
"""

from typing import Any

from local.host.invocations import Invocations
from local.host.listeners import Listeners


class Drain:
    """The drain state of this host."""

    def __init__(self, listeners: Listeners, invocations: Invocations) -> None:
        self._listeners = listeners
        self._invocations = invocations
        self._begun = False

    def begin(self) -> None:
        """Stop taking messages and timer ticks."""
        self._begun = True
        self._listeners.drain()

    def status(self) -> dict[str, Any]:
        """The state in the form of /admin/host/drain/status."""
        running = self._invocations.running
        state = "Disabled"
        if self._begun:
            state = "InProgress" if running else "Completed"
        return {"state": state, "outstandingInvocations": running, "outstandingRetries": 0}
