"""
What a sweep pays for reading the state of each user by itself, beside a listing that tells as much.

A listing comes in the order of names and Graph's pages in an order of their own. To use it, the
states of everybody would have to be kept in memory, or in an index beside them that could be wrong.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from azure.storage.blob import BlobServiceClient

from local.bench.measuring.rows import Row, of_rounds
from local.bench.sweep.sweep_world import RECIPE, SIZES, user_id
from local.cloud.azurite import Azurite
from shared.console.roster import USERS_A_CALL
from shared.storage.azure import CONTAINER, BlobStore
from shared.storage.user_state import SYNCED, UserState
from shared.sweeping.sweep_page import STATES_AT_ONCE

USERS, ROUNDS = 1_000, 3


def rows(folder: Path, say: Callable[[str], None]) -> list[Row]:
    """Read the states of so many users both ways, from Azurite."""
    say(f"states of {USERS:,} users, from Azurite")
    with _store(folder) as store:
        reads = [_seconds(lambda: _read_each(store)) for _ in range(ROUNDS)]
        listings = [_seconds(lambda: store.leaf("", USERS_A_CALL)) for _ in range(ROUNDS)]
    return [_row(reads, listings)]


def _row(reads: Sequence[float], listings: Sequence[float]) -> Row:
    return of_rounds(
        "sweep",
        f"states of {USERS:,} users, a read each: time",
        reads,
        "s",
        floor=statistics.median(listings),
        floor_is=f"a listing with as much metadata, {USERS_A_CALL:,} users a call",
        note="kept: a listing comes in another order than Graph's pages, so that it would have "
        "to be held in memory, or in an index that can be wrong; a sweep costs a read a user",
    )


@contextmanager
def _store(folder: Path) -> Iterator[BlobStore]:
    folder.mkdir(parents=True, exist_ok=True)
    azurite = Azurite(folder / "azurite.log")
    try:
        storage = azurite.wait_until_ready()
        service = BlobServiceClient.from_connection_string(storage.connection_string)
        store = BlobStore(service.get_container_client(CONTAINER))
        with ThreadPoolExecutor(STATES_AT_ONCE, thread_name_prefix="seed") as pool:
            list(pool.map(store.create, map(_state, range(USERS))))
        yield store
    finally:
        azurite.stop()


def _state(number: int) -> UserState:
    now = datetime.now(UTC)
    return UserState(
        user_id(number),
        user_principal_name=f"user{number:06}@contoso.com",
        display_name=f"User {number}",
        status=SYNCED,
        sha256="0" * 64,
        source_etag=f'W/"{"0" * 64}"',
        picture_url=f"https://contoso-my.sharepoint.com:443/User%20Photos/{user_id(number)}.jpg",
        sizes=SIZES,
        recipe=RECIPE,
        synced_at=now,
        checked_at=now,
    )


def _read_each(store: BlobStore) -> None:
    with ThreadPoolExecutor(STATES_AT_ONCE, thread_name_prefix="states") as pool:
        list(pool.map(store.read, map(user_id, range(USERS))))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
