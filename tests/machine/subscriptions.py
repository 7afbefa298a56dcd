"""Subscriptions as Microsoft Graph keeps them (graph.md section 2), with its reported quirks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.errors import SubscriptionExists, SubscriptionGone
from shared.graph.subscriptions import CHANGE_TYPE, RESOURCE, Subscription
from tests.machine.jobs import at

URL = "https://photosync.azurewebsites.net/api/notifications?code=key"


@dataclass
class Subscriptions:
    """
    `refuses_second`: 409 if there is one already. `hides`: the list omits subscriptions, which are
    found by id. `lingers`: a subscription that Graph has reported as removed stays listed.
    """

    clock: Callable[[], datetime]
    refuses_second: bool = False
    hides: bool = False
    lingers: bool = False
    live: dict[str, Subscription] = field(default_factory=dict)
    # Still listed, but without notifications.
    stale: dict[str, Subscription] = field(default_factory=dict)
    # To be reauthorized; without notifications until then.
    unauthorized: set[str] = field(default_factory=set)
    # When the newest was created; of earlier changes there was no notification.
    made_at: datetime | None = None
    renewed_at: datetime | None = None

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    def require_reauthorization(self) -> None:
        """Graph requires all to be reauthorized, and sends no notifications until they are."""
        self.unauthorized.update(self.live)

    def remove_all(self, *, reported: bool = False) -> None:
        """All are removed; one whose removal is *reported* may stay listed."""
        if self.lingers and reported:
            self.stale.update(self.live)
        self.live.clear()

    def expire(self) -> None:
        """All have expired; Graph may list them for a while."""
        self.stale.update(
            {id_: replace(one, expires_at=self.clock()) for id_, one in self.live.items()}
        )
        self.live.clear()

    def list_own(self) -> list[Subscription]:
        return at("subscriptions", lambda: [] if self.hides else list(self._listed.values()))

    def find(self, id_: str) -> Subscription | None:
        return at("subscriptions", lambda: self._listed.get(id_))

    def create(self, url: str, client_state: str, expires_at: datetime) -> Subscription:
        def create() -> Subscription:
            if self.live and self.refuses_second:
                existing = next(iter(self.live))
                raise SubscriptionExists(f"There is {existing}.", existing)
            id_ = f"s{next(self._numbers):07d}"
            changes = frozenset(CHANGE_TYPE.split(","))
            self.live[id_] = Subscription(id_, RESOURCE, changes, url, url, expires_at)
            self.made_at = self.renewed_at = self.clock()
            return self.live[id_]

        return at("subscriptions", create)

    def renew(self, id_: str, url: str, expires_at: datetime) -> Subscription:
        def renew() -> Subscription:
            if id_ not in self.live:
                raise SubscriptionGone("Graph has no such subscription.")
            renewed = replace(self.live[id_], notification_url=url, expires_at=expires_at)
            self.live[id_] = renewed
            self.unauthorized.discard(id_)
            self.renewed_at = self.clock()
            return renewed

        return at("subscriptions", renew)

    def delete(self, id_: str) -> None:
        def delete() -> None:
            self.live.pop(id_, None)
            self.stale.pop(id_, None)

        at("subscriptions", delete)

    @property
    def _listed(self) -> dict[str, Subscription]:
        return self.live | self.stale
