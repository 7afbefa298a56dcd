"""
How a command can end: the exit codes, and every error that people see.

Problem                 one sentence that says what to do, and an exit code
|-- NotFound            1; no user or object has that name
|-- Unusable            2; the command line, a file or the environment must be changed
|-- Unreachable         3; no connection, an untrusted certificate, or a key that is not accepted
|   `-- Refused         3; Entra, Graph or the app denies access; the sentence says what is needed
|-- Unsound             4; the app answered with an error, or with something unexpected
|   `-- Busy            4; and it may say when to ask again
|-- Late                5; the timeout passed
`-- Stopped             130; Ctrl-C
"""

from __future__ import annotations

from collections.abc import Mapping

FINE, WRONG, USAGE, UNREACHABLE, UNSOUND, LATE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

EXIT_CODES: Mapping[int, str] = {
    FINE: "success",
    WRONG: "a problem was found, nothing matched, or the answer was no",
    USAGE: "the command line, a file or the environment is not valid",
    UNREACHABLE: "the app or Microsoft Graph cannot be reached, or denies access",
    UNSOUND: "the app or Microsoft Graph answered with an error, or with something unexpected",
    LATE: "the timeout passed; the work continues in the background",
    INTERRUPTED: "stopped with Ctrl-C",
}


class Problem(Exception):
    """The command cannot continue; the text is for the person who typed it."""

    exit_code = UNSOUND


class NotFound(Problem):
    """`code` is the reason code that the app sent, if any."""

    exit_code = WRONG

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code


class Unusable(Problem):
    exit_code = USAGE


class Unreachable(Problem):
    exit_code = UNREACHABLE


class Refused(Unreachable):
    pass


class Unsound(Problem):
    exit_code = UNSOUND


class Busy(Unsound):
    """`retry_after` is in seconds, None if the app does not say."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Late(Problem):
    exit_code = LATE


class Stopped(Problem):
    """The user stopped the command with Ctrl-C."""

    exit_code = INTERRUPTED
