"""
The control API, which only a simulator has. Loopback, no token; see README.md in this package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from local.m365.control import admins, apps, switches, users
from local.m365.notifications import items
from local.m365.notifications import subscription_rules as rules
from local.m365.notifications.subscriptions import shown
from local.m365.tenant import fault_plan, renaming
from local.m365.tenant.fault_plan import FaultPlan, only
from local.m365.tenant.records import Group, User
from local.m365.tenant.tenant import Tenant

Handler = Callable[[Tenant, Request, Any], Awaitable[Any]]


class _NotFound(Exception):
    """404 instead of 400."""


def routes(tenant: Tenant) -> list[Route]:
    """All routes under /_sim."""
    table: list[tuple[str, str, Handler]] = [
        ("GET", "/health", health),
        ("GET", "/users", list_users),
        ("POST", "/users", add_users),
        ("GET", "/users/{user}", get_user),
        ("PATCH", "/users/{user}", change_user),
        ("GET", "/groups", list_groups),
        ("POST", "/groups", add_groups),
        ("DELETE", "/groups/{group}", delete_group),
        *apps.TABLE,
        *admins.TABLE,
        ("GET", "/subscriptions", list_subscriptions),
        ("GET", "/switches", get_switches),
        ("POST", "/switches", set_switches),
        ("GET", "/latency", get_latency),
        ("POST", "/latency", set_latency),
        ("GET", "/faults", get_faults),
        ("POST", "/faults", add_faults),
        ("DELETE", "/faults", clear_faults),
        ("GET", "/journal", read_journal),
        ("POST", "/notify", notify),
        ("POST", "/lifecycle", lifecycle),
        ("POST", "/clock", move_clock),
        ("POST", "/rename", rename),
        ("POST", "/reset", reset),
    ]
    return [_route(tenant, method, path, handler) for method, path, handler in table]


def _route(tenant: Tenant, method: str, path: str, handler: Handler) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            # Accept any content type, so that curl commands stay short.
            raw = await request.body()
            return JSONResponse(await handler(tenant, request, json.loads(raw) if raw else {}))
        except _NotFound as error:
            return JSONResponse({"error": str(error)}, 404)
        except (ValueError, TypeError, KeyError, AttributeError, re.error) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return Route(f"/_sim{path}", endpoint, methods=[method])


def _user(tenant: Tenant, name: object) -> User:
    user = tenant.user(str(name))
    if user is None:
        raise _NotFound(f"no user {name}")
    return user


def _listed(body: Any) -> list[Any]:
    return body if isinstance(body, list) else [body]


async def health(tenant: Tenant, request: Request, body: Any) -> Any:
    subscriptions = len(rules.live(tenant))
    return {
        "ok": True,
        "now": tenant.now().isoformat(),
        "users": len(tenant.users),
        "subscriptions": subscriptions,
        "deliveries": len(tenant.deliveries),
        "urls": asdict(tenant.urls),
    }


async def list_users(tenant: Tenant, request: Request, body: Any) -> Any:
    return {"users": [users.described(tenant, one) for one in tenant.users.values()]}


async def get_user(tenant: Tenant, request: Request, body: Any) -> Any:
    return users.described(tenant, _user(tenant, request.path_params["user"]))


async def add_users(tenant: Tenant, request: Request, body: Any) -> Any:
    """Add one user, a list, or {"count": n}; the answer has the ids in the same order."""
    if isinstance(body, dict) and "count" in body:
        only(body, "count")
        people = users.generated(tenant, int(body["count"]))
    else:
        people = [users.added(tenant, seed) for seed in _listed(body)]
    return {"ids": [user.id for user in people]}


async def change_user(tenant: Tenant, request: Request, body: Any) -> Any:
    """Change a user; sends no notification unless `notify` is true."""
    user = _user(tenant, request.path_params["user"])
    seed = {name: value for name, value in body.items() if name != "notify"}
    users.change(tenant, user, seed)
    if body.get("notify"):
        tenant.touch(user, "photo" if set(seed) == {"photo"} else "updated")
    return users.described(tenant, user)


async def list_groups(tenant: Tenant, request: Request, body: Any) -> Any:
    return {
        "groups": [
            {
                "id": name,
                "members": sorted(group.members),
                "displayName": group.display_name,
                "visibility": group.visibility,
            }
            for name, group in tenant.groups.items()
        ]
    }


async def add_groups(tenant: Tenant, request: Request, body: Any) -> Any:
    """Add groups, replacing existing ids; members are users, and groups by id."""
    ids = []
    for seed in _listed(body):
        only(seed, "id", "members", "displayName", "visibility")
    for seed in _listed(body):
        members = {_member(tenant, name) for name in seed.get("members", ())}
        name = str(seed.get("id") or tenant.new_id()).casefold()
        shown = str(seed.get("displayName") or f"Group {name[:8]}")
        tenant.groups[name] = Group(members, shown, seed.get("visibility"))
        ids.append(name)
    return {"ids": ids}


def _member(tenant: Tenant, name: str) -> str:
    return name if name in tenant.groups else _user(tenant, name).id.casefold()


async def delete_group(tenant: Tenant, request: Request, body: Any) -> Any:
    """Delete a group immediately, with all memberships."""
    del tenant.groups[request.path_params["group"].casefold()]
    return {}


async def list_subscriptions(tenant: Tenant, request: Request, body: Any) -> Any:
    return {"subscriptions": [shown(one) for one in rules.live(tenant)]}


async def get_switches(tenant: Tenant, request: Request, body: Any) -> Any:
    return switches.described(tenant)


async def set_switches(tenant: Tenant, request: Request, body: Any) -> Any:
    switches.change(tenant, body)
    return switches.described(tenant)


async def get_latency(tenant: Tenant, request: Request, body: Any) -> Any:
    latency = tenant.faults.latency.items()
    return {service: {"ms": one.ms, "jitterMs": one.jitter_ms} for service, one in latency}


async def set_latency(tenant: Tenant, request: Request, body: Any) -> Any:
    only(body, *fault_plan.SERVICES)
    orders = {name: one if isinstance(one, dict) else {"ms": one} for name, one in body.items()}
    latencies = {name: fault_plan.read_latency(order) for name, order in orders.items()}
    tenant.faults.latency.update(latencies)
    return await get_latency(tenant, request, body)


async def get_faults(tenant: Tenant, request: Request, body: Any) -> Any:
    return tenant.faults.described()


async def add_faults(tenant: Tenant, request: Request, body: Any) -> Any:
    for order in _listed(body):
        fault_plan.apply_order(tenant.faults, order)
    return tenant.faults.described()


async def clear_faults(tenant: Tenant, request: Request, body: Any) -> Any:
    tenant.faults.clear()
    return tenant.faults.described()


async def read_journal(tenant: Tenant, request: Request, body: Any) -> Any:
    """Entries after a number, optionally only those of a `service` or a `userId`."""
    only(request.query_params, "after", "service", "userId")
    after = int(request.query_params.get("after", 0))
    entries = tenant.journal.after(after)
    last = entries[-1]["n"] if entries else after
    for name in ("service", "userId"):
        wanted = request.query_params.get(name)
        if wanted is not None:
            entries = [entry for entry in entries if entry.get(name) == wanted]
    return {"entries": entries, "last": last}


async def notify(tenant: Tenant, request: Request, body: Any) -> Any:
    """Send notifications as edits would, without an edit."""
    only(body, "user", "change", "times")
    change = str(body.get("change", "updated"))
    if change not in rules.CHANGES:
        raise ValueError(f"change must be one of {', '.join(rules.CHANGES)}")
    user = _user(tenant, body["user"])
    for _ in range(int(body.get("times", 1))):
        tenant.touch(user, change)
    return {"userId": user.id}


async def lifecycle(tenant: Tenant, request: Request, body: Any) -> Any:
    """Send a lifecycle event to one subscription, or to all that have a lifecycle URL."""
    only(body, "event", "subscriptionId")
    event = body.get("event")
    if event not in items.LIFECYCLE:
        raise ValueError(f"event must be one of {', '.join(items.LIFECYCLE)}")
    wanted = body.get("subscriptionId")
    found = [one for one in rules.live(tenant) if one.lifecycle_url and wanted in (None, one.id)]
    if not found:
        raise _NotFound("no such subscription with a lifecycleNotificationUrl")
    for subscription in found:
        if event == "subscriptionRemoved":
            del tenant.subscriptions[subscription.id]
        for listener in tenant.on_lifecycle:
            listener(subscription, event)
    return {"subscriptionIds": [one.id for one in found]}


async def move_clock(tenant: Tenant, request: Request, body: Any) -> Any:
    """Move the clock forwards: subscriptions expire, tokens do not (Tenant.login_time)."""
    only(body, "advanceSeconds")
    seconds = float(body["advanceSeconds"])
    if seconds < 0:
        raise ValueError("advanceSeconds must not be negative")
    tenant.skew += timedelta(seconds=seconds)
    return {"now": tenant.now().isoformat()}


async def rename(tenant: Tenant, request: Request, body: Any) -> Any:
    """Rename SharePoint's hosts; see renaming.py."""
    only(body, "name", "pictureUrls")
    renaming.rename(tenant, str(body.get("name", "")), str(body.get("pictureUrls", "kept")))
    return asdict(tenant.urls)


async def reset(tenant: Tenant, request: Request, body: Any) -> Any:
    """Delete people, groups, files and subscriptions; reset switches, latency, faults and time."""
    only(body)
    tenant.reset()
    tenant.faults = FaultPlan()
    tenant.skew = timedelta()
    return {"last": len(tenant.journal.after(0))}
