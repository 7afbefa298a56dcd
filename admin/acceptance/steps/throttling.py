"""The throttling headers in the run's answers."""

from __future__ import annotations

from admin.acceptance.finding import Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step


def _throttling(scene: Scene) -> Seen:
    traffic = scene.m365.traffic
    headers = ", ".join(f"{name} ({count})" for name, count in sorted(traffic.headers.items()))
    refusals = ", ".join(f"{status} ({n})" for status, n in sorted(traffic.refusals.items()))
    told = (
        f"{traffic.answers} answers; headers: {headers or 'none'}; throttled: {refusals or 'none'}"
    )
    return Seen(told, not traffic.refusals and not traffic.headers)


STEPS = (
    Step(
        "throttling",
        "Which throttling headers arrive, and are so few calls throttled?",
        "none below 80 % of the limits",
        _throttling,
    ),
)
