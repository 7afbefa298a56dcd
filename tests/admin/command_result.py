"""The result of a command of manage.py."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, NamedTuple


class CommandResult(NamedTuple):
    """Its exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The lines of CSV."""
        return list(csv.DictReader(io.StringIO(self.out)))

    @property
    def states(self) -> dict[str, str]:
        """After `grant`: the state of each right, such as `Microsoft Graph User.Read.All`."""
        steps = self.document["steps"]
        return {f"{step['on']} {step['right']}": step["state"] for step in steps}


def assert_one_sentence(result: CommandResult, code: int, *words: str) -> None:
    """It ended with *code*, nothing on stdout, and one sentence with *words* on stderr."""
    assert (result.code, result.out) == (code, ""), result
    assert result.err.count("\n") == 1, result.err
    assert result.err.rstrip().endswith("."), result.err
    for word in words:
        assert word in result.err, result.err


def assert_printed(result: CommandResult, code: int, *words: str, err: str | None = None) -> None:
    """It ended with *code*, with *words* on stdout, and with *err* on stderr; "" is nothing."""
    assert result.code == code, result
    for word in words:
        assert word in result.out, result.out
    if err is not None:
        assert err in result.err if err else result.err == "", result.err
