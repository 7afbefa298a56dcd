"""
`python -m local show` and `python -m local type TEXT`: the admin's view of a running local cloud.

Everything shown is read from the blobs that PhotoSync writes; in Azure the portal's storage browser
shows the same blobs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from local.cloud.endpoints import Endpoints
from local.cloud.occupancy import must_be_up
from local.outside.tenant_client import TenantClient
from local.outside.watcher import Watcher

# The other queues belong to the host.
QUEUES = ("photo-sync", "photo-upkeep")


def type_text(folder: Path, text: str, queue: str) -> int:
    """Put *text* into *queue*, as in a storage browser."""
    _watcher(folder).type_into_queue(text, queue)
    print(f"Typed into {queue}")
    return 0


def main(folder: Path) -> int:
    """Print what PhotoSync has stored: users, unreadable messages, subscription, newest sweep."""
    watcher = _watcher(folder)
    states = sorted(watcher.states().values(), key=lambda state: str(state["userPrincipalName"]))
    print("\n".join(_line(state) for state in states) or "No user has been processed yet.")
    for kept in watcher.unreadable():
        print(f"unreadable: {kept.get('body')!r}: {kept['reason']}")
    subscription, sweep = watcher.document("subscription.json"), watcher.sweep()
    print(f"subscription: {subscription.get('status', 'none yet')} {_until(subscription)}".rstrip())
    print(f"sweep: {_sweep_line(sweep) if sweep else 'none yet'}")
    return 0


def _line(state: dict[str, Any]) -> str:
    name = state["userPrincipalName"] or state["userId"]
    return f"{state['status']:<9} {name:<42} {state['detail']}".rstrip()


def _until(subscription: dict[str, Any]) -> str:
    return f"until {subscription['expiresAt']}" if "expiresAt" in subscription else ""


def _sweep_line(sweep: dict[str, Any]) -> str:
    changed = ", ".join(f"{count} {why}" for why, count in sweep["changed"].items()) or "none"
    return (
        f"{sweep['status']}, {sweep['users']} users, queued: {changed}, "
        f"removals: {sweep['removals']} {sweep['detail']}"
    ).rstrip()


def _watcher(folder: Path) -> Watcher:
    must_be_up(folder)
    at = Endpoints.load(folder / "endpoints.json")
    admin = TenantClient(at, at.client_id, Path(at.client_certificate))
    return Watcher(at.storage, admin, folder / "host.log")
