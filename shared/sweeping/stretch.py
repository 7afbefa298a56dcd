"""What one run of a sweep has done so far: several pages, for which the log is written once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.sweeping.snapshot import Part
from shared.sweeping.sweep_log import RUNNING, SweepLog

# 40,000 users: two minutes of Graph's answers, then one write. A run that dies repeats at most this
# many pages.
PAGES_A_RUN = 40
# Well below `sweep.QUIET`, so that a working sweep is never mistaken for one with a lost message.
LONGEST_RUN = timedelta(minutes=4)
# A run that has sent this many users writes the log after that page: if it dies later, only the
# users of later pages are sent twice.
SENT_A_RUN = 1_000


@dataclass
class Stretch:
    """
    `sweep` is the log after the pages done so far. `found` is what Graph said on them; `gone` and
    `due` are users who may lose something; `waiting` are users who wait for a fill; `sent` counts
    these and all who are queued. The next run begins after a `pause` in seconds.
    """

    sweep: SweepLog
    began: datetime
    pages: int = 0
    users: int = 0
    sent: int = 0
    pause: float = 0.0
    found: Part = field(default_factory=Part)
    gone: list[str] = field(default_factory=list)
    due: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def record_queued(self, waiting: list[str], *, of: int) -> None:
        """Record that *of* users were found: those *waiting* must wait, the others are queued."""
        self.waiting += waiting
        self.sent += of

    def is_over(self, now: datetime, most_pages: int) -> bool:
        """Whether to write the sweep's progress now."""
        return (
            self.sweep.status != RUNNING
            or self.pages >= most_pages
            or self.sent + len(self.gone) + len(self.due) >= SENT_A_RUN
            or self.pause > 0
            or abs(now - self.began) >= LONGEST_RUN
        )
