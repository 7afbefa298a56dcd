"""
`python -m local.bench.webhook.webhook_process < ORDER`: posts to the webhook and, in turn, to an
empty function of the same engine, with or without users being copied in the same process.

Prints one line of JSON. The order is `{"copy": [user ids]}`; settings come from the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from local.bench.measuring.concurrency import AT_ONCE
from local.bench.webhook.posts import notifications, post, queued, run
from local.host import logs
from local.host.engine import Datum, Engine, running_invocation

SIZES = (1, 10, 100, 500)
ROUNDS = 5
POSTS = 100
_WARM_UP = 20
_APP = Path(__file__).resolve().parent / "apps" / "webhook"
_FUNCTIONS = ("notifications", "empty")


@dataclass
class Figures:
    """
    For each function and size, every round's milliseconds per POST; and the copying meanwhile.

    `copies` are the runs that ended in the `seconds` of the rounds, `runs` all of the process.
    """

    posts: dict[str, dict[str, list[list[float]]]] = field(default_factory=dict)
    copies: int = 0
    seconds: float = 0.0
    runs: int = 0


class Copying:
    """Copies the same users repeatedly, as many concurrently as a busy instance does."""

    def __init__(self, engine: Engine, function_id: str, users: Sequence[str]) -> None:
        self._engine = engine
        self._function_id = function_id
        self._users = itertools.cycle(users)
        self._stopping = False
        self.copies = 0

    @contextlib.asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Copy for the duration of the block, which starts when all connections are open."""
        tasks = [asyncio.create_task(self._copy()) for _ in range(AT_ONCE)]
        while self.copies < 2 * AT_ONCE and not any(task.done() for task in tasks):
            await asyncio.sleep(0.05)
        try:
            yield
        finally:
            self._stopping = True
            await asyncio.gather(*tasks)

    async def _copy(self) -> None:
        while not self._stopping:
            message = json.dumps({"userId": next(self._users), "force": True})
            await run(self._engine, self._function_id, "message", Datum(message, "string"))
            self.copies += 1


async def main(users: Sequence[str]) -> Figures:
    """Warm up, then run several rounds, each with every size."""
    logs.configure(running=running_invocation)
    engine = Engine()
    ids = {found.name: found.id for found in await engine.load(_APP)}
    figures = Figures({name: {str(size): [] for size in SIZES} for name in _FUNCTIONS})
    for size in SIZES:
        await _posted(engine, ids, size, _WARM_UP)
    copying = Copying(engine, ids["sync_photo"], users)
    async with copying.going_on() if users else contextlib.nullcontext():
        before, began = copying.copies, time.perf_counter()
        for _ in range(ROUNDS):
            for size in SIZES:
                for name, took in (await _posted(engine, ids, size, POSTS)).items():
                    figures.posts[name][str(size)].append(took)
        figures.copies = copying.copies - before
        figures.seconds = time.perf_counter() - began
    figures.runs = copying.copies
    return figures


async def _posted(
    engine: Engine, ids: dict[str, str], size: int, times: int
) -> dict[str, list[float]]:
    """Milliseconds of *times* POSTs to each function, in turn."""
    body = notifications(
        size, tenant_id=os.environ["TENANT_ID"], client_state=os.environ["CLIENT_STATE"]
    )
    took: dict[str, list[float]] = {name: [] for name in _FUNCTIONS}
    for _ in range(times):
        for name in _FUNCTIONS:
            began = time.perf_counter()
            ended = await post(engine, ids[name], query={}, body=body)
            took[name].append((time.perf_counter() - began) * 1000)
            assert ended.returned.value["status_code"].value == "202", ended.returned.value
            # A refusal would be fast too.
            assert queued(ended) == (size if name == "notifications" else 0), size
    return took


if __name__ == "__main__":
    order: dict[str, Any] = json.load(sys.stdin)
    print(json.dumps(asdict(asyncio.run(main(order["copy"])))))
