"""
How a command can end: the exit codes, and every error that a person is told of.

Problem                 one sentence that says what to do, and an exit code
|-- NotThere            1; nobody, or nothing, is known by that name
|-- Unusable            2; the command line, a file or the environment must be changed
|-- Unreachable         3; no connection, no trust in the certificate, or the key is not accepted
|   `-- Refused         3; Entra, Graph or the app does not let you; the sentence says what it takes
|-- Unsound             4; the app answered, but with an error or with something else than asked
|   `-- Busy            and says, perhaps, when to ask again
`-- Late                5; it was waited for, and time ran out
"""

from __future__ import annotations

from collections.abc import Mapping

FINE, WRONG, USAGE, UNREACHABLE, UNSOUND, LATE, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

EXIT_CODES: Mapping[int, str] = {
    FINE: "fine",
    WRONG: "something is wrong with what was asked about",
    USAGE: "the command line, a file or the environment is not usable",
    UNREACHABLE: "the app or Microsoft Graph cannot be reached, or does not let you in",
    UNSOUND: "the app or Graph answered with an error, or with something unexpected",
    LATE: "what was waited for was not over in time; it goes on",
    INTERRUPTED: "stopped with Ctrl-C",
}


class Problem(Exception):
    """The command cannot go on; the text is for the person who typed it."""

    exit_code = UNSOUND


class NotThere(Problem):
    """`code` is the app's own word for why, if it has one."""

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
    """`retry_after` is seconds, None where the app does not say."""

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Late(Problem):
    exit_code = LATE


class Stopped(Problem):
    """A person has stopped the command with Ctrl-C."""

    exit_code = INTERRUPTED
