"""Follows replays to their end: the progress of each, and what both sides show afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from admin.console.cli import Cli
from admin.console.console import Console
from admin.console.replay_result import Replayed
from admin.terminal.fields import Fields
from admin.terminal.output import Report
from admin.terminal.problems import Late, NotFound, Problem, Unsound
from admin.terminal.waiting import wait_until

# Users polled between pauses; each costs the app one read.
_POLLS = 10
_QUEUE = "photo-sync"


def seen_before(console: Console, user: str) -> str:
    """When the user was last checked, to tell an earlier run's wait from this one's."""
    try:
        return console.state(user).part("state").text("checkedAt")
    except Unsound:
        # Graph cannot be asked, and no state is stored; a replay can still be queued.
        return ""


def await_all(cli: Cli, results: Sequence[Replayed], *, seconds: float) -> None:
    """Wait until every queued run has ended; those that have not get a Late."""
    following = _Following(cli.console, [each for each in results if each.queued])
    if not following.open:
        return
    with cli.output.progress("Processing") as report:
        following.report = report
        try:
            wait_until(following.poll, seconds=seconds, late="")
        except Late:
            for each in following.open:
                stage = (each.stage or following.queued).rstrip(".")
                each.problem = Late(
                    f"Not finished within {seconds:.0f} seconds: {stage}. It continues; see "
                    "manage.py status USER."
                )
        except Problem as problem:
            for each in following.open:
                each.problem = problem


class _Following:
    """The runs that have not ended, updated by each poll of the app."""

    def __init__(self, console: Console, replays: list[Replayed]) -> None:
        self.open = replays
        self.queued = "queued"
        self.report: Report = lambda done, of, sentence="": None
        self._console = console
        self._all = len(replays)
        self._empty = 0

    def poll(self) -> bool | None:
        """Poll some of them; True when none is left."""
        overview = self._console.overview()
        others = overview.part("queues").number(_QUEUE) - 1
        self.queued = f"queued behind up to {others} messages" if others > 0 else "queued"
        # Hidden messages count, too, so an empty queue means that every run is over, even one that
        # left no mark (its state was deleted, say). Seen twice, in case the first count is old.
        self._empty = 0 if others >= 0 else self._empty + 1
        self._see_set_aside(overview)
        for each in [one for one in self.open if not one.problem][: self._polls]:
            try:
                self._poll_one(each)
            except NotFound as problem:
                each.problem = problem
            except Unsound as problem:
                each.stage = str(problem)
        remaining = [each for each in self.open if not each.has_ended and not each.problem]
        # Those not polled yet come first next time.
        self.open = [*remaining[_POLLS:], *remaining[:_POLLS]]
        self.report(self._all - len(self.open), self._all, self._summary())
        return None if self.open else True

    @property
    def _polls(self) -> int:
        return self._all if self._is_empty else _POLLS

    @property
    def _is_empty(self) -> bool:
        return self._empty >= 2

    def _poll_one(self, each: Replayed) -> None:
        answer = self._console.state(each.called)
        state = answer.part("state")
        replays = state.raw.get("replays")
        if self._is_empty or (isinstance(replays, list) and each.run in replays):
            # Only once, at the end: it reads both sides.
            each.take(self._console.user(each.called))
        else:
            each.stage = _stage(answer, each)

    def _see_set_aside(self, overview: Fields) -> None:
        """A message that was set aside leaves no state; usually the user does not exist."""
        for aside in overview.parts("unreadable"):
            for each in self.open:
                if each.run and each.run in aside.text("body"):
                    each.problem = NotFound(aside.text("reason"))

    def _summary(self) -> str:
        stages = Counter(each.stage or self.queued for each in self.open)
        if self._all == 1:
            return "".join(f"{self.open[0].user}: {stage}" for stage in stages)
        return "; ".join(f"{count} {stage}" for stage, count in stages.most_common(3))


def _stage(answer: Fields, each: Replayed) -> str:
    """The stage of a run that has not ended; empty while it waits in the queue."""
    state = answer.part("state")
    claim, now = state.part("claim"), answer.moment("asOf")
    ends = claim.moment("expiresAt")
    if ends and now and ends > now:
        is_ours = claim.text("by") == each.run
        return "copying" if is_ours else "waiting for another run that copies this user"
    if state.text("status") == "waiting" and state.text("checkedAt") != each.before:
        until = state.moment("nextAttemptAt")
        why = state.text("detail") or state.text("reason")
        return f"waiting until {until:%H:%M:%SZ}: {why}" if until else f"waiting: {why}"
    return ""
