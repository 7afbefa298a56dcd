"""What became of each user that was replayed, and how it is awaited and told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from admin.console.console import Console
from admin.console.desk import Desk
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.output import Output
from admin.terminal.problems import Late, NotThere, Problem, Unsound
from admin.terminal.waiting import wait_until

# A look at a user costs the app calls to Graph and SharePoint: so many at most between pauses.
_LOOKS = 10


@dataclass
class Replayed:
    """One user: queued or the problem that kept it from that, and how the run ended if awaited."""

    user: str
    before: str = ""
    user_id: str = ""
    queued: bool = False
    problem: Problem | None = None
    status: str = ""
    detail: str = ""

    @property
    def called(self) -> str:
        """How to ask the app for this user."""
        return self.user_id or self.user

    @property
    def exit_code(self) -> int:
        if self.problem:
            # Of several users one may be unknown, which is not how the command was called.
            code = self.problem.exit_code
            return problems.WRONG if code == problems.USAGE else code
        return problems.WRONG if self.status == "failed" else problems.FINE

    def as_document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"user": self.user, "queued": self.queued}
        optional = {"userId": self.user_id, "status": self.status, "detail": self.detail}
        document |= {key: value for key, value in optional.items() if value}
        return document | ({"error": str(self.problem)} if self.problem else {})

    def take(self, state: Fields) -> None:
        self.status, self.detail = state.text("status"), state.text("detail")


def seen_before(console: Console, user: str) -> str:
    """When the user was last looked at; a later answer tells that the replay is over."""
    try:
        return console.user(user).part("state").text("checkedAt")
    except Unsound:
        # Graph cannot be asked, and nothing is remembered: a replay can be queued all the same.
        return ""


def await_all(desk: Desk, results: Sequence[Replayed], *, seconds: float) -> None:
    """Wait until every queued user has been looked at; who has not been then gets a Late."""
    queued = [each for each in results if each.queued]
    if not queued:
        return
    late = f"Not looked at within {seconds:.0f} seconds: it goes on; see manage.py status."
    open_ = list(queued)
    with desk.output.progress("Looking again") as report:
        try:
            wait_until(_look(desk.console, open_, len(queued), report), seconds=seconds, late=late)
        except Problem as problem:
            for each in open_:
                each.problem = problem


def _look(
    console: Console, open_: list[Replayed], of: int, report: Callable[[int, int], None]
) -> Callable[[], bool | None]:
    empty = 0

    def look() -> bool | None:
        nonlocal empty
        # A run that finds everything as it was need not write that down: then only the queue,
        # which counts hidden messages too, tells that it is over. Twice, as the count is a guess.
        empty = 0 if console.overview().part("queues").number("photo-sync") else empty + 1
        for each in open_ if empty >= 2 else open_[:_LOOKS]:
            try:
                state = console.user(each.called).part("state")
            except NotThere as problem:
                each.problem = problem
                continue
            if empty >= 2 or _is_over(state, each.before):
                each.take(state)
        remaining = [each for each in open_ if not each.status and not each.problem]
        # Those that were not asked for stand first now.
        open_[:] = [*remaining[_LOOKS:], *remaining[:_LOOKS]] if empty < 2 else []
        report(of - len(open_), of)
        return None if open_ else True

    return look


def _is_over(state: Fields, before: str) -> bool:
    looked = state.text("checkedAt") not in {"", before}
    return looked and not state.part("claim") and state.text("status") != "waiting"


def show(results: Sequence[Replayed], output: Output) -> None:
    """Who was queued, how it ended where it was awaited, and who could not be queued."""
    output.document({"users": [each.as_document() for each in results]})
    output.table(["user", "result", "detail"], [[each.user, *_told(each)] for each in results])
    left_out = [each for each in results if not each.queued]
    late = [each for each in results if each.queued and isinstance(each.problem, Late)]
    failed = [each for each in results if each.queued and each.status == "failed"]
    counts = [
        f"{len(results) - len(left_out)} queued",
        *([f"{len(left_out)} not queued"] if left_out else []),
        *([f"{len(failed)} failed"] if failed else []),
        *([f"{len(late)} not over yet"] if late else []),
    ]
    wrong = left_out or failed or late
    style = "bold red" if wrong else "green"
    output.line(f"{', '.join(counts)}." if results else "Nobody to replay.", style=style)
    troubled = [each for each in results if each.problem]
    if troubled:
        first = troubled[0]
        output.complain(
            f"{len(troubled)} of {len(results)} users had a problem, first {first.user}: "
            f"{first.problem}"
        )


def _told(each: Replayed) -> tuple[str, str]:
    if each.problem:
        return ("queued" if each.queued else "not queued"), str(each.problem)
    return each.status or "queued", each.detail
