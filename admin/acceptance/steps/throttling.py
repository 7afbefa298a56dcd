"""Which headers about throttling the answers of the run had."""

from __future__ import annotations

from admin.acceptance.finding import Seen
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step


def _throttling(scene: Scene) -> Seen:
    traffic = scene.m365.traffic
    headers = ", ".join(f"{name} ({count})" for name, count in sorted(traffic.headers.items()))
    refusals = ", ".join(f"{status} ({n})" for status, n in sorted(traffic.refusals.items()))
    told = f"{traffic.answers} answers; headers: {headers or 'none'}; refused: {refusals or 'none'}"
    return Seen(told, not traffic.refusals and not traffic.headers)


STEPS = (
    Step(
        "throttling",
        "Which headers about throttling come, and does anything refuse so few calls?",
        "none below four fifths of the limits",
        _throttling,
    ),
)
