"""
Keeps exactly one live subscription for users, pointing at this app's webhook.

Graph is the authority on what exists, by its list or by id. Blob `subscription.json` is for the
console, and stores hashes of what Graph may not show: the clientState and the key with which the
subscription was created. Without the blob it is unknown whether the subscription still works, so a
new one is created.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from shared import moments
from shared.errors import (
    ClaimLost,
    Conflict,
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
# Graph allows 41,760 minutes for users; slightly less, so that a fast clock is not refused.
LIFE = timedelta(minutes=41_000)
# PATCH reauthorizes too, and the two may not both happen within ten minutes (documented).
APART = timedelta(minutes=10)
# Only one run at a time calls Graph: two would delete each other's subscriptions. A run that dies
# blocks the others for this long; a blocked run tries again later.
AT_WORK = timedelta(minutes=1)
_TAKEN_OVER = "Another run has taken over the subscription."
_SINCE = "keepingSince"
_STORED = (
    *("status", "detail", "id", "expiresAt", "notificationUrl", "createdAt", "renewedAt"),
    *("clientStateHash", "urlHash", "lifecycleHash", "checkedAt", _SINCE),
)


class Finder(Protocol):
    """The reading half of a Client."""

    def list_own(self) -> list[Subscription]: ...
    def find(self, id_: str) -> Subscription | None: ...


class Client(Finder, Protocol):
    """See SubscriptionClient."""

    def create(self, url: str, client_state: str, expires_at: datetime) -> Subscription: ...
    def renew(self, id_: str, url: str, expires_at: datetime) -> Subscription: ...
    def delete(self, id_: str) -> None: ...


def stored_fields(document: Document | None) -> dict[str, str]:
    """The known fields of *document*, all of them text; other values were edited by hand."""
    fields = document.fields if document else {}
    return {name: fields[name] for name in _STORED if isinstance(fields.get(name), str)}


def shown(document: Document) -> dict[str, str]:
    """The same for display, without fields that only detect another run or a changed secret."""
    known = stored_fields(document).items()
    return {name: text for name, text in known if name != _SINCE and not name.endswith("Hash")}


def existing(client: Finder, stored: Mapping[str, str]) -> list[Subscription]:
    """All subscriptions that Graph lists, and the remembered one if the list leaves it out."""
    listed = client.list_own()
    known = stored.get("id", "")
    if not known or any(one.id == known for one in listed):
        return listed
    # Reported: an empty list although the subscription is live and is found by its id
    # (microsoft-graph-docs-contrib#2534).
    found = client.find(known)
    return [*listed, found] if found else listed


class SubscriptionKeeper:
    """Can run at any time: it changes only what is wrong."""

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
        """*missed* asks for a sweep; it is called if notifications may have been missed."""
        self._client = client
        self._documents = documents
        self._url = url
        self._client_state = client_state
        self._warm = warm
        self._missed = missed
        self._clock = clock

    def knows(self, id_: str) -> bool:
        """
        Whether *id_* may be our subscription: it is the remembered id, or none is remembered.

        Raises ServiceDown, AccessDenied.
        """
        known = stored_fields(self._documents.read(NAME)).get("id")
        return not known or known == id_

    def keep(self, *, reauthorize: bool = False, removed: str = "") -> None:
        """
        Create, renew or correct the subscription.

        With *reauthorize* it is renewed even if it has life left, unless that was done within
        APART; *removed* is the id of one that Graph says is gone, whatever Graph lists. Raises
        TryLater and GiveUp; `subscription.json` records their sentences, except for a Conflict with
        another run, and for ClaimLost if one has taken over: keep it again, whatever is recorded.
        """
        before = self._documents.read(NAME)
        if reauthorize and self._is_within(APART, stored_fields(before).get("renewedAt", "")):
            log.info("subscription.fresh")
            return
        before = self._begun(before)
        with self._recording_failure(before):
            kept, how = self._kept(before, reauthorize, removed)
        if how == "created":
            # Before recording: if this run dies in between, the next creates another and calls
            # again.
            self._missed()
        try:
            self._record(before, self._described(kept, how, before))
        except ClaimLost:
            # The other run has created its own. Graph may list neither, and no blob would name
            # ours.
            if how == "created":
                self._client.delete(kept.id)
            raise
        log.info("subscription.%s id=%s expires=%s", how, kept.id, kept.expires_at.isoformat())

    def end(self) -> None:
        """
        Delete the subscription and what is stored about it; without one, do nothing.

        Raises TryLater and GiveUp, as `keep` does: then it is still remembered.
        """
        before = self._documents.read(NAME)
        stored = stored_fields(before)
        begun = self._begun(before)
        with self._recording_failure(begun):
            for one in existing(self._client, stored):
                if self._is_ours(one, stored):
                    self._client.delete(one.id)
                    log.info("subscription.deleted id=%s", one.id)
        self._documents.delete(NAME, after=begun)

    @contextmanager
    def _recording_failure(self, begun: Document) -> Iterator[None]:
        """Record in the document why the work failed, if it does."""
        try:
            yield
        except (GiveUp, TryLater) as error:
            status = "failed" if isinstance(error, GiveUp) else "waiting"
            self._record(begun, {"status": status, "detail": str(error)})
            raise

    def _begun(self, before: Document | None) -> Document:
        """Record that this run is at work. Raises Conflict if another run is."""
        stored = stored_fields(before)
        if self._is_within(AT_WORK, stored.get(_SINCE, "")):
            raise Conflict(
                "Another run is checking the subscription right now.",
                over_in=AT_WORK.total_seconds(),
            )
        usual = {"status": "waiting", "detail": "PhotoSync is checking the subscription."}
        begun = {**usual, **stored, _SINCE: self._clock().isoformat()}
        return self._documents.write(NAME, begun, after=before)

    def _is_within(self, span: timedelta, moment: str) -> bool:
        """Whether *moment* is less than *span* away, past or future; False if it is not a time."""
        try:
            return abs(self._clock() - moments.read(moment)) < span
        except (ValueError, OverflowError):
            return False

    def _kept(self, before: Document, reauthorize: bool, removed: str) -> tuple[Subscription, str]:
        if not self._url:
            raise Refused("Set WEBHOOK_URL to tell Graph where to send notifications.")
        stored = stored_fields(before)
        ours = [one for one in existing(self._client, stored) if self._is_ours(one, stored)]
        usable = (one for one in ours if one.id != removed and self._is_usable(one, stored))
        kept = next(usable, None)
        for stray in ours:
            if stray is not kept:
                self._client.delete(stray.id)
        if kept is None:
            return self._create(stored), "created"
        due = reauthorize or kept.expires_at - self._clock() < LIFE / 2
        if due and not self._has_lifecycle_url(kept, stored):
            # PATCH cannot correct the lifecycle URL: recreate the subscription when a renewal is
            # due anyway.
            self._client.delete(kept.id)
            return self._create(stored), "created"
        if not due and self._has_our_url(kept, stored):
            return kept, "kept"
        try:
            return self._client.renew(kept.id, self._url, self._clock() + LIFE), "renewed"
        except SubscriptionGone:
            return self._create(stored), "created"

    def _create(self, stored: dict[str, str]) -> Subscription:
        # Graph waits ten seconds for the webhook: a stopped app would start too late.
        self._warm(self._url)
        expires_at = self._clock() + LIFE
        try:
            return self._client.create(self._url, self._client_state, expires_at)
        except SubscriptionExists as error:
            host = self._other_host(error.existing_id, stored)
            if host:
                raise Refused(
                    f"This app registration has a subscription for users that points at {host}. "
                    "Delete it, or give each deployment its own app registration."
                ) from error
            if self._is_taken_over(error.existing_id, stored):
                raise ClaimLost(_TAKEN_OVER) from error
            # Perhaps we created it and the response was lost.
            self._client.delete(error.existing_id)
        try:
            return self._client.create(self._url, self._client_state, expires_at)
        except SubscriptionExists as error:
            sentence = f"Another process is creating a subscription, too. {error}"
            raise ServiceDown(sentence, service="graph") from error

    def _is_taken_over(self, in_the_way: str, stored: dict[str, str]) -> bool:
        """Whether another run has recorded subscription *in_the_way* since this one began."""
        return in_the_way == stored_fields(self._documents.read(NAME)).get("id") != stored.get("id")

    def _other_host(self, in_the_way: str, stored: dict[str, str]) -> str:
        """The host that subscription *in_the_way* serves; empty if it is this deployment's."""
        if not in_the_way:
            return "an address that Graph does not reveal"
        # Not from the list, which may leave out this very one: we would then delete it as ours.
        one = self._client.find(in_the_way)
        if one is None or one.id == stored.get("id"):
            return ""
        shown = one.notification_url or self._url
        if address(shown) == address(self._url):
            return ""
        return urlsplit(shown).hostname or "another address"

    def _is_ours(self, one: Subscription, stored: dict[str, str]) -> bool:
        """Whether it is ours: it has the remembered id, or our address, leaving the key aside."""
        same = self._url != "" and address(one.notification_url) == address(self._url)
        return one.id == stored.get("id") or (one.resource == RESOURCE and same)

    def _is_usable(self, one: Subscription, stored: dict[str, str]) -> bool:
        """Whether it reports all changes, with a clientState that the webhook accepts."""
        return (
            one.changes in (frozenset(), frozenset(CHANGE_TYPE.split(",")))
            and one.expires_at > self._clock()
            and stored.get("id") == one.id
            and stored.get("clientStateHash") == _fingerprint(self._client_state)
        )

    def _has_our_url(self, one: Subscription, stored: dict[str, str]) -> bool:
        shown, ours = urlsplit(one.notification_url), urlsplit(self._url)
        if one.notification_url and address(one.notification_url) != address(self._url):
            return False
        # Graph may show the address without its query, or not at all.
        is_same_url = stored.get("urlHash") == _fingerprint(self._url)
        return shown.query == ours.query or (not shown.query and is_same_url)

    def _has_lifecycle_url(self, one: Subscription, stored: dict[str, str]) -> bool:
        return one.lifecycle_url == self._url or (
            stored.get("lifecycleHash") == _fingerprint(self._url)
        )

    def _described(self, kept: Subscription, how: str, before: Document) -> dict[str, Any]:
        stored, now = stored_fields(before), self._clock().isoformat()
        created = how == "created"
        return {
            "status": "live",
            "detail": "",
            "id": kept.id,
            "expiresAt": kept.expires_at.isoformat(),
            # Without its query, which is a key.
            "notificationUrl": address(self._url),
            "createdAt": now if created else stored.get("createdAt"),
            "renewedAt": stored.get("renewedAt") if how == "kept" else now,
            "clientStateHash": _fingerprint(self._client_state),
            "urlHash": _fingerprint(self._url),
            "lifecycleHash": _fingerprint(self._url) if created else stored.get("lifecycleHash"),
        }

    def _record(self, before: Document, fields: dict[str, Any]) -> None:
        known = stored_fields(before)
        del known[_SINCE]
        checked = {"checkedAt": self._clock().isoformat()}
        try:
            self._documents.write(NAME, {**known, **fields, **checked}, after=before)
        except Conflict as error:
            raise ClaimLost(_TAKEN_OVER) from error


def address(url: str) -> str:
    """Where *url* points, without its query, which is a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}".casefold()


def _fingerprint(secret: str) -> str:
    """A hash that shows whether a secret is still the same, without storing it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
