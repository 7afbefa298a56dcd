"""
Calls Microsoft Graph for this app's change-notification subscriptions.

It makes the calls and translates the errors; `subscription.keeper` decides what to do
(facts: graph.md section 2).
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from shared import moments
from shared.errors import PhotoSyncError, ServiceDown, SubscriptionExists, SubscriptionGone
from shared.graph.errors import code_and_message
from shared.microsoft365 import pages
from shared.microsoft365.http import Http
from shared.microsoft365.reply import Reply, fault

log = logging.getLogger("photosync")

RESOURCE = "users"
CHANGE_TYPE = "updated,deleted"

# How Graph reports a failed handshake (graph.md section 2, reported): by the code or the message.
_VALIDATION_ERROR = "ValidationError"
_HANDSHAKE = re.compile("validation request|notification endpoint|validationToken", re.IGNORECASE)
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Subscription:
    """One subscription as Graph returns it; fields that it leaves out are empty."""

    id: str
    resource: str
    changes: frozenset[str]
    notification_url: str
    lifecycle_url: str
    expires_at: datetime


class SubscriptionClient:
    """Errors of every call: Throttled, ServiceDown, AccessDenied, Refused."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def list_own(self) -> list[Subscription]:
        """
        All subscriptions that this app registration has in the tenant. Raises EndlessList.

        One that cannot be parsed is left out, since Graph's list may omit any (graph.md section 2).
        `find` with its id raises the reason.
        """
        read = pages.follow("/v1.0/subscriptions", self._page, of="subscriptions")
        return [one for page in read for one in page]

    def _page(self, path: str) -> tuple[list[Subscription], str]:
        reply = self._send("GET", path)
        items = reply.read(lambda page: list(page["value"]))
        found = [one for item in items if (one := _readable(item))]
        return found, self._http.path_of(str(reply.json().get("@odata.nextLink") or ""))

    def find(self, id_: str) -> Subscription | None:
        """The subscription with this id, None if Graph has none."""
        # The id may come from a blob that a person wrote; Graph's ids are GUIDs.
        if not _GUID.fullmatch(id_):
            return None
        try:
            return self._send("GET", _path(id_)).read(_subscription)
        except SubscriptionGone:
            return None

    def create(self, url: str, client_state: str, expires_at: datetime) -> Subscription:
        """Subscribe to users; Graph calls *url* first. Raises SubscriptionExists."""
        order = {
            "changeType": CHANGE_TYPE,
            "notificationUrl": url,
            # It cannot be added later by PATCH (documented).
            "lifecycleNotificationUrl": url,
            "resource": RESOURCE,
            "expirationDateTime": _dump(expires_at),
            "clientState": client_state,
        }
        return self._send("POST", "/v1.0/subscriptions", order).read(_subscription)

    def renew(self, id_: str, url: str, expires_at: datetime) -> Subscription:
        """Extend it and set its URL, which also reauthorizes it. Raises SubscriptionGone."""
        order = {"expirationDateTime": _dump(expires_at), "notificationUrl": url}
        return self._send("PATCH", _path(id_), order).read(_subscription)

    def delete(self, id_: str) -> None:
        """Delete it; does nothing if it is already gone."""
        with contextlib.suppress(SubscriptionGone):
            self._send("DELETE", _path(id_))

    def _send(self, method: str, path: str, order: Mapping[str, Any] | None = None) -> Reply:
        body = None if order is None else json.dumps(order).encode()
        headers = {"Content-Type": "application/json"} if body else {}
        reply = self._http.send(method, path, headers=headers, body=body)
        if not reply.ok:
            raise _fault(method, reply)
        return reply


def _path(id_: str) -> str:
    # The id comes from a response or a blob, so it is quoted into one segment.
    return f"/v1.0/subscriptions/{quote(id_, safe='')}"


def _subscription(fields: Mapping[str, Any]) -> Subscription:
    return Subscription(
        id=str(fields["id"]),
        resource=str(fields.get("resource") or "").strip("/").casefold(),
        changes=frozenset(str(fields.get("changeType") or "").casefold().replace(",", " ").split()),
        notification_url=str(fields.get("notificationUrl") or ""),
        lifecycle_url=str(fields.get("lifecycleNotificationUrl") or ""),
        expires_at=moments.read(str(fields["expirationDateTime"])),
    )


def _readable(item: Any) -> Subscription | None:
    try:
        return _subscription(item)
    except (LookupError, TypeError, AttributeError, ValueError, OverflowError):
        log.warning("subscription.set_aside")
        return None


def _fault(method: str, reply: Reply) -> PhotoSyncError:
    code, message = code_and_message(reply)
    if reply.status == 404 and code and method in {"GET", "PATCH", "DELETE"}:
        # A 404 without a code is a page from a proxy or another host: it proves nothing.
        return SubscriptionGone("Graph has no such subscription.")
    if reply.status == 409 and method == "POST":
        # The message contains the id of the existing subscription (seen).
        found = _GUID.search(message)
        return SubscriptionExists(
            f"Graph already has a subscription: {message}", found[0] if found else ""
        )
    if reply.status == 400 and (code == _VALIDATION_ERROR or _HANDSHAKE.search(message)):
        # An idle app misses the ten seconds, and a restarting one responds 502, 503 or 403
        # (reported); the next attempt succeeds. Like any wait, this one ends after a day; until
        # then Graph's message stays visible.
        sentence = f"Graph could not validate the webhook: {message}"
        return ServiceDown(sentence, service=reply.service)
    return fault(reply, code, message)


def _dump(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
