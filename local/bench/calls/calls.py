"""The number of calls that each case costs; exact, so tests assert it too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from local.bench.calls.cases import KINDS, Case, Unexpected, cases
from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.ledger import BLOB, BUDGET, GRAPH, HOST, UNKNOWN
from local.bench.measuring.rows import Row
from local.bench.measuring.settled_tenant import SettledTenant
from local.cloud.stack import Stack
from local.soak.pictures import pictures

USERS, CHANGED = 1_000, 50


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Every case once: a count has no noise."""
    # So that an audit of all users need not wait; its cost is the same.
    settings = {**SETTINGS, "AUDIT_SHARE": "1"}
    with Stack(folder, settings=settings, log_storage=True) as stack:
        tenant = SettledTenant(stack, pictures(12))
        found = list(cases(tenant, USERS, CHANGED, say))
    return rows_of(found, folder)


def rows_of(found: Sequence[Case], folder: Path) -> list[Row]:
    """The rows of the table; *folder* gets the evidence for each case over its goals."""
    of_cases = (row for case in found for row in _of_case(case, folder))
    return [*of_cases, *_of_budget(found), _unknown(found)]


def _of_case(case: Case, folder: Path) -> Iterator[Row]:
    """One row for all calls of the app; with goals, one for each kind, including the host's."""
    if not case.goals:
        note = "; ".join(filter(None, [str(case), case.remark]))
        yield Row("calls", case.what, case.total, "", note=note)
        return
    # An audit makes no calls to Graph, as its goal says.
    if not all(case.calls[kind] for kind in (GRAPH, BLOB) if case.goals.get(kind, 1)):
        raise Unexpected(f"{case.what}: not a call of Graph or of blobs was counted.")
    note = f"counted: {_kept(case, folder)}" if case.over else case.remark
    for kind in (*KINDS, HOST):
        goal = case.goals.get(kind)
        if case.calls[kind] or goal:
            yield Row(
                "calls",
                f"{case.what}: {kind}",
                case.calls[kind],
                "",
                goal=goal,
                note=note if kind in (case.over or [BLOB]) else "",
            )


def _kept(case: Case, folder: Path) -> Path:
    file = folder / f"{case.what.replace(' ', '-').replace(',', '')}.txt"
    file.write_text("\n".join(case.told) + "\n", encoding="utf-8")
    return file


def _of_budget(found: Sequence[Case]) -> Iterator[Row]:
    calls = sum(case.calls[BUDGET] for case in found)
    note = "blob calls by which instances share the profile calls, in no row above"
    if calls:
        yield Row("calls", "all cases: calls of the budget", calls, "", note=note)


def _unknown(found: Sequence[Case]) -> Row:
    calls = sum(case.calls[UNKNOWN] for case in found)
    note = "without the app's token, or of storage what neither app nor host is known to ask"
    return Row("calls", "all cases: calls of no known kind", calls, "", goal=0, note=note)
