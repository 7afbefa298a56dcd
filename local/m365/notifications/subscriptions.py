"""Graph's subscriptions: create with the handshake, list, read, renew, delete."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.m365.graph.wire import (
    Refusal,
    bad_request,
    collection,
    entity,
    json_object,
    not_found,
    route,
)
from local.m365.notifications import https_post
from local.m365.notifications import subscription_rules as rules
from local.m365.tenant.fault_plan import WEBHOOK
from local.m365.tenant.records import Subscription
from local.m365.tenant.tenant import Tenant

ROLES = ("User.Read.All",)  # (D, facts/graph.md section 2); the same for every call
LISTINGS, LISTINGS_WITHIN = 25, timedelta(seconds=20)  # (D, section 2)


def routes(tenant: Tenant) -> list[Route]:
    listings = _Listings()
    one = "/subscriptions/{subscription}"
    return [
        route(tenant, "POST", "/subscriptions", ROLES, create_subscription),
        route(tenant, "GET", "/subscriptions", ROLES, listings.list_subscriptions),
        route(tenant, "GET", one, ROLES, get_subscription),
        route(tenant, "PATCH", one, ROLES, update_subscription),
        route(tenant, "POST", f"{one}/reauthorize", ROLES, reauthorize_subscription),
        route(tenant, "DELETE", one, ROLES, delete_subscription),
    ]


def _own(tenant: Tenant, request: Request, client_id: str) -> Subscription:
    """
    The caller's subscription with that id.

    Assumed: an expired one, or one of another app, is a 404. How PATCH answers after expiry is
    unknown (facts/graph.md section 2).
    """
    name = str(request.path_params["subscription"])
    for one in rules.live(tenant):
        if one.id == name.casefold() and one.app_id == client_id:
            return one
    raise not_found(name)


def shown(one: Subscription) -> dict[str, Any]:
    return {
        "id": one.id,
        "resource": one.resource,
        "applicationId": one.app_id,
        "changeType": one.change_type,
        "clientState": one.client_state,
        "notificationUrl": one.notification_url,
        "notificationQueryOptions": None,
        "lifecycleNotificationUrl": one.lifecycle_url,
        "expirationDateTime": one.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "creatorId": one.app_id,
        "includeResourceData": None,
        "latestSupportedTlsVersion": one.latest_tls,
        "encryptionCertificate": None,
        "encryptionCertificateId": None,
    }


async def create_subscription(tenant: Tenant, request: Request, client_id: str) -> Response:
    """Check the form, then both URLs by handshake, then create it (D, section 2)."""
    order = rules.read_order(await json_object(request), tenant.now())
    rules.refuse_over_quota(tenant, order, client_id)
    checks = [handshake(tenant, order.notification_url)]
    if order.lifecycle_url is not None:
        checks.append(handshake(tenant, order.lifecycle_url, form=True))
    for outcome in await asyncio.gather(*checks, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
    # Another request may have created one during the handshake.
    rules.refuse_over_quota(tenant, order, client_id)
    one = Subscription(
        id=tenant.new_id(),
        app_id=client_id,
        resource=order.resource,
        change_type=order.change_type,
        notification_url=order.notification_url,
        expires=order.expires,
        client_state=order.client_state,
        lifecycle_url=order.lifecycle_url,
        latest_tls=order.latest_tls,
    )
    tenant.subscriptions[one.id] = one
    return entity(tenant, "subscriptions", shown(one), 201)


async def handshake(tenant: Tenant, url: str, *, form: bool = False) -> None:
    """
    Send *url* a token that it must return. Raises Refusal.

    Documented: POST, text/plain, answered within 10 s. Observed: the token's words (facts/graph.md
    section 2). The plus sign is our addition, so that decoding is tested.
    """
    token = (
        "Validation: Testing client application reachability for subscription "
        f"Request-Id: {tenant.new_id()} +1"
    )
    try:
        _raise_fault(tenant, url)
        reply = await https_post.post(
            rules.validation_url(url, token, form=form),
            b"",
            content_type="text/plain; charset=utf-8",
            trusted_ca=tenant.trusted_ca,
            budget=tenant.switches.handshake_budget_seconds,
        )
    except https_post.TooSlow as error:
        raise bad_request(rules.TIMED_OUT, "InvalidRequest") from error
    except https_post.Unreachable as error:
        raise rules.handshake_refusal(None) from error
    fault = rules.handshake_fault(token, reply)
    if fault is not None:
        raise fault


def _raise_fault(tenant: Tenant, url: str) -> None:
    """Raise the fault that replaces the webhook's answer, as Unreachable or Refusal."""
    fault = tenant.faults.draw(WEBHOOK, "POST", urlsplit(url).path).fault
    if fault is None:
        return
    status = fault.kind.partition("-")[0]
    if status.isdecimal():
        raise rules.handshake_refusal(int(status))
    kind = https_post.TooSlow if fault.kind == "timeout" else https_post.Unreachable
    raise kind(fault.kind)


