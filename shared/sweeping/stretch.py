"""What one run of a sweep has done so far: some pages, of which the log is written once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.sweeping.snapshot import Part
from shared.sweeping.sweep_log import RUNNING, SweepLog

# So many pages a run: 40,000 users, two minutes of Graph's answers, and then one write. A run that
# dies does as many again.
PAGES_A_RUN = 40
# Well below `sweep.QUIET`: a sweep at work does not look like one that has lost its message.
LONGEST_RUN = timedelta(minutes=4)
# After a page that sends so many people on their way that is written down: a run that dies then
# sends only those of the pages since once more.
SENT_A_RUN = 1_000


@dataclass
class Stretch:
    """
    `sweep` is where the pages done so far have led; `found` is what Graph said on them, `gone` and
    `due` are those who may lose something, `waiting` have no turn yet, `sent` counts these and all
    who are on their way, and the next run begins after a `pause` in seconds.
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

    def give_turns(self, waiting: list[str], *, of: int) -> None:
        """Of so many who were found these wait for a turn, and the others are on their way."""
        self.waiting += waiting
        self.sent += of

    def is_over(self, now: datetime, most_pages: int) -> bool:
        """Whether it is time to write down how far the sweep is."""
        return (
            self.sweep.status != RUNNING
            or self.pages >= most_pages
            or self.sent + len(self.gone) + len(self.due) >= SENT_A_RUN
            or self.pause > 0
            or abs(now - self.began) >= LONGEST_RUN
        )
