"""
How soon Graph has its answer from a whole host, whatever a POST tells of and wherever storage is.

The host stores what the webhook queues, one message after the other, before it answers. So the
POSTs are made twice: with storage on this machine, and with one that takes as long for a write as
is usual within a region. What becomes of the messages is other instances' work, as on Flex
Consumption; only to see when the last user of a POST is queued is there one of these.
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
    """A POST was refused, or what it told of was not queued."""


@dataclass(frozen=True)
class Spread:
    """Seconds until storage had a message for each of so many users: ours, and one by one."""

    ours: float
    one_by_one: float


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """POSTs of every size by turns, near storage and far from it, and one that is spread."""
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
            # Whatever was posted so far would be spread beside the one that is measured.
            queues.get_queue_client(_UPKEEP).clear_messages()
            with instance(stack, "upkeep", {**_SETTINGS, **behind}):
                spread = _spread(queues.get_queue_client(_USERS), poster, storage)
    return [*near_rows(near), *far_rows(far, writes), spread_row(spread)]


def near_rows(took: Mapping[int, Sequence[float]]) -> list[Row]:
    """The answers with storage on this machine, where nothing has a goal."""
    return [_row(took, size, "storage here") for size in SIZES]


def far_rows(took: Mapping[int, Sequence[float]], writes: float) -> list[Row]:
    """The answers with storage farther away, and how many *writes* the largest POST waits for."""
    where = f"{DELAY * 1000:.0f} ms a write"
    goals = {SIZES[-1]: float(_GOAL_RATIO)}
    found = [_row(took, size, where, goal_ratio=goals.get(size)) for size in SIZES]
    what = f"POST of {SIZES[-1]}: messages that the host stores before it answers"
    return [*found, Row("answers", what, writes, "", goal=_GOAL_WRITES)]


def spread_row(spread: Spread) -> Row:
    """When the last user of the largest POST is on `photo-sync`, from the beginning of the POST."""
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
    """Milliseconds until each POST was answered, by its size; by turns, after a few of each."""
    took: dict[int, list[float]] = {size: [] for size in SIZES}
    for number in range(-_WARM_UP, POSTS):
        for size in SIZES:
            seconds = _post(poster, _ids(size))
            if number >= 0:
                took[size].append(seconds * 1000)
    return took


def _post(poster: GraphPoster, user_ids: Sequence[str]) -> float:
    """Seconds until a POST was accepted; NotStored unless that was at once."""
    tries = len(poster.answers)
    if not poster.post(user_ids) or len(poster.answers) != tries + 1:
        raise NotStored(f"a POST of {len(user_ids)} was answered {poster.answers[tries].status}.")
    return poster.answers[-1].seconds


def _writes(poster: GraphPoster, storage: SlowStorage) -> float:
    """How many messages one of the largest POSTs is."""
    before = storage.messages.total()
    _post(poster, _ids(SIZES[-1]))
    return storage.messages.total() - before


def _spread(users: QueueClient, poster: GraphPoster, storage: SlowStorage) -> Spread:
    """The second one: before the first there is much that the instance has to load."""
    took = []
    for _ in range(2):
        users.clear_messages()
        ids = _ids(SIZES[-1])
        before, began = storage.messages[_USERS], time.perf_counter()
        _post(poster, ids)
        while storage.messages[_USERS] - before < len(ids):
            if time.perf_counter() - began > _PATIENCE:
                raise NotStored(f"{storage.messages[_USERS] - before} of {len(ids)} are queued.")
            # Storage's door counts, and tells nobody.
            time.sleep(0.005)
        took.append(time.perf_counter() - began)
    return Spread(took[-1], _one_by_one(storage, users.peek_messages()[0].content))


def _one_by_one(storage: SlowStorage, text: str) -> float:
    """Four times as long as a quarter of them takes: nobody waits for the rest."""
    with spectator.queues(storage.connection).get_queue_client(_USERS) as queue:
        began = time.perf_counter()
        for _ in range(SIZES[-1] // 4):
            queue.send_message(text)
        return 4 * (time.perf_counter() - began)


def _ids(size: int) -> list[str]:
    """Users whom no POST before has told of."""
    return [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(size)]
