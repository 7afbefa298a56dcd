"""Whether Graph will notify us of changes: the subscription is live, and its URL is ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from shared.doctor.examination import Finding
from shared.errors import AccessDenied, TryLater
from shared.graph.subscriptions import RESOURCE, Subscription
from shared.storage.documents import Documents
from shared.subscription.keeper import NAME, Finder, address, existing, stored_fields
from shared.uninstalling.uninstall_log import UninstallLogs

_RENEW = "Renew it: run manage.py renew, or type renew into the queue photo-upkeep."
_TAKEN_BACK = Finding(
    "There is no subscription, because PhotoSync is uninstalled.",
    "To restore it, run manage.py uninstall --cancel.",
)


def probe(client: Finder, documents: Documents, url: str, now: datetime) -> Finding:
    """Check for a live subscription for users at *url*. Raises what *client* raises."""
    if not url:
        return Finding(
            "WEBHOOK_URL is not set, so Graph cannot be told where to send notifications.",
            "Set WEBHOOK_URL to the https:// address of /api/notifications with its ?code=.",
        )
    stored = _stored_fields(documents)
    found = existing(client, stored)
    live = [one for one in found if one.resource == RESOURCE and one.expires_at > now]
    ours = [one for one in live if address(one.notification_url or url) == address(url)]
    if not ours:
        if _is_uninstalled(documents):
            return _TAKEN_BACK
        return Finding(_absence(live) + _last_try(stored), _RENEW)
    newest = max(ours, key=lambda one: one.expires_at)
    # Graph may show it without its query.
    query = urlsplit(newest.notification_url).query
    if query and query != urlsplit(url).query:
        return Finding("The subscription calls our URL with the wrong key.", _RENEW)
    return Finding(
        f"It is valid until {newest.expires_at:%Y-%m-%d %H:%M} UTC, and its URL is ours."
    )


def _absence(others: list[Subscription]) -> str:
    hosts = sorted({str(urlsplit(one.notification_url).hostname) for one in others})
    if hosts:
        return f"The subscription points at {', '.join(hosts)}, not at this app."
    return "There is no subscription, so only sweeps find changes."


def _stored_fields(documents: Documents) -> Mapping[str, str]:
    try:
        return stored_fields(documents.read(NAME))
    except (TryLater, AccessDenied):
        # Another check reports what is wrong with storage.
        return {}


def _is_uninstalled(documents: Documents) -> bool:
    try:
        ordered = UninstallLogs(documents).read().log
    except (TryLater, AccessDenied):
        return False
    return ordered is not None and ordered.halts


def _last_try(stored: Mapping[str, str]) -> str:
    detail = stored.get("detail", "")
    return f" The last attempt to create one reported: {detail}" if detail else ""
