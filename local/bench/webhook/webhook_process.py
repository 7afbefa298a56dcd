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


@contextlib.asynccontextmanager
async def _copying(
    engine: Engine, function_id: str, users: Sequence[str]
) -> AsyncIterator[list[str]]:
    """
    Copy *users* repeatedly, as many concurrently as a busy instance does, for the duration of the
    block, which starts when all connections are open. Yields the ids of all runs that have ended.
    """
    copied: list[str] = []
    ids, stopping = itertools.cycle(users), asyncio.Event()

    async def copy() -> None:
        while not stopping.is_set():
            message = json.dumps({"userId": (user_id := next(ids)), "force": True})
            await _run(engine, function_id, "message", Datum(message, "string"))
            copied.append(user_id)

    tasks = [asyncio.create_task(copy()) for _ in range(AT_ONCE if users else 0)]
    while tasks and len(copied) < 2 * AT_ONCE and not any(task.done() for task in tasks):
        await asyncio.sleep(0.05)
    try:
        yield copied
    finally:
        stopping.set()
        await asyncio.gather(*tasks)


async def main(users: Sequence[str]) -> Figures:
    """Warm up, then run several rounds."""
    logs.configure(running=running_invocation)
    engine = Engine()
    ids = {found.name: found.id for found in await engine.load(_APP)}
    figures = Figures()
    await _posted(engine, ids, _WARM_UP)
    async with _copying(engine, ids["sync_photo"], users) as copied:
        before, began = len(copied), time.perf_counter()
        for _ in range(ROUNDS):
            for name, took in (await _posted(engine, ids, POSTS)).items():
                figures.posts[name].append(took)
        figures.copies = len(copied) - before
        figures.seconds = time.perf_counter() - began
    figures.runs = len(copied)
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