async def get_subscription(tenant: Tenant, request: Request, client_id: str) -> Response:
    return entity(tenant, "subscriptions", shown(_own(tenant, request, client_id)))


async def delete_subscription(tenant: Tenant, request: Request, client_id: str) -> Response:
    del tenant.subscriptions[_own(tenant, request, client_id).id]
    return Response(status_code=204)


async def update_subscription(tenant: Tenant, request: Request, client_id: str) -> Response:
    """Renew, which also reauthorizes; check a new URL by handshake first (assumed)."""
    one = _own(tenant, request, client_id)
    body = await json_object(request)
    rules.refuse_patch(body)
    rules.refuse_close_renewals(one.reauthorized, tenant.now())
    expires = one.expires
    if "expirationDateTime" in body:
        expires = rules.read_expiry(body["expirationDateTime"], tenant.now())
    if "notificationUrl" in body:
        url = rules.read_url("notificationUrl", str(body["notificationUrl"]))
        await handshake(tenant, url)
        one.notification_url = url
    one.expires, one.patched = expires, tenant.now()
    return entity(tenant, "subscriptions", shown(one))


async def reauthorize_subscription(tenant: Tenant, request: Request, client_id: str) -> Response:
    one = _own(tenant, request, client_id)
    rules.refuse_close_renewals(one.patched, tenant.now())
    one.reauthorized = tenant.now()
    return Response(status_code=204)


class _Listings:
    """Lists subscriptions; the only operation with a rate limit."""

    def __init__(self) -> None:
        self._recent: list[datetime] = []

    async def list_subscriptions(
        self, tenant: Tenant, request: Request, client_id: str
    ) -> Response:
        """
        List the caller's subscriptions.

        Documented: 25 requests in 20 s (facts/graph.md section 2). Reported: an empty list although
        there is one (microsoft-graph-docs-contrib#2534), or an empty page with a link to a next one
        (microsoft-graph-docs#17354); a switch chooses.
        """
        now = tenant.now()
        self._recent = [one for one in self._recent if now - LISTINGS_WITHIN < one <= now]
        if len(self._recent) >= LISTINGS:
            wait = (self._recent[0] + LISTINGS_WITHIN - now).total_seconds()
            headers = {"Retry-After": f"{wait:.3f}"}
            raise Refusal(429, "TooManyRequests", "Too many requests.", headers)
        self._recent.append(now)
        own = [shown(one) for one in rules.live(tenant) if one.app_id == client_id]
        match tenant.switches.subscriptions_listed:
            case "none":
                own = []
            case "empty" if "$skiptoken" not in request.query_params:
                link = f"{tenant.urls.graph}/v1.0/subscriptions?$skiptoken=1"
                return collection(tenant, "subscriptions", [], **{"@odata.nextLink": link})
        return collection(tenant, "subscriptions", own)
