"""
A run's claim on its user: short, renewed while the run works. Why two runs never write together:

    run A  takes v1
           |<- FREE ->|<---- REQUEST_LIMIT ---->|
                  renews over v1: v2
                  |<- FREE ->|<---- REQUEST_LIMIT ---->|
                    its writes begin   and have ended
                         dies, or hangs
    run B  reads v2 ------- waits, and reads again --->| takes v2: v3
    run A                                       resumes: its renewal over v2 is refused

1. Taking and renewing are each one conditional write over the version that was read or is held.
   Of all runs that hold a version, only one replaces it.
2. A write to SharePoint begins less than FREE after its run last took or renewed the claim. It
   takes effect within REQUEST_LIMIT of its beginning or never. At that point the version is less
   than CLAIM_LENGTH old.
3. No run takes a claimed version before storage reports it to be that old, or as old as the claim
   itself says: claims of other versions of PhotoSync carry `seconds`, too, and older versions obey
   it.

So once B has v3, no write of A is in flight (2, 3), and none begins: the next one needs a renewal
(2) over a version that no longer exists (1). If A resumes before B takes over, however late, A
still holds the newest version: it renews and continues, and B is refused.

Storage tells the age of a version by the times in one response. A measures the time since its last
renewal itself, from before the renewal was sent, by a clock that cannot be set. So clocks of two
machines are never compared. Nothing renews the claim while a run waits or computes: a wait may
outlast the claim, since the run finds out before its next write whether the claim was taken.
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

# In seconds: how long a dead run blocks its user. With storage's resolution of whole seconds, a
# check that comes late and the copy itself, the picture is right within 90 seconds.
CLAIM_LENGTH = 80.0
FREE = CLAIM_LENGTH - REQUEST_LIMIT


class HeldClaim:
    """The claim of *run*, which keeps the state as it was read and as it was last written."""

    def __init__(self, store: Store, run: Run, ticks: Callable[[], float]) -> None:
        self._store = store
        self._run = run
        self._ticks = ticks
        self._not_after = -math.inf
        # Three files are uploaded concurrently.
        self._lock = threading.Lock()

    def take(self) -> None:
        """Claim the user over the state as it was read. Raises Conflict, ServiceDown."""
        run = self._run
        self._write(replace(run.before, claim=Claim(run.by, CLAIM_LENGTH)), run.known)

    def announce(self, picture_url: str) -> None:
        """Record the picture's future URL, which also renews the claim. Raises as `take` does."""
        with self._lock:
            held = self._held
            if held.state.picture_url != picture_url:
                self._write(replace(held.state, picture_url=picture_url), held)

    def before_write(self) -> None:
        """
        Return if a write to SharePoint may begin now; renew the claim first if it is too old.

        Raises ClaimLost if another run has taken the user, or if the renewal itself took too long
        to cover a write; ServiceDown if storage does not answer.
        """
        with self._lock:
            if self._covers_a_write():
                return
            self._renew()
            if not self._covers_a_write():
                raise ClaimLost("Storage was too slow: the claim does not cover another write.")

    @property
    def version(self) -> str:
        """The version of the state that this claim last wrote."""
        return self._held.version

    def _covers_a_write(self) -> bool:
        return self._ticks() <= self._not_after

    def _renew(self) -> None:
        try:
            self._write(self._held.state, self._held)
        except Conflict as error:
            raise ClaimLost("Another run has taken over this user.") from error

    @property
    def _held(self) -> Stored:
        assert self._run.claim, "the claim was taken"
        return self._run.claim

    def _write(self, state: UserState, after: Stored | None) -> None:
        began = self._ticks()
        self._run.claim = user_state.write(self._store, state, after=after)
        self._not_after = began + FREE
