"""The plan of a burst: its POSTs with their notifications, and the photos that change."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from local.bench.measuring.settled_tenant import Resident


@dataclass(frozen=True)
class Scale:
    """
    The size of a burst; one user in ten gets another photo.

    Unless the messages are processed meanwhile, the copying starts after the last POST.
    """

    users: int
    seconds: float
    items_a_post: int
    worked_off_meanwhile: bool = True
    notifications_a_user: int = 10
    seed: int = 1

    @property
    def changed(self) -> int:
        return self.users // 10

    def __str__(self) -> str:
        notifications = self.users * self.notifications_a_user
        return f"{notifications:,} notifications for {self.users:,} users in {self.seconds:g} s"


WHOLE = Scale(users=2_000, seconds=60, items_a_post=100, worked_off_meanwhile=False)
# The same number of items a second, and as few of one user in a POST.
QUARTER = Scale(users=500, seconds=15, items_a_post=25)


class Post(NamedTuple):
    """The users whose photo changes just before a POST, and the users that its items are about."""

    changed: list[Resident]
    about: list[Resident]


def posts(users: Sequence[Resident], scale: Scale) -> list[Post]:
    """All POSTs in order; after each photo change at least one notification follows."""
    rng = random.Random(scale.seed)
    items = list(users) * scale.notifications_a_user
    rng.shuffle(items)
    # How many notifications each of these users gets while still having the old photo.
    early = {user.id: rng.randrange(scale.notifications_a_user) for user in users[: scale.changed]}
    found: list[Post] = []
    for start in range(0, len(items), scale.items_a_post):
        about = items[start : start + scale.items_a_post]
        found.append(Post(_changed(about, early), about))
    return found


def _changed(about: Sequence[Resident], early: dict[str, int]) -> list[Resident]:
    """The users whose photo changes now; remove them from *early*, and count down the others."""
    changed = []
    for user in about:
        if early.get(user.id) == 0:
            changed.append(user)
            del early[user.id]
        elif user.id in early:
            early[user.id] -= 1
    return changed
