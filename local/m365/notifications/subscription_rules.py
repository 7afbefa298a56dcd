"""Graph's rules for subscriptions, and which ones are alive. Pure except for the tenant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from local.m365.graph.wire import Refusal, bad_request
from local.m365.notifications.https_post import Reply
from local.m365.tenant.records import Subscription, User
from local.m365.tenant.tenant import Tenant

# All documented: facts/graph.md section 2.
LONGEST = timedelta(minutes=41_760)
SHORTEST = timedelta(minutes=45)
LONGEST_CLIENT_STATE = 128
PER_APP_AND_TENANT = 100
PER_TENANT = 1_000
APART = timedelta(minutes=10)  # minimum between a PATCH renewal and a reauthorize

CHANGES = ("updated", "deleted")
TLS = ("v1_0", "v1_1", "v1_2", "v1_3")
_RESOURCE = re.compile(r"/?users(/[^/()\s]+)?", re.IGNORECASE)
_REQUIRED = ("changeType", "notificationUrl", "resource", "expirationDateTime")
_OPTIONAL = ("lifecycleNotificationUrl", "clientState", "latestSupportedTlsVersion")
_PATCHABLE = ("expirationDateTime", "notificationUrl")
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.I)
NOT_200 = (
    "Subscription validation request failed.{status} Notification endpoint must respond with 200 "
    "OK to validation request."
)
NOT_THE_TOKEN = (
    "Subscription validation request failed. Response must exactly match validationToken "
    "query parameter."
)
TIMED_OUT = "Subscription validation request timed out."


@dataclass(frozen=True)
class Order:
    """A valid request for a subscription."""

    change_type: str
    notification_url: str
    resource: str
    expires: datetime
    client_state: str | None
    lifecycle_url: str | None
    latest_tls: str


def read_order(body: Mapping[str, Any], now: datetime) -> Order:
    """
    The subscription that *body* requests. Raises Refusal.

    Documented: every limit (facts/graph.md section 2).
    Assumed: code and message, unless section 2 quotes them; unknown names are refused.
    """
    for name in body:
        if name not in _REQUIRED + _OPTIONAL:
            raise bad_request(f"Invalid property '{name}'.", "InvalidRequest")
    for name in _REQUIRED:
        if not body.get(name):
            raise bad_request(f"'{name}' must be specified.", "InvalidRequest")
    for name, value in body.items():
        if not isinstance(value, str) and not (value is None and name in _OPTIONAL):
            raise bad_request(f"'{name}' must be a string.", "InvalidRequest")
    client_state = body.get("clientState")
    if client_state is not None and len(client_state) > LONGEST_CLIENT_STATE:
        message = f"'clientState' must not be longer than {LONGEST_CLIENT_STATE} characters."
        raise bad_request(message, "InvalidRequest")
    lifecycle_url = body.get("lifecycleNotificationUrl")
    return Order(
        change_type=read_change_type(body["changeType"]),
        notification_url=read_url("notificationUrl", body["notificationUrl"]),
        resource=read_resource(body["resource"]),
        expires=read_expiry(body["expirationDateTime"], now),
        client_state=client_state,
        lifecycle_url=lifecycle_url and read_url("lifecycleNotificationUrl", lifecycle_url),
        latest_tls=_read_tls(body.get("latestSupportedTlsVersion") or "v1_2"),
    )


def read_change_type(raw: str) -> str:
    """A comma-separated list of `updated` and `deleted`; users have no `created` (D, section 2)."""
    names = [name.strip().lower() for name in raw.split(",")]
    for name in names:
        if name not in CHANGES:
            raise bad_request(f"Unsupported change type '{name}' for users.", "InvalidRequest")
    return ",".join(dict.fromkeys(names))


def read_url(name: str, raw: str) -> str:
    """HTTPS only (D, section 2); any host, since here it is on this machine."""
    try:
        parts = urlsplit(raw)
        valid = parts.scheme == "https" and bool(parts.hostname) and not parts.fragment
        valid = valid and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise bad_request(f"'{name}' must be an absolute HTTPS URL.", "InvalidRequest")
    return raw


def read_resource(raw: str) -> str:
    """Exactly /users and /users/{id} (D, section 1), without base URL (D, section 2)."""
    if _RESOURCE.fullmatch(raw) is None:
        raise bad_request(f"Resource '{raw}' is not supported for subscriptions.", "ExtensionError")
    return raw


def read_expiry(raw: object, now: datetime) -> datetime:
    """
    When the subscription expires.

    Documented: less than 45 minutes is silently raised to 45; 400 `ExtensionError` above 41,760.
    Assumed: a time in the past is refused, and so is one without an offset.
    """
    match = _DATE.fullmatch(raw) if isinstance(raw, str) else None
    try:
        expires = datetime.fromisoformat(match[1] + match[3].upper()) if match else None
    except ValueError:
        expires = None
    if expires is None:
        raise bad_request("'expirationDateTime' must be an Edm.DateTimeOffset.", "InvalidRequest")
    if expires <= now:
        raise bad_request("'expirationDateTime' must be in the future.", "InvalidRequest")
    # A caller adds the maximum to its own clock, which may be slightly ahead.
    if expires > now + LONGEST + timedelta(minutes=1):
        message = "Subscription expiration can only be 41760 minutes in the future."
        raise bad_request(message, "ExtensionError")
    return max(expires.astimezone(UTC), now + SHORTEST)


def _read_tls(raw: str) -> str:
    if raw not in TLS:
        raise bad_request(f"Unsupported TLS version '{raw}'.", "InvalidRequest")
    return raw


def refuse_patch(body: Mapping[str, Any]) -> None:
    """
    Refuse changes of anything except the expiry and the notification URL.

    Documented: a lifecycleNotificationUrl cannot be added later (facts/graph.md section 2).
    """
    if not body:
        raise bad_request("Nothing to update.", "InvalidRequest")
    for name in body:
        if name not in _PATCHABLE:
            raise bad_request(f"'{name}' cannot be updated.", "InvalidRequest")


def refuse_close_renewals(other_renewal: datetime | None, now: datetime) -> None:
    """
    Refuse a PATCH soon after a reauthorize, and the reverse.

    Documented: never both for one subscription within 10 minutes (facts/graph.md section 2).
    Assumed: the consequence; a refusal shows the mistake best.
    """
    if other_renewal is not None and now < other_renewal + APART:
        message = "PATCH and reauthorize must be at least 10 minutes apart."
        raise bad_request(message, "InvalidRequest")


def refuse_over_quota(tenant: Tenant, order: Order, app_id: str) -> None:
    """Documented: 403 above the quotas, 409 with the existing id for a duplicate (section 2)."""
    alive = live(tenant)
    own = [one for one in alive if one.app_id == app_id]
    wanted = (_key(order.resource), set(order.change_type.split(",")))
    for one in own:
        if (_key(one.resource), set(one.change_type.split(","))) == wanted:
            message = f"Subscription already exists for the provided resource. Id: {one.id}"
            raise Refusal(409, "Conflict", message)
    if len(own) >= PER_APP_AND_TENANT or len(alive) >= PER_TENANT:
        message = "Maximum number of active subscriptions of this resource type has been reached."
        raise Refusal(403, "Forbidden", message)


def live(tenant: Tenant) -> list[Subscription]:
    """The subscriptions that have not expired; removes the others."""
    now = tenant.now()
    for gone in [one.id for one in tenant.subscriptions.values() if one.expires <= now]:
        del tenant.subscriptions[gone]
    return list(tenant.subscriptions.values())


def wants(subscription: Subscription, user: User, change: str) -> bool:
    """Whether *subscription* covers this change of this user."""
    if change not in subscription.change_type.split(","):
        return False
    named = _key(subscription.resource).partition("/")[2]
    return named in ("", user.id.casefold(), user.user_principal_name.casefold())


def _key(resource: str) -> str:
    return resource.lstrip("/").casefold()


def validation_url(url: str, token: str, *, form: bool) -> str:
    """
    *url* with the token added; its own query stays (D, section 2).

    It is undocumented whether a space is sent as `%20` or, as in a form, as `+`. The two handshakes
    of a subscription use one each, so an endpoint must decode both.
    """
    mark = "&" if urlsplit(url).query else "?"
    encoded = quote_plus(token) if form else quote(token, safe="")
    return f"{url}{mark}validationToken={encoded}"


def handshake_refusal(status: int | None) -> Refusal:
    """The refusal of a handshake answered with *status*, or not answered."""
    known = status in {one.value for one in HTTPStatus}
    name = HTTPStatus(status).phrase.replace(" ", "") if status and known else status
    sentence = f" HTTP status code is '{name}'." if status else ""
    return bad_request(NOT_200.format(status=sentence), "ValidationError")


def handshake_fault(token: str, reply: Reply) -> Refusal | None:
    """
    Why Graph refuses this answer to its handshake; None if it accepts.

    Documented: 200, text/plain, the URL-decoded token (facts/graph.md section 2).
    Reported: both sentences, the first with the status's .NET name
    (pnp/Microsoft365-Analytics-Insights#273). Assumed: the code of the second.
    """
    if reply.status != 200:
        return handshake_refusal(reply.status)
    if reply.media_type != "text/plain" or reply.body != token.encode():
        return bad_request(NOT_THE_TOKEN, "ValidationError")
    return None
