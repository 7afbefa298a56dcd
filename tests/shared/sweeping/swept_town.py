"""A sweep by the product's own classes of a small tenant whose stores are in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shared.errors import NoPhoto, PhotoSyncError
from shared.graph.user_listing import UserPage
from shared.storage import user_state
from shared.storage.user_state import SYNCED, UserState
from shared.sweeping.state_page import StateChecker
from shared.sweeping.sweep import Sweep
from shared.sweeping.sweep_page import PageChecker
from shared.sweeping.turns import FEW
from shared.user import User
from tests.machine.storage import MemoryStates
from tests.machine.tenant import check_scope, users
from tests.shared.sweeping.sweeping_alone import NOON, Stores

USERS_A_PAGE = 2


class Town(Stores):
    """
    A tenant of *people* users, all copied with the photo "A"; Graph lists them two a page.

    `meanwhile` runs when Graph is asked for photos; `errors` replace pages of the list, by path.
    """

    def __init__(self, people: int, *, pages_a_run: int = 40) -> None:
        super().__init__()
        self.people = users(people)
        self.photos = {user.id: "A" for user in self.people}
        self.errors: dict[str, PhotoSyncError] = {}
        self.states = MemoryStates(self.blobs)
        self._pages_a_run = pages_a_run
        for user in self.people:
            self.states.create(copied(user, "A"))

    def instance(self) -> Sweep:
        """The sweep of another instance of the app."""
        checker = PageChecker(
            self,
            self.states,
            check_scope=check_scope,
            sizes="s",
            recipe=1,
            dry_run=False,
            removes=True,
            clock=self.clock,
        )
        state_pages = StateChecker(
            *(self.states, Directory(self), checker),
            check_scope=check_scope,
            forget_after=None,
            clock=self.clock,
        )
        return self.sweep_over(
            *(self, checker, state_pages, self.states), pages_a_run=self._pages_a_run, few=FEW
        )

    def page(self, path: str = "") -> UserPage:
        if path in self.errors:
            raise self.errors[path]
        start = int(path or 0)
        end = start + USERS_A_PAGE
        return UserPage(self.people[start:end], str(end) if end < len(self.people) else "")

    def photo_etags(self, user_ids: Sequence[str]) -> dict[str, str | PhotoSyncError]:
        found: dict[str, str | PhotoSyncError] = {
            each: self.photos.get(each) or NoPhoto("No photo.") for each in user_ids
        }
        self.meanwhile()
        return found

    def copy(self, user: User, etag: str) -> None:
        """Write the state that a run of the worker leaves."""
        read = self.states.read(user.id)
        user_state.write(self.states, copied(user, etag), after=read)

    def run(self, sweep: Sweep) -> None:
        """Process all remaining pages of a sweep that has begun."""
        while self.log.status == "running":
            sweep.process(self.log.id, self.log.page)

    def queued(self) -> list[str]:
        """The users sent to the worker."""
        return sorted(json.loads(each.body)["userId"] for each in self.users.messages)

    def parts(self) -> list[str]:
        """The names of all stored parts of snapshots."""
        return [name for name in self.blobs.texts if "/found-" in name]


class Directory:
    """Graph's answer about users by id."""

    def __init__(self, town: Town) -> None:
        self._town = town

    def users(self, user_ids: Sequence[str]) -> dict[str, User | PhotoSyncError]:
        by_id = {user.id: user for user in self._town.people}
        return {each: by_id[each] for each in user_ids}


def copied(user: User, etag: str) -> UserState:
    return UserState(
        user.id,
        status=SYNCED,
        source_etag=etag,
        picture_url="u",
        sizes="s",
        recipe=1,
        checked_at=NOON,
    )
