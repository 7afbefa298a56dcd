"""
Keeps exactly one live subscription for users, pointing at this app's webhook.

What Graph lists is the truth; blob `subscription.json` is for the console, and remembers the two
things that Graph may not show: which clientState and which key the subscription was made with.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from shared.documents import Document, Documents
from shared.errors import GiveUp, Refused, SubscriptionExists, SubscriptionGone
from shared.subscriptions import CHANGE_TYPE, RESOURCE, Subscription

log = logging.getLogger("photosync")

NAME = "subscription.json"
# Graph allows 41,760 minutes for users; a little less, so that a fast clock is not refused.
LIFE = timedelta(minutes=41_000)
# PATCH reauthorizes too, and the two may not both happen within ten minutes (documented).
APART = timedelta(minutes=10)


class Client(Protocol):
    """See SubscriptionClient."""

    def list_own(self) -> list[Subscription]: ...
    def create(self, url: str, client_state: str, expires_at: datetime) -> Subscription: ...
    def renew(self, id_: str, url: str, expires_at: datetime) -> Subscription: ...
    def delete(self, id_: str) -> None: ...


class SubscriptionKeeper:
    """Run it as often as you like: it changes only what is not as it should be."""

    def __init__(
        self,
        client: Client,
        documents: Documents,
        *,
        url: str,
        client_state: str,
        warm: Callable[[str], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._documents = documents
        self._url = url
        self._client_state = client_state
        self._warm = warm
        self._clock = clock

    def keep(self, *, reauthorize: bool = False) -> bool:
        """
        Create, renew or correct the subscription. True if changes may have been missed meanwhile.

        With *reauthorize* it is renewed even if it has life left. Raises TryLater and GiveUp; the
        latter's sentence also stands in `subscription.json`.
        """
        before = self._documents.read(NAME)
        try:
            kept, how = self._kept(before, reauthorize)
        except GiveUp as error:
            self._record(before, {"status": "failed", "detail": str(error)})
            raise
        self._record(before, self._described(kept, how, before))
        log.info("subscription.%s id=%s expires=%s", how, kept.id, kept.expires_at.isoformat())
        return how == "created"

    def _kept(self, before: Document | None, reauthorize: bool) -> tuple[Subscription, str]:
        if not self._url:
            raise Refused("Set WEBHOOK_URL: Graph must be told where to send notifications.")
        memory = before.fields if before else {}
        listed = self._client.list_own()
        ours = [one for one in listed if self._is_ours(one, memory)]
        usable = [one for one in ours if self._is_usable(one, memory)]
        kept = max(usable, key=lambda one: one.expires_at, default=None)
        for stray in ours:
            if stray is not kept:
                self._client.delete(stray.id)
        if kept is None:
            return self._created(listed), "created"
        renewed = memory.get("renewedAt") or ""
        just_renewed = renewed > (self._clock() - APART).isoformat()
        due = kept.expires_at - self._clock() < LIFE / 2 or (reauthorize and not just_renewed)
        if due and not self._tells_lifecycle(kept, memory):
            # The one thing PATCH cannot mend is mended when it would be renewed anyway.
            self._client.delete(kept.id)
            return self._created([]), "created"
        if not due and kept.notification_url == self._url:
            return kept, "kept"
        try:
            return self._client.renew(kept.id, self._url, self._clock() + LIFE), "renewed"
        except SubscriptionGone:
            return self._created([]), "created"

    def _created(self, listed: list[Subscription]) -> Subscription:
        # A sleeping app would miss the ten seconds that Graph waits.
        self._warm(self._url)
        expires_at = self._clock() + LIFE
        try:
            return self._client.create(self._url, self._client_state, expires_at)
        except SubscriptionExists as error:
            elsewhere = next((one for one in listed if one.id == error.existing_id), None)
            if elsewhere or not error.existing_id:
                host = urlsplit(elsewhere.notification_url).hostname if elsewhere else "elsewhere"
                raise Refused(
                    f"This app registration has a subscription for users that points at {host}. "
                    "Delete it, or give each PhotoSync an app registration of its own."
                ) from error
            # One that the listing did not show yet, perhaps made by another run a moment ago.
            self._client.delete(error.existing_id)
            return self._client.create(self._url, self._client_state, expires_at)

    def _is_ours(self, one: Subscription, memory: dict[str, Any]) -> bool:
        """Whether it is this deployment's: by address without the key, or by what we remember."""
        same = _address(one.notification_url) == _address(self._url)
        return one.resource == RESOURCE and (same or one.id == memory.get("id"))

    def _is_usable(self, one: Subscription, memory: dict[str, Any]) -> bool:
        """Whether it tells us all we want, with a clientState that the webhook will accept."""
        known = memory.get("id") == one.id
        return (
            set(one.change_type.split(",")) == set(CHANGE_TYPE.split(","))
            and one.expires_at > self._clock()
            and known
            and memory.get("clientStateHash") == _fingerprint(self._client_state)
        )

    def _tells_lifecycle(self, one: Subscription, memory: dict[str, Any]) -> bool:
        return one.lifecycle_url == self._url or (
            memory.get("lifecycleHash") == _fingerprint(self._url)
        )

    def _described(self, kept: Subscription, how: str, before: Document | None) -> dict[str, Any]:
        memory, now = before.fields if before else {}, self._clock().isoformat()
        created = how == "created"
        return {
            "status": "live",
            "detail": "",
            "id": kept.id,
            "expiresAt": kept.expires_at.isoformat(),
            # Without its query, which is a key.
            "notificationUrl": _address(self._url),
            "createdAt": now if created else memory.get("createdAt"),
            "renewedAt": memory.get("renewedAt") if how == "kept" else now,
            "clientStateHash": _fingerprint(self._client_state),
            "lifecycleHash": _fingerprint(self._url) if created else memory.get("lifecycleHash"),
        }

    def _record(self, before: Document | None, fields: dict[str, Any]) -> None:
        checked = {"checkedAt": self._clock().isoformat()}
        known = before.fields if before else {}
        self._documents.write(NAME, {**known, **fields, **checked}, after=before)


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".casefold()


def _fingerprint(secret: str) -> str:
    """Tells whether a secret is still the same, without keeping it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
