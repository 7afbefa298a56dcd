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
from pathlib import Path

from azure.storage.queue import QueueClient

from local.bench.answers.slow_storage import SlowStorage
from local.bench.burst.graph_poster import GraphPoster
from local.bench.burst.instance import WITHOUT_COPYING, instance
from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.rows import Row, percentile
from local.cloud.stack import Stack
from local.outside import spectator

SIZES = ONE, MANY = 1, 1000
POSTS = 100
DELAY = 0.010
_WARM_UP = 10
_GOAL_RATIO, _GOAL_WRITES = 3, 4
_SETTINGS = {**SETTINGS, **WITHOUT_COPYING}
_UPKEEP, _USERS = "photo-upkeep", "photo-sync"
_LONGEST = 60.0
Took = Mapping[int, Sequence[float]]


class NotStored(RuntimeError):
    """A POST was refused, or its users were not queued."""


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
            before = storage.messages.total()
            _post(poster, MANY)
            writes = storage.messages.total() - before
            say(f"{MANY} users, until the last one is queued")
            queues = spectator.queues(stack.endpoints.storage)
            # The messages so far would be spread together with the measured one.
            queues.get_queue_client(_UPKEEP).clear_messages()
            with instance(stack, "upkeep", {**_SETTINGS, **behind}):
                spread = _spread(queues.get_queue_client(_USERS), poster, storage)
    return rows_of(near, far, writes, *spread)


def rows_of(near: Took, far: Took, writes: int, last: float, one_by_one: float) -> list[Row]:
    """
    The rows of the table.

    *writes* is the number of messages that the largest POST waits for; after *last* seconds storage
    has a message for each of its users, and if these are stored one by one, after *one_by_one*.
    """
    delay = f"{DELAY * 1000:.0f} ms a write"
    return [
        *(_row(near, size, "storage here", None) for size in SIZES),
        *(_row(far, size, delay, _GOAL_RATIO if size == MANY else None) for size in SIZES),
        Row(
            f"POST of {MANY}: messages that the host stores before it answers",
            writes,
            goal=_GOAL_WRITES,
        ),
        Row(
            f"POST of {MANY}, {delay}: last user on photo-sync",
            last,
            "s",
            floor=one_by_one,
            floor_is="the same messages stored one after the other, which is what the host can do",
            goal_ratio=1,
        ),
    ]


def _row(took: Took, size: int, where: str, goal_ratio: float | None) -> Row:
    return Row(
        f"POST of {size}, {where}: p99",
        percentile(took[size], 99),
        "ms",
        low=min(took[size]),
        high=max(took[size]),
        rounds=len(took[size]),
        floor=percentile(took[ONE], 99) if size != ONE else None,
        floor_is=f"a POST of {ONE}" if size != ONE else "",
        goal_ratio=goal_ratio,
    )


def _answered(poster: GraphPoster) -> dict[int, list[float]]:
    """Milliseconds until each POST was answered, by its size; in turn, after a few to warm up."""
    took: dict[int, list[float]] = {size: [] for size in SIZES}
    for number in range(-_WARM_UP, POSTS):
        for size in SIZES:
            seconds = _post(poster, size)
            if number >= 0:
                took[size].append(seconds * 1000)
    return took


def _post(poster: GraphPoster, size: int) -> float:
    """Seconds until a POST about users that were in no earlier one was accepted, or NotStored."""
    answer = poster.post(
        [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(size)]
    )
    if not answer.accepted:
        raise NotStored(f"a POST of {size} was answered {answer.status}.")
    return answer.seconds


def _spread(users: QueueClient, poster: GraphPoster, storage: SlowStorage) -> tuple[float, float]:
    """
    Seconds for the second POST, since before the first the instance has much to load; and for as
    many messages one by one.
    """
    took = []
    for _ in range(2):
        users.clear_messages()
        before, began = storage.messages[_USERS], time.perf_counter()
        _post(poster, MANY)
        while (stored := storage.messages[_USERS] - before) < MANY:
            if time.perf_counter() - began > _LONGEST:
                raise NotStored(f"{stored} of {MANY} are queued.")
            # Polled, since SlowStorage's counter sends no signal.
            time.sleep(0.005)
        took.append(time.perf_counter() - began)
    text = users.peek_messages()[0].content
    with spectator.queues(storage.connection).get_queue_client(_USERS) as queue:
        began = time.perf_counter()
        # A quarter of them, to save time.
        for _ in range(MANY // 4):
            queue.send_message(text)
        return took[-1], 4 * (time.perf_counter() - began)
