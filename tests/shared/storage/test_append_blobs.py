"""Blobs that can only be added to, on real storage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import ContainerClient

from shared.errors import Full, ServiceDown
from shared.orders.order import REPLAY, Order
from shared.orders.order_log import File, OrderLog
from shared.signature import KEY, Signature
from shared.storage.append_blobs import AppendBlobs
from tests.doubles.office import Clock, failing


def test_lines_of_many_writers(container: ContainerClient):
    """Every writer's lines arrive whole, though all create the blob at once."""
    names = [f"order-{n}" for n in range(24)]

    def write(writer: int) -> None:
        log = OrderLog(AppendBlobs(container), clock=Clock(), most_lines=10)
        for name in names[writer::4]:
            log.give(Order(REPLAY, Signature(KEY), name))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))

    log = OrderLog(AppendBlobs(container), clock=Clock())
    read = [log.read(file) for file in log.files()]
    assert sorted(entry.order.id for one in read for entry in one.entries) == sorted(names)
    assert [one.damaged for one in read] == [0] * len(read)
    assert len(read) > 1


@pytest.mark.parametrize("leased", [True, False], ids=["leased", "another kind"])
def test_blob_that_takes_no_lines(container: ContainerClient, leased: bool):
    """It stays as it is, and an order does not wait for it: the next blob takes the line."""
    container.create_container()
    blobs = AppendBlobs(container)
    if leased:
        blobs.append("2026-01.jsonl", b"mine\n")
        container.get_blob_client("2026-01.jsonl").acquire_lease()
    else:
        container.upload_blob("2026-01.jsonl", b"mine\n")
    with pytest.raises(Full):
        blobs.append("2026-01.jsonl", b"line\n")

    given = OrderLog(blobs, clock=Clock()).give(Order(REPLAY, Signature(KEY), "one"))
    assert given == "2026-01.2"
    assert blobs.read("2026-01.jsonl", 1000) == b"mine\n"


def test_no_blob(container: ContainerClient):
    """A missing blob is empty, and is created only where that is wanted."""
    blobs = AppendBlobs(container)

    assert (blobs.names(), blobs.read("2026-01.jsonl", 10)) == ([], b"")
    with pytest.raises(Full):
        blobs.append("2026-01.jsonl", b"line\n", make=False)
    assert blobs.names() == []
    assert [blobs.append("2026-01.jsonl", b"line\n") for _ in range(2)] == [1, 2]
    assert blobs.read("2026-01.jsonl", 7) == b"line\nli"
    assert OrderLog(blobs, clock=Clock()).files() == [File("2026-01", 1)]


def test_blob_without_a_line(container: ContainerClient):
    """A blob whose creator died before the first line is empty; other months are read."""
    container.create_container()
    container.get_blob_client("2026-01.jsonl").create_append_blob()

    assert AppendBlobs(container).read("2026-01.jsonl", 1000) == b""


def test_container_that_is_being_deleted(
    container: ContainerClient, monkeypatch: pytest.MonkeyPatch
):
    """For a while storage can create nothing of that name: the order is tried again."""
    being_deleted = ResourceExistsError("ContainerBeingDeleted")
    monkeypatch.setattr(container, "create_container", failing(being_deleted))
    log = OrderLog(AppendBlobs(container), clock=Clock())

    with pytest.raises(ServiceDown):
        log.give(Order(REPLAY, Signature(KEY), "one"))
    log.end(Order(REPLAY, Signature(KEY), "one"), "2026-01", "synced")
