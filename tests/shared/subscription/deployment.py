"""Graph's subscriptions without a network, and deployments of PhotoSync that use them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from shared.errors import PhotoSyncError, SubscriptionExists, SubscriptionGone
from shared.graph.subscriptions import CHANGE_TYPE, RESOURCE, Subscription
from shared.subscription.keeper import NAME, SubscriptionKeeper
from tests.doubles.memory_documents import MemoryDocuments
from tests.doubles.office import Clock

URL = "https://photosync.contoso.com/api/notifications?code=first-key"
STATE = "first-state"
LIFE = timedelta(minutes=41_000)
APART = timedelta(minutes=10)
AT_WORK = timedelta(minutes=1)
CHANGES = frozenset(CHANGE_TYPE.split(","))


class Graph:
    """Allows one live subscription for users and these changes; `shows` filters its list."""

    def __init__(self, clock: Clock) -> None:
        self.live: dict[str, Subscription] = {}
        self.called: list[str] = []
        self.states: dict[str, str] = {}
        self.shows: Callable[[list[Subscription]], list[Subscription]] = lambda all_: all_
        self.tells_existing = True
        self.revives = False  # whether renewing an expired one works; unknown of the real Graph
        # What happens at the next creation, before Graph checks.
        self.at_create: list[Callable[[], object]] = []
        self.error: PhotoSyncError | None = None
        self._clock = clock
        self._ids = (f"subscription-{number}" for number in itertools.count(1))

    def list_own(self) -> list[Subscription]:
        self.called.append("list_own")
        if self.error:
            raise self.error
        return self.shows(list(self.live.values()))

    def find(self, id_: str) -> Subscription | None:
        one = self.live.get(id_)
        # Hides the same fields as the list; a list that leaves it out does not matter.
        return (self.shows([one]) or [one])[0] if one else None

    def create(self, url: str, client_state: str, expires_at: datetime) -> Subscription:
        self.called.append("create")
        if self.at_create:
            self.at_create.pop(0)()
        for one in self.live.values():
            if one.changes == CHANGES and one.expires_at > self._clock():
                existing_id = one.id if self.tells_existing else ""
                raise SubscriptionExists("Graph already has a subscription.", existing_id)
        return self.make(url, client_state, expires_at)

    def make(self, url: str, state: str, expires_at: datetime, *changes: str) -> Subscription:
        """Create one without checking any rule."""
        which = frozenset(changes) or CHANGES
        one = Subscription(next(self._ids), RESOURCE, which, url, url, expires_at)
        self.live[one.id], self.states[one.id] = one, state
        return one

    def renew(self, id_: str, url: str, expires_at: datetime) -> Subscription:
        self.called.append("renew")
        expired = id_ in self.live and self.live[id_].expires_at <= self._clock()
        if id_ not in self.live or (expired and not self.revives):
            raise SubscriptionGone("Graph has no such subscription.")
        self.live[id_] = replace(self.live[id_], notification_url=url, expires_at=expires_at)
        return self.live[id_]

    def delete(self, id_: str) -> None:
        self.live.pop(id_, None)


@dataclass
class Deployment:
    """One PhotoSync, with the storage that all its instances share."""

    clock: Clock = field(default_factory=Clock)
    url: str = URL
    state: str = STATE
    warmed: list[str] = field(default_factory=list)
    sweeps: int = 0

    def __post_init__(self) -> None:
        self.graph = Graph(self.clock)
        self.documents = MemoryDocuments()

    @property
    def keeper(self) -> SubscriptionKeeper:
        """A new instance, which knows only what is in storage."""
        return SubscriptionKeeper(
            self.graph,
            self.documents,
            url=self.url,
            client_state=self.state,
            warm=self.warmed.append,
            missed=self._ask_for_sweep,
            clock=self.clock,
        )

    def keep(self) -> Subscription:
        """Keep it, and return the only live one."""
        self.keeper.keep()
        return self.only

    @property
    def only(self) -> Subscription:
        (one,) = (one for one in self.graph.live.values() if one.expires_at > self.clock())
        return one

    @property
    def works(self) -> bool:
        """Whether notifications arrive and are accepted."""
        one = self.only
        right = one.notification_url == self.url and self.graph.states[one.id] == self.state
        return right and one.changes == CHANGES

    @property
    def memory(self) -> dict[str, object]:
        return self.documents.blobs[NAME].fields

    def forget(self) -> None:
        del self.documents.blobs[NAME]

    def _ask_for_sweep(self) -> None:
        self.sweeps += 1


def neighbour(of: Deployment) -> Deployment:
    """Another deployment with the same app registration, and storage of its own."""
    other = Deployment(of.clock, "https://elsewhere.contoso.com/api/notifications?code=k", "other")
    other.graph = of.graph
    return other
