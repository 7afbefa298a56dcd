"""The result of each replayed user, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from admin.console import person
from admin.terminal import problems
from admin.terminal.fields import Fields
from admin.terminal.output import Output
from admin.terminal.problems import Late, Problem


@dataclass
class Replayed:
    """
    One user: whether it was queued, or the problem; and with --wait how the run ended.

    `run` is the correlation id of its message, `stage` its progress, `verdict` an exit code, and
    `taken` the user that the text in `user` matched.
    """

    user: str
    before: str = ""
    user_id: str = ""
    taken: Fields = field(default_factory=lambda: Fields({}))
    run: str = ""
    queued: bool = False
    problem: Problem | None = None
    stage: str = ""
    has_ended: bool = False
    status: str = ""
    detail: str = ""
    agree: bool | None = None
    verdict: int = problems.FINE

    @property
    def called(self) -> str:
        """The name to use for this user in calls to the app."""
        return self.user_id or self.user

    @property
    def account(self) -> str:
        """The name to show for this user."""
        return self.taken.text("userPrincipalName") or self.user

    @property
    def exit_code(self) -> int:
        if self.problem:
            # One unknown user among several is not a usage error.
            code = self.problem.exit_code
            return problems.WRONG if code == problems.USAGE else code
        return self.verdict

    def as_document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"user": self.user, "queued": self.queued}
        upn = self.taken.text("userPrincipalName")
        optional = {"userId": self.user_id, "userPrincipalName": upn}
        optional |= {"status": self.status, "detail": self.detail}
        document |= {key: value for key, value in optional.items() if value}
        document |= {"agree": self.agree} if self.has_ended else {}
        return document | ({"error": str(self.problem)} if self.problem else {})

    def take(self, answer: Fields) -> None:
        """Record how the run ended, and what both sides show after it."""
        state = answer.part("state")
        self.has_ended, self.verdict = True, person.repair(answer)
        self.status = state.text("status") or "not processed yet"
        told, agree = [state.text("detail")], answer.raw.get("agree")
        self.agree = agree if isinstance(agree, bool) else None
        if self.verdict != problems.FINE and self.status != "failed":
            told += ["The two sides still differ."] if self.agree is False else []
            told.append(answer.text("difference"))
        self.detail = " ".join(one for one in told if one)


def show(results: Sequence[Replayed], output: Output) -> None:
    """Who was queued and who was not, and how each awaited run ended."""
    output.document({"users": [each.as_document() for each in results]})
    output.table(["user", "result", "detail"], [[each.account, *_result(each)] for each in results])
    left_out = [each for each in results if not each.queued]
    late = [each for each in results if each.queued and isinstance(each.problem, Late)]
    failed = [each for each in results if each.has_ended and each.status == "failed"]
    unlike = [each for each in results if each.verdict != problems.FINE and each not in failed]
    counts = [
        f"{len(results) - len(left_out)} queued",
        *([f"{len(left_out)} not queued"] if left_out else []),
        *([f"{len(failed)} failed"] if failed else []),
        *([f"{len(unlike)} still different"] if unlike else []),
        *([f"{len(late)} not finished yet"] if late else []),
    ]
    wrong = left_out or failed or unlike or late
    style = "bold red" if wrong else "green"
    output.line(f"{', '.join(counts)}." if results else "Nobody to replay.", style=style)
    troubled = [each for each in results if each.problem]
    if troubled:
        first = troubled[0]
        output.error(
            f"{len(troubled)} of {len(results)} users had a problem. The first is {first.user}: "
            f"{first.problem}"
        )


def _result(each: Replayed) -> tuple[str, str]:
    if each.problem:
        return ("queued" if each.queued else "not queued"), str(each.problem)
    return each.status or "queued", each.detail
