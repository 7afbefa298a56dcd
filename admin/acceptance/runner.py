"""Runs one step after the other; a failed step does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from admin.acceptance.finding import NotRun, Seen, Verdict
from admin.acceptance.scene import Scene
from admin.acceptance.step import Result, Step
from admin.terminal.problems import Problem
from shared import stopwatch
from shared.errors import PhotoSyncError


def results(
    steps: Iterable[Step], scene: Scene, begin: Callable[[Step], object] = lambda step: None
) -> Iterator[Result]:
    """The result of each step as soon as it has run; *begin* is called before each."""
    for step in steps:
        begin(step)
        began = stopwatch.ticks()
        verdict, text = _run(step, scene)
        yield Result(step, verdict, text, stopwatch.ticks() - began)


def refused(steps: Iterable[Step], why: str) -> Iterator[Result]:
    """Results for steps that are not run, all for the same reason."""
    for step in steps:
        yield Result(step, Verdict.NOT_ASKED, why, 0.0)


def _run(step: Step, scene: Scene) -> tuple[Verdict, str]:
    try:
        seen: Seen = step.ask(scene)
    except (NotRun, PhotoSyncError, Problem) as why:
        return Verdict.NOT_ASKED, str(why)
    return (Verdict.AS_ASSUMED if seen.as_assumed else Verdict.DIFFERS), seen.text
