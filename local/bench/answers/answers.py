"""
How soon Graph gets the answer of a complete host, by size of the POST and distance of storage.

Before it answers, the host stores the webhook's messages one after the other. So the POSTs are made
twice: with storage on this machine, and with a storage whose writes take as long as usual within a
region. Other instances process the messages, as on Flex Consumption; one of them runs here only to
measure when the last user of a POST is queued.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from azure.storage.queue import QueueClient

from local.bench.answers.slow_storage import SlowStorage
from local.bench.burst.graph_poster import GraphPoster
from local.bench.burst.instance import WITHOUT_COPYING, instance
from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.percentile import percentile
from local.bench.measuring.rows import Row
from local.cloud.stack import Stack
from local.outside import spectator

SIZES = (1, 100, 1000)
POSTS = 100
DELAY = 0.010
_WARM_UP = 10
_GOAL_RATIO, _GOAL_WRITES = 3, 4
_SETTINGS = {**SETTINGS, **WITHOUT_COPYING}
_UPKEEP, _USERS = "photo-upkeep", "photo-sync"
_PATIENCE = 60.0


class NotStored(RuntimeError):
    """A POST was refused, or its users were not queued."""


@dataclass(frozen=True)
class Spread:
    """Seconds until storage had a message for each of so many users: ours, and one by one."""

    ours: float
    one_by_one: float


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """POSTs of every size in turn, with near and far storage, and one POST that is spread."""
    settings = {**_SETTINGS, "AzureWebJobs.upkeep.Disabled": "1"}
    with Stack(folder, settings=settings, storage_on_disk=True) as stack:
        say("storage on this machine")
        near = _answered(GraphPoster(stack.endpoints))
        with SlowStorage(stack.endpoints.storage, DELAY) as storage:
            behind = {"AzureWebJobsStorage": storage.connection}
            stack.change_settings(behind)
            stack.kill_host()
            stack.start_host()
            say(f"storage that takes {DELAY * 1000:.0f} ms a write")
            poster = GraphPoster(stack.endpoints)
            far = _answered(poster)
            writes = _writes(poster, storage)
            say(f"{SIZES[-1]} users, until the last is queued")
            queues = spectator.queues(stack.endpoints.storage)
            # The messages so far would be spread together with the measured one.
            queues.get_queue_client(_UPKEEP).clear_messages()
            with instance(stack, "upkeep", {**_SETTINGS, **behind}):
                spread = _spread(queues.get_queue_client(_USERS), poster, storage)
    return [*near_rows(near), *far_rows(far, writes), spread_row(spread)]


def near_rows(took: Mapping[int, Sequence[float]]) -> list[Row]:
    """The answers with storage on this machine, which have no goal."""
    return [_row(took, size, "storage here") for size in SIZES]


def far_rows(took: Mapping[int, Sequence[float]], writes: float) -> list[Row]:
    """The answers with far storage, and the number of *writes* that the largest POST waits for."""
    where = f"{DELAY * 1000:.0f} ms a write"
    goals = {SIZES[-1]: float(_GOAL_RATIO)}
    found = [_row(took, size, where, goal_ratio=goals.get(size)) for size in SIZES]
    what = f"POST of {SIZES[-1]}: messages that the host stores before it answers"
    return [*found, Row("answers", what, writes, "", goal=_GOAL_WRITES)]


def spread_row(spread: Spread) -> Row:
    """When the last user of the largest POST is in `photo-sync`, from the start of the POST."""
    return Row(
        "answers",
        f"POST of {SIZES[-1]}, {DELAY * 1000:.0f} ms a write: last user on photo-sync",
        spread.ours,
        "s",
        floor=spread.one_by_one,
        floor_is="the same messages stored one after the other, which is what the host can do",
        goal_ratio=1,
    )


def _row(
    took: Mapping[int, Sequence[float]], size: int, where: str, goal_ratio: float | None = None
) -> Row:
    return Row(
        "answers",
        f"POST of {size}, {where}: p99",
        percentile(took[size], 99),
        "ms",
        low=min(took[size]),
        high=max(took[size]),
        rounds=len(took[size]),
        floor=percentile(took[SIZES[0]], 99) if size != SIZES[0] else None,
        floor_is=f"a POST of {SIZES[0]}" if size != SIZES[0] else "",
        goal_ratio=goal_ratio,
    )


def _answered(poster: GraphPoster) -> dict[int, list[float]]:
    """Milliseconds until each POST was answered, by its size; in turn, after a few to warm up."""
    took: dict[int, list[float]] = {size: [] for size in SIZES}
    for number in range(-_WARM_UP, POSTS):
        for size in SIZES:
            seconds = _post(poster, _ids(size))
            if number >= 0:
                took[size].append(seconds * 1000)
    return took


def _post(poster: GraphPoster, user_ids: Sequence[str]) -> float:
    """Seconds until a POST was accepted. Raises NotStored unless its first try was accepted."""
    tries = len(poster.answers)
    if not poster.post(user_ids) or len(poster.answers) != tries + 1:
        raise NotStored(f"a POST of {len(user_ids)} was answered {poster.answers[tries].status}.")
    return poster.answers[-1].seconds


def _writes(poster: GraphPoster, storage: SlowStorage) -> float:
    """The number of messages for one of the largest POSTs."""
    before = storage.messages.total()
    _post(poster, _ids(SIZES[-1]))
    return storage.messages.total() - before


def _spread(users: QueueClient, poster: GraphPoster, storage: SlowStorage) -> Spread:
    """Measure the second POST: before the first, the instance still has much to load."""
    took = []
    for _ in range(2):
        users.clear_messages()
        ids = _ids(SIZES[-1])
        before, began = storage.messages[_USERS], time.perf_counter()
        _post(poster, ids)
        while storage.messages[_USERS] - before < len(ids):
            if time.perf_counter() - began > _PATIENCE:
                raise NotStored(f"{storage.messages[_USERS] - before} of {len(ids)} are queued.")
            # Polled, since SlowStorage's counter sends no signal.
            time.sleep(0.005)
        took.append(time.perf_counter() - began)
    return Spread(took[-1], _one_by_one(storage, users.peek_messages()[0].content))


def _one_by_one(storage: SlowStorage, text: str) -> float:
    """Four times the duration of a quarter of them, to save time."""
    with spectator.queues(storage.connection).get_queue_client(_USERS) as queue:
        began = time.perf_counter()
        for _ in range(SIZES[-1] // 4):
            queue.send_message(text)
        return 4 * (time.perf_counter() - began)


def _ids(size: int) -> list[str]:
    """Users that were in no earlier POST."""
    return [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(size)]
