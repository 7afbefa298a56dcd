"""Blobs: answers that are lost, and storage's time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import ContainerClient

from local.cloud.azurite import Storage
from shared.errors import Conflict, ServiceDown
from shared.storage.blobs import Blobs

NAME = "users/anne.json"


class Line(RequestsTransport):  # type: ignore[misc] # the client has no types for it
    """Sends every request; `befall` may change its answer or raise an error instead."""

    def __init__(self) -> None:
        super().__init__()
        self.befall: Callable[..., None] = lambda request, answer: None

    def send(self, request, **options):
        answer = super().send(request, **options)
        self.befall(request, answer)
        return answer


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def blobs(storage: Storage, container: ContainerClient, line: Line) -> Iterator[Blobs]:
    """Blobs behind *line*."""
    container.create_container()
    with ContainerClient.from_connection_string(
        storage.connection_string,
        container.container_name,
        transport=line,
        retry_total=2,
        initial_backoff=0,
        increment_base=0,
        random_jitter_range=0,
    ) as client:
        yield Blobs(client)


def lose_writes(line: Line, count: int, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Lose the answers to the next *count* writes."""
    left = [None] * count

    def befall(request, answer):
        if request.method == "PUT" and left:
            left.pop()
            meanwhile()
            raise ServiceResponseError("The answer is lost.")

    line.befall = befall


@pytest.mark.parametrize("lost", [1, 3], ids=["the second try is answered", "no try is"])
def test_own_write_is_recognized(blobs, line, lost):
    """A write whose answer was lost is neither a conflict nor an outage."""
    lose_writes(line, lost)
    first = blobs.create(NAME, b"1")
    assert blobs.read(NAME)[:2] == (b"1", first)

    lose_writes(line, lost)
    second = blobs.replace(NAME, b"2", version=first)
    assert blobs.read(NAME)[:2] == (b"2", second)


def test_same_write_by_another_is_a_conflict(blobs, line, container):
    """Another run's write is not mistaken for our own, even with the same content."""
    other = Blobs(container)
    first = blobs.create(NAME, b"1")
    lose_writes(line, 1, lambda: other.put(NAME, b"2"))

    with pytest.raises(Conflict):
        blobs.replace(NAME, b"2", version=first)


def test_conflict_at_the_first_try_costs_no_call(blobs, line, container):
    """Its answer was not lost: most conflicts come from runs that race for a claim."""
    first = blobs.create(NAME, b"1")
    Blobs(container).put(NAME, b"2")
    asked = []
    line.befall = lambda request, answer: asked.append(request.method)

    with pytest.raises(Conflict):
        blobs.replace(NAME, b"3", version=first)
    assert asked == ["PUT"]


def test_age_by_storage(blobs, line):
    """A blob's age comes from storage's clock, not ours."""
    blobs.create(NAME, b"1")

    def befall(request, answer):
        written = parsedate_to_datetime(answer.headers["Last-Modified"])
        answer.headers["Date"] = format_datetime(written + timedelta(minutes=4), usegmt=True)

    line.befall = befall
    assert blobs.read(NAME).age == 240


def test_answer_without_a_time(blobs, line):
    """It is unknown whether a claim has expired: the message waits."""
    blobs.create(NAME, b"1")
    line.befall = lambda request, answer: answer.headers.pop("Date")

    with pytest.raises(ServiceDown, match="no valid Date and Last-Modified headers"):
        blobs.read(NAME)
