"""The result of a command of manage.py."""

from __future__ import annotations

import csv
import io
import json
from typing import Any, NamedTuple


class Said(NamedTuple):
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


def assert_one_sentence(said: Said, code: int, *words: str) -> None:
    """It ended with *code*, nothing on stdout, and one sentence with *words* on stderr."""
    assert (said.code, said.out) == (code, ""), said
    assert said.err.count("\n") == 1, said.err
    assert said.err.rstrip().endswith("."), said.err
    for word in words:
        assert word in said.err, said.err


def assert_told(said: Said, code: int, *words: str, err: str | None = None) -> None:
    """It ended with *code*, with *words* on stdout, and with *err* on stderr; "" is nothing."""
    assert said.code == code, said
    for word in words:
        assert word in said.out, said.out
    if err is not None:
        assert err in said.err if err else said.err == "", said.err
