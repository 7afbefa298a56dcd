"""
A run's claim on its user: short, and renewed by whoever still works. Why two runs never write:

    run A  takes v1
           |<- FREE ->|<---- REQUEST_LIMIT ---->|
                  renews over v1: v2
                  |<- FREE ->|<---- REQUEST_LIMIT ---->|
                    its writes begin   and are over
                         dies, or stops
    run B  meets v2 ------- waits, and looks again --->| takes v2: v3
    run A                                       wakes up: its renewal over v2 is refused

1. Taking and renewing are one conditional write over the version that was read or is held. Of all
   who hold a version one replaces it.
2. A write to SharePoint begins less than FREE after its run last took or renewed, and is carried
   out within REQUEST_LIMIT of its beginning if at all: by then the version is less than
   CLAIM_LENGTH old.
3. Nobody takes a claimed version before storage calls it that old, or as old as it says itself:
   claims of other versions of PhotoSync say so in `seconds`, too, and older ones go by that.

So when B has v3, no write of A's is under way (2, 3) and none begins, since the next one needs a
renewal (2) over a version that is no more (1). A that wakes up before B, however late, still holds
the newest version: it renews and goes on, and it is B who is refused.

How old a version is storage tells by the times of one answer; how long ago A renewed A measures
itself, by a clock that nobody sets, since before the renewal was sent. So no two machines' clocks
are compared. Nothing renews while a run waits or computes: a wait may outlast the claim, since
whoever comes to write finds out then whether it was taken.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import replace

from shared.copying.run import Run
from shared.errors import ClaimLost, Conflict
from shared.microsoft365.http import REQUEST_LIMIT
from shared.storage import user_state
from shared.storage.user_state import Claim, Store, Stored, UserState

# In seconds: a run that died keeps its user from others for so long. With the whole seconds in
# which storage tells time, a look too late and the copy itself, the picture is right within 90.
CLAIM_LENGTH = 80.0
FREE = CLAIM_LENGTH - REQUEST_LIMIT


class HeldClaim:
    """The claim of *run*, which knows the state and holds what was written last."""

    def __init__(self, store: Store, run: Run, ticks: Callable[[], float]) -> None:
        self._store = store
        self._run = run
        self._ticks = ticks
        self._not_after = -math.inf
        # Three files are uploaded at once.
        self._lock = threading.Lock()

    def take(self) -> None:
        """Claim the user over the state as it was read. Raises Conflict, ServiceDown."""
        run = self._run
        self._write(replace(run.before, claim=Claim(run.by, CLAIM_LENGTH)), run.known)

    def announce(self, picture_url: str) -> None:
        """Write down where a picture will be; by that the claim is new. Raises as `take` does."""
        with self._lock:
            held = self._held
            if held.state.picture_url != picture_url:
                self._write(replace(held.state, picture_url=picture_url), held)

    def before_write(self) -> None:
        """
        Return if a write to SharePoint may begin now; renew the claim if it covers none any more.

        Raises ClaimLost if somebody else has taken the user, or the renewal itself took so long
        that it covers none either; ServiceDown if storage does not answer.
        """
        with self._lock:
            if self._covers_a_write():
                return
            self._renew()
            if not self._covers_a_write():
                raise ClaimLost("Storage was too slow for writing safely under a claim.")

    @property
    def version(self) -> str:
        """Of the state, as this claim last wrote it."""
        return self._held.version

    def _covers_a_write(self) -> bool:
        return self._ticks() <= self._not_after

    def _renew(self) -> None:
        try:
            self._write(self._held.state, self._held)
        except Conflict as error:
            raise ClaimLost("Another run has taken this user over meanwhile.") from error

    @property
    def _held(self) -> Stored:
        assert self._run.claim, "it was taken"
        return self._run.claim

    def _write(self, state: UserState, after: Stored | None) -> None:
        began = self._ticks()
        self._run.claim = user_state.write(self._store, state, after=after)
        self._not_after = began + FREE
