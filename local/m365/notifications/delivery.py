"""Delivery of change notifications: queued by subscription, posted, retried, journaled."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from local.m365.notifications import https_post, pace
from local.m365.notifications import items as notification_items
from local.m365.notifications import subscription_rules as rules
from local.m365.tenant.records import Subscription, User
from local.m365.tenant.tenant import Tenant


@dataclass(frozen=True)
class Post:
    """The items of one POST."""

    subscription: Subscription
    url: str
    items: list[dict[str, Any]]
    number: int

    @property
    def event(self) -> str | None:
        """The lifecycle event of its item, if it has one."""
        event: str | None = self.items[0].get("lifecycleEvent")
        return event


class Delivery:
    """Listens to the tenant and posts to webhooks between `start` and `stop`."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._waiting: dict[str, list[dict[str, Any]]] = {}
        self._paces: dict[str, pace.Pace] = {}
        self._numbers = itertools.count(1)
        # A separate generator: the timing of deliveries must not change other seeded values.
        self._rng = random.Random(tenant.rng.getrandbits(64))

    async def start(self) -> None:
        self._tenant.on_user_changed.append(self.user_changed)
        self._tenant.on_lifecycle.append(self.lifecycle)

    async def stop(self) -> None:
        """Cancel all deliveries in progress."""
        self._tenant.on_user_changed.remove(self.user_changed)
        self._tenant.on_lifecycle.remove(self.lifecycle)
        for task in self._tenant.deliveries:
            task.cancel()
        await asyncio.gather(*self._tenant.deliveries, return_exceptions=True)

    def user_changed(self, user: User, change: str) -> None:
        """
        Queue an item for every subscription that covers *user*.

        Unknown: whether a change of only the photo sends one (facts/graph.md section 1).
        """
        if change == "photo" and not self._tenant.switches.photo_only_notifies:
            return
        kind = "updated" if change == "photo" else change
        for subscription in rules.live(self._tenant):
            if rules.wants(subscription, user, kind):
                item = notification_items.user_item(self._tenant, subscription, user, kind)
                self._queue(subscription, item)

    def lifecycle(self, subscription: Subscription, event: str) -> None:
        """Post a lifecycle item immediately to the lifecycle URL."""
        item = notification_items.lifecycle_item(self._tenant, subscription, event)
        url = subscription.lifecycle_url or ""
        self._spawn(self._deliver(Post(subscription, url, [item], next(self._numbers))))

    def _queue(self, subscription: Subscription, item: dict[str, Any]) -> None:
        """Lose, duplicate or delay the item as the switches say; duplicates are normal (D)."""
        switches = self._tenant.switches
        if self._rng.random() < switches.notifications_lost:
            url = subscription.notification_url
            post = Post(subscription, url, [item], next(self._numbers))
            self._journal(post, self._tenant.now(), 0, {"fault": "lost"})
            return
        twice = self._rng.random() < switches.notifications_doubled
        for _ in range(2 if twice else 1):
            self._spawn(self._gather(subscription, item))

    async def _gather(self, subscription: Subscription, item: dict[str, Any]) -> None:
        """Group the item with others of its subscription; the first item posts them all."""
        switches = self._tenant.switches
        if switches.notification_delay:
            await asyncio.sleep(self._rng.random() * switches.notification_delay)
        waiting = self._waiting.setdefault(subscription.id, [])
        waiting.append(item)
        if len(waiting) > 1:
            return
        await asyncio.sleep(switches.notification_gather)
        items = self._waiting.pop(subscription.id)
        if switches.notifications_shuffled:
            self._rng.shuffle(items)
        for start in range(0, len(items), switches.notification_batch):
            part = items[start : start + switches.notification_batch]
            url = subscription.notification_url
            self._spawn(self._deliver(Post(subscription, url, part, next(self._numbers))))

    async def _deliver(self, post: Post) -> None:
        """
        Post until a 2xx arrives within the budget.

        Documented: 3 s for the first attempt, 10 s for others, exponential backoff, up to 4 h
        (facts/graph.md section 3). Assumed: the first delay, and that it doubles.
        """
        if await self._held_back(post):
            return
        body = json.dumps({"value": self._with_foreign_items(post)}).encode()
        switches = self._tenant.switches
        budget, pause = switches.first_budget_seconds, switches.backoff_seconds
        began = time.monotonic()
        for attempt in itertools.count(1):
            status = await self._post(post, body, budget, attempt)
            late = time.monotonic() - began + pause > switches.give_up_seconds
            if 200 <= status < 300 or late or self._is_over(post):
                return
            await asyncio.sleep(pause)
            budget, pause = switches.retry_budget_seconds, pause * 2

    async def _post(self, post: Post, body: bytes, budget: float, attempt: int) -> int:
        """Make one attempt; returns its status, or 0 without an answer."""
        at, began, status = self._tenant.now(), time.perf_counter(), 0
        more: dict[str, Any] = {"attempt": attempt}
        try:
            reply = await https_post.post(
                post.url,
                body,
                content_type="application/json; charset=utf-8",
                trusted_ca=self._tenant.trusted_ca,
                budget=budget,
            )
            status = reply.status
        except https_post.Unreachable as error:
            more["fault"] = str(error)
        seconds = time.perf_counter() - began
        self._pace(post).answered(self._tenant.now(), seconds)
        self._journal(post, at, status, {**more, "ms": round(seconds * 1000, 1)})
        return status

    async def _held_back(self, post: Post) -> bool:
        """True if the endpoint is so slow that its notifications are dropped (D, section 3)."""
        if not self._tenant.switches.notification_drops:
            return False
        verdict = self._pace(post).verdict(self._tenant.now())
        if verdict == pace.DROPPED:
            self._journal(post, self._tenant.now(), 0, {"fault": "dropped"})
            return True
        if verdict == pace.DELAYED:
            await asyncio.sleep(pace.WINDOW.total_seconds())
        return False

    def _pace(self, post: Post) -> pace.Pace:
        return self._paces.setdefault(urlsplit(post.url).netloc, pace.Pace())

    def _with_foreign_items(self, post: Post) -> list[dict[str, Any]]:
        """One POST may contain items of other subscriptions and tenants (D, section 3)."""
        if not self._tenant.switches.notification_foreign or post.event:
            return post.items
        items = [*post.items, *notification_items.foreign_items(post.items[0])]
        self._rng.shuffle(items)
        return items

    def _is_over(self, post: Post) -> bool:
        """Whether the subscription has ended; the item about its removal is still delivered."""
        alive = any(one is post.subscription for one in rules.live(self._tenant))
        return not alive and post.event != "subscriptionRemoved"

    def _journal(self, post: Post, at: datetime, status: int, more: dict[str, Any]) -> None:
        """Add one entry for each user in the POST; entries of one POST share the number `post`."""
        users = dict.fromkeys(item.get("resourceData", {}).get("id") for item in post.items)
        named = {"lifecycleEvent": post.event} if post.event else {}
        for user_id in users:
            entry = {
                "at": at.isoformat(),
                "service": "delivery",
                "host": "graph",
                "method": "POST",
                "path": urlsplit(post.url).path,
                "query": "",  # it contains the webhook's key
                "status": status,
                "ms": 0.0,
                "batch": False,
                "clientId": post.subscription.app_id,
                "userId": user_id,
                "subscriptionId": post.subscription.id,
                "post": post.number,
                "items": len(post.items),
            }
            self._tenant.journal.append({**entry, **named, **more})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        # The loop keeps only weak references.
        self._tenant.deliveries.add(task)
        task.add_done_callback(self._tenant.deliveries.discard)
