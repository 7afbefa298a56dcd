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
    `refuses_second`: 409 where there is one already. `hides`: the list leaves out what is found by
    its id. `lingers`: one of which Graph has told that it is gone is shown for a while.
    """

    clock: Callable[[], datetime]
    refuses_second: bool = False
    hides: bool = False
    lingers: bool = False
    live: dict[str, Subscription] = field(default_factory=dict)
    # What still stands in the list and tells nothing.
    ghosts: dict[str, Subscription] = field(default_factory=dict)
    # What Graph waits for to be reauthorized.
    deaf: set[str] = field(default_factory=set)
    # When the newest was made: what had changed before, nobody was told of.
    made_at: datetime | None = None
    renewed_at: datetime | None = None

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)

    def doubt(self) -> None:
        """Graph wants all reauthorized, and those tell nothing until they are."""
        self.deaf.update(self.live)

    def lose(self, *, told: bool = False) -> None:
        """All are gone; of one that is *told* to be gone Graph may show the list of before."""
        if self.lingers and told:
            self.ghosts.update(self.live)
        self.live.clear()

    def expire(self) -> None:
        """The life of all is over; Graph may list them for a while."""
        self.ghosts.update(
            {id_: replace(one, expires_at=self.clock()) for id_, one in self.live.items()}
        )
        self.live.clear()

    def list_own(self) -> list[Subscription]:
        return at("subscriptions", lambda: [] if self.hides else list(self._shown.values()))

    def find(self, id_: str) -> Subscription | None:
        return at("subscriptions", lambda: self._shown.get(id_))

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
            self.deaf.discard(id_)
            self.renewed_at = self.clock()
            return renewed

        return at("subscriptions", renew)

    def delete(self, id_: str) -> None:
        def delete() -> None:
            self.live.pop(id_, None)
            self.ghosts.pop(id_, None)

        at("subscriptions", delete)

    @property
    def _shown(self) -> dict[str, Subscription]:
        return self.live | self.ghosts
