"""The table's rows about changes on their path to SharePoint."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.bench.measuring.concurrency import AT_ONCE, LONGEST_POLL
from local.bench.measuring.conditions import GRAPH_WAITS, LATENCY, LIMITS
from local.bench.measuring.percentile import percentile
from local.bench.measuring.rows import Row, of_rounds
from local.bench.measuring.spent import Spent
from local.bench.visible.visible_steps import STEPS, Change, most_at_once

_GOAL_P50, _GOAL_P95 = 1.1, 1.7
# Of an instance of 2 GB (functions.md, "Python", documented).
_CORES = 1
# A batch is one request, in which the user, the photo and then the ETag wait for each other; the
# profile is read in parallel. Then the files, in parallel, and then the timestamp.
_ON_THE_WAY = {"graph": 1 + (1 + 3), "sharepoint": 1 + 1}
_LATENCIES = sum(LATENCY[service] * times for service, times in _ON_THE_WAY.items()) / 1000


@dataclass(frozen=True)
class Alone:
    """Changes one at a time, and the number of wrong pictures after them."""

    changes: Sequence[Change]
    wrong: int


@dataclass(frozen=True)
class Burst:
    """Many changes at once, and whether any limit except our own was reached."""

    changes: Sequence[Change]
    throttled: int
    profile_calls: int
    wrong: int


def alone_rows(alone: Alone) -> Iterator[Row]:
    """Each change is a round."""
    seconds = [change.seconds for change in alone.changes]
    yield of_rounds(
        "visible",
        "one at a time: p50",
        seconds,
        "s",
        goal=_GOAL_P50,
        floor=_LATENCIES + 0.5 * LONGEST_POLL,
        floor_is=f"{_LATENCIES:.2f} s are the services' answers of which each waits for the one "
        f"before; and half of the {LONGEST_POLL:g} s between two looks at the queue",
    )
    yield Row(
        "visible",
        "one at a time: p95",
        percentile(seconds, 95),
        "s",
        goal=_GOAL_P95,
        floor=_LATENCIES + 0.95 * LONGEST_POLL,
        floor_is="the same answers, and 95 % of such a while",
        note=f"of the same {len(seconds)} changes; the webhook on one instance, the copying on "
        "another, which is up",
    )
    yield Row(
        "visible",
        "one at a time: wrong pictures",
        alone.wrong,
        "",
        goal=0,
        note="by a look at everybody's three files and timestamp afterwards",
    )
    yield from _steps(alone.changes)


def _steps(changes: Sequence[Change]) -> Iterator[Row]:
    for step, took, share in _shares(changes):
        yield Row(
            "visible",
            f"step: {step}",
            statistics.fmean(took) * 1000,
            "ms",
            low=min(took) * 1000,
            high=max(took) * 1000,
            rounds=len(took),
            note=f"the mean; {share:.0f} % of the whole",
        )


def _shares(changes: Sequence[Change]) -> Iterator[tuple[str, list[float], float]]:
    """Each step, its seconds in every change, and its mean as a percentage of the whole."""
    whole = statistics.fmean(change.seconds for change in changes)
    for number, step in enumerate(STEPS):
        took = [change.steps[number] for change in changes]
        yield step, took, 100 * statistics.fmean(took) / whole


def instance_rows(
    before: Spent | None, after: Spent | None, copies: int, alone: Alone
) -> Iterator[Row]:
    """
    The basis of AT_ONCE: how many cores that many copies keep busy, and the memory.

    No row if either argument is None, on systems that do not count it.
    """
    if before is None or after is None:
        return
    a_copy = (after.seconds - before.seconds) / copies
    run = statistics.median(change.run_seconds for change in alone.changes)
    yield Row(
        "visible",
        f"{AT_ONCE} copies at once in one instance: its work",
        AT_ONCE * a_copy / run,
        "cores",
        goal=_CORES,
        note=f"{a_copy * 1000:.0f} ms of a core a copy, host and worker, each {run:.2f} s long; an "
        "instance of 2 GB has one core",
    )
    yield Row("visible", "the same: memory at the peak, host and worker", after.peak_mb, "MB")


def together_rows(burst: Burst, instances: int, alone: Alone) -> Iterator[Row]:
    """One round; its floor is computed from the runs that had the instance to themselves."""
    seconds = [change.seconds for change in burst.changes]
    run = statistics.median(change.run_seconds for change in alone.changes)
    at_once = AT_ONCE * instances
    what = f"{len(seconds)} at once, {instances} instance{'s'[: instances - 1]}"
    note = "the mean of each step: " + ", ".join(
        f"{step} {share:.0f} %" for step, _, share in _shares(burst.changes)
    )
    yield Row("visible", f"{what}: p50", statistics.median(seconds), "s", note=note)
    yield Row(
        "visible",
        f"{what}: p95",
        percentile(seconds, 95),
        "s",
        floor=0.95 * len(seconds) / at_once * run,
        floor_is=f"{at_once} runs at once, which is what host.json allows, each of {run:.2f} s",
        note=f"{most_at_once(burst.changes)} at once were seen; {burst.throttled} calls were "
        f"throttled; {burst.profile_calls:,} profile calls of "
        f"{LIMITS['peopleCallsPer5Minutes']:,} in five minutes",
    )
    yield Row(
        "visible",
        f"{what}: the longest answer to a POST",
        max((change.answered - change.told).total_seconds() for change in burst.changes),
        "s",
        goal=GRAPH_WAITS,
        note="of 100 notifications; the host stores their messages one after the other",
    )
    yield Row("visible", f"{what}: wrong pictures", burst.wrong, "", goal=0)
