"""
`python -m local.bench.webhook.webhook_process '[USER IDS]'`: posts to the webhook and, in turn, to
an empty function of the same engine, while these users are copied in the same process, if any.

Prints one line of JSON. Settings come from the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import sys
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from local.bench.burst.notification_body import notification_body
from local.bench.measuring.conditions import AT_ONCE
from local.host import logs
from local.host.engine import Datum, Engine, Result, running_invocation

ITEMS = 100
ROUNDS = 5
POSTS = 100
_WARM_UP = 20
_APP = Path(__file__).resolve().parent / "apps" / "webhook"
_FUNCTIONS = ("notifications", "empty")
# The caller's trace; nothing reads it.
_TRACE = f"00-{'1' * 32}-{'2' * 16}-00"


@dataclass
class Figures:
    """
    For each function, every round's milliseconds per POST; and the copying meanwhile.

    `copies` are the runs that ended in the `seconds` of the rounds, `runs` all of the process.
    """

    posts: dict[str, list[list[float]]] = field(
        default_factory=lambda: {name: [] for name in _FUNCTIONS}
    )
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
            await _run(self._engine, self._function_id, "message", Datum(message, "string"))
            self.copies += 1


async def main(users: Sequence[str]) -> Figures:
    """Warm up, then run several rounds."""
    logs.configure(running=running_invocation)
    engine = Engine()
    ids = {found.name: found.id for found in await engine.load(_APP)}
    figures = Figures()
    await _posted(engine, ids, _WARM_UP)
    copying = Copying(engine, ids["sync_photo"], users)
    async with copying.going_on() if users else contextlib.nullcontext():
        before, began = copying.copies, time.perf_counter()
        for _ in range(ROUNDS):
            for name, took in (await _posted(engine, ids, POSTS)).items():
                figures.posts[name].append(took)
        figures.copies = copying.copies - before
        figures.seconds = time.perf_counter() - began
    figures.runs = copying.copies
    return figures


async def _posted(engine: Engine, ids: dict[str, str], times: int) -> dict[str, list[float]]:
    """Milliseconds of *times* POSTs to each function, in turn."""
    body = notifications(ITEMS)
    took: dict[str, list[float]] = {name: [] for name in _FUNCTIONS}
    for _ in range(times):
        for name in _FUNCTIONS:
            began = time.perf_counter()
            ended = await post(engine, ids[name], body=body)
            took[name].append((time.perf_counter() - began) * 1000)
            assert ended.returned.value["status_code"].value == "202", ended.returned.value
            # A refusal would be fast too.
            assert queued(ended) == (ITEMS if name == "notifications" else 0)
    return took


async def post(
    engine: Engine, function_id: str, *, body: bytes = b"", query: Mapping[str, str] | None = None
) -> Result:
    """Post to a function of *engine*, as the host does."""
    value = {
        "method": Datum("POST", "string"),
        "url": Datum("https://localhost/api/notifications", "string"),
        "headers": {"content-type": Datum("application/json", "string")},
        "params": {},
        "query": {name: Datum(text, "string") for name, text in (query or {}).items()},
        "body": Datum(body, "bytes"),
    }
    return await _run(engine, function_id, "req", Datum(value, "http"))


async def _run(engine: Engine, function_id: str, parameter: str, value: Datum) -> Result:
    ended = await engine.invoke(str(uuid.uuid4()), function_id, [(parameter, value)], {}, _TRACE)
    if not ended.ok:
        raise RuntimeError(ended.error)
    return ended


def queued(ended: Result) -> int:
    """The number of users that an invocation queued, in single messages or in a bundle."""
    handed = {name: json.loads(datum.value) for name, datum in ended.outputs}
    bundles = [json.loads(text).get("userIds", []) for text in handed.get("upkeep", [])]
    return len(handed.get("sync", [])) + sum(map(len, bundles))


def notifications(items: int) -> bytes:
    """The body of a POST about *items* users, by the settings of the environment."""
    ids = [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(items)]
    return notification_body(
        ids, tenant_id=os.environ["TENANT_ID"], client_state=os.environ["CLIENT_STATE"]
    )


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(main(json.loads(sys.argv[1]))))))
