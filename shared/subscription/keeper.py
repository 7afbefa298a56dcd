"""
Keeps exactly one live subscription for users, pointing at this app's webhook.

What Graph lists, or finds by its id, is the truth; blob `subscription.json` is for the console, and
remembers what Graph may not show: with which clientState and which key the subscription was made.
Without that memory nobody knows whether it still works, so it is made anew.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from shared.errors import (
    GiveUp,
    Refused,
    ServiceDown,
    SubscriptionExists,
    SubscriptionGone,
    TryLater,
)
from shared.graph.subscriptions import CHANGE_TYPE, RESOURCE, Subscription
from shared.storage.documents import Document, Documents

log = logging.getLogger("photosync")

NAME = "subscription.json"
# Graph allows 41,760 minutes for users; a little less, so that a fast clock is not refused.
LIFE = timedelta(minutes=41_000)
# PATCH reauthorizes too, and the two may not both happen within ten minutes (documented).
APART = timedelta(minutes=10)


class Finder(Protocol):
    """The reading half of a Client."""

    def list_own(self) -> list[Subscription]: ...
    def find(self, id_: str) -> Subscription | None: ...


class Client(Finder, Protocol):
    """See SubscriptionClient."""

    def create(self, url: str, client_state: str, expires_at: datetime) -> Subscription: ...
    def renew(self, id_: str, url: str, expires_at: datetime) -> Subscription: ...
    def delete(self, id_: str) -> None: ...


def existing(client: Finder, memory: Mapping[str, Any]) -> list[Subscription]:
    """All that Graph lists, and the remembered one where the list leaves it out."""
    listed = client.list_own()
    remembered = str(memory.get("id") or "")
    if not remembered or any(one.id == remembered for one in listed):
        return listed
    # Reported: a list that is empty while the subscription lives and is found by its id
    # (microsoft-graph-docs-contrib#2534).
    found = client.find(remembered)
    return [*listed, found] if found else listed


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
        missed: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        """*missed* is called whenever changes may have told nobody: it asks for a sweep."""
        self._client = client
        self._documents = documents
        self._url = url
        self._client_state = client_state
        self._warm = warm
        self._missed = missed
        self._clock = clock

    def keep(self, *, reauthorize: bool = False, removed: str = "") -> None:
        """
        Create, renew or correct the subscription.

        With *reauthorize* it is renewed even if it has life left; *removed* is the id of one that
        Graph says is gone, whatever it lists. Raises TryLater and GiveUp; their sentences also
        stand in `subscription.json`.
        """
        before = self._documents.read(NAME)
        try:
            kept, how = self._kept(before, reauthorize, removed)
        except (GiveUp, TryLater) as error:
            status = "failed" if isinstance(error, GiveUp) else "waiting"
            self._record(before, {"status": status, "detail": str(error)})
            raise
        if how == "created":
            # Before it is recorded: a run that dies in between makes another, and says so again.
            self._missed()
        self._record(before, self._described(kept, how, before))
        log.info("subscription.%s id=%s expires=%s", how, kept.id, kept.expires_at.isoformat())

    def _kept(
        self, before: Document | None, reauthorize: bool, removed: str
    ) -> tuple[Subscription, str]:
        if not self._url:
            raise Refused("Set WEBHOOK_URL: Graph must be told where to send notifications.")
        memory = before.fields if before else {}
        ours = [one for one in existing(self._client, memory) if self._is_ours(one, memory)]
        usable = [one for one in ours if one.id != removed and self._is_usable(one, memory)]
        kept = max(usable, key=lambda one: one.expires_at, default=None)
        for stray in ours:
            if stray is not kept:
                self._client.delete(stray.id)
        if kept is None:
            return self._created(memory), "created"
        renewed = str(memory.get("renewedAt") or "")
        just_renewed = renewed > (self._clock() - APART).isoformat()
        due = kept.expires_at - self._clock() < LIFE / 2 or (reauthorize and not just_renewed)
        if due and not self._tells_lifecycle(kept, memory):
            # The one thing PATCH cannot mend is mended when it would be renewed anyway.
            self._client.delete(kept.id)
            return self._created(memory), "created"
        if not due and self._points_here(kept, memory):
            return kept, "kept"
        try:
            return self._client.renew(kept.id, self._url, self._clock() + LIFE), "renewed"
        except SubscriptionGone:
            return self._created(memory), "created"

    def _created(self, memory: dict[str, Any]) -> Subscription:
        # A sleeping app would miss the ten seconds that Graph waits.
        self._warm(self._url)
        expires_at = self._clock() + LIFE
        try:
            return self._client.create(self._url, self._client_state, expires_at)
        except SubscriptionExists as error:
            host = self._whose(error.existing_id, memory)
            if host:
                raise Refused(
                    f"This app registration has a subscription for users that points at {host}. "
                    "Delete it, or give each PhotoSync an app registration of its own."
                ) from error
            # Perhaps another run made it a moment ago, or our own whose answer was lost.
            self._client.delete(error.existing_id)
        try:
            return self._client.create(self._url, self._client_state, expires_at)
        except SubscriptionExists as error:
            raise ServiceDown(f"Somebody else makes one, too. {error}", service="graph") from error

    def _whose(self, in_the_way: str, memory: dict[str, Any]) -> str:
        """The host that subscription *in_the_way* serves if not this deployment, else ""."""
        if not in_the_way:
            return "an address that Graph does not tell"
        # Not from a list, which may leave out just this one: it would be deleted for ours.
        one = self._client.find(in_the_way)
        if one is None or one.id == memory.get("id"):
            return ""
        shown = one.notification_url or self._url
        if address(shown) == address(self._url):
            return ""
        return urlsplit(shown).hostname or "another address"

    def _is_ours(self, one: Subscription, memory: dict[str, Any]) -> bool:
        """Whether it is this deployment's: by what we remember, or by address without the key."""
        same = address(one.notification_url) == address(self._url)
        return one.id == memory.get("id") or (one.resource == RESOURCE and same)

    def _is_usable(self, one: Subscription, memory: dict[str, Any]) -> bool:
        """Whether it tells us all we want, with a clientState that the webhook will accept."""
        return (
            one.changes in (frozenset(), frozenset(CHANGE_TYPE.split(",")))
            and one.expires_at > self._clock()
            and memory.get("id") == one.id
            and memory.get("clientStateHash") == _fingerprint(self._client_state)
        )

    def _points_here(self, one: Subscription, memory: dict[str, Any]) -> bool:
        shown, ours = urlsplit(one.notification_url), urlsplit(self._url)
        if one.notification_url and address(one.notification_url) != address(self._url):
            return False
        # Graph may show the address without its query, or not at all.
        remembered = memory.get("urlHash") == _fingerprint(self._url)
        return shown.query == ours.query or (not shown.query and remembered)

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
            "notificationUrl": address(self._url),
            "createdAt": now if created else memory.get("createdAt"),
            "renewedAt": memory.get("renewedAt") if how == "kept" else now,
            "clientStateHash": _fingerprint(self._client_state),
            "urlHash": _fingerprint(self._url),
            "lifecycleHash": _fingerprint(self._url) if created else memory.get("lifecycleHash"),
        }

    def _record(self, before: Document | None, fields: dict[str, Any]) -> None:
        checked = {"checkedAt": self._clock().isoformat()}
        known = before.fields if before else {}
        self._documents.write(NAME, {**known, **fields, **checked}, after=before)


def address(url: str) -> str:
    """Where *url* points, without its query, which is a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".casefold()


def _fingerprint(secret: str) -> str:
    """Tells whether a secret is still the same, without keeping it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
