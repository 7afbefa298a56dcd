"""Blobs on a bad line: answers that are lost, and the time as storage tells it."""

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
    """Carries out every request; what becomes of the answer is for *befall* to say."""

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
    """Blobs at the other end of *line*."""
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
def test_own_write_is_known_again(blobs, line, lost):
    """A write that was carried out is no conflict and no outage, though its answer was lost."""
    lose_writes(line, lost)
    first = blobs.create(NAME, b"1")
    assert blobs.read(NAME)[:2] == (b"1", first)

    lose_writes(line, lost)
    second = blobs.replace(NAME, b"2", version=first)
    assert blobs.read(NAME)[:2] == (b"2", second)


def test_same_write_by_another_is_a_conflict(blobs, line, container):
    """What another run wrote is not taken for one's own, even if it says the same."""
    other = Blobs(container)
    first = blobs.create(NAME, b"1")
    lose_writes(line, 1, lambda: other.put(NAME, b"2"))

    with pytest.raises(Conflict):
        blobs.replace(NAME, b"2", version=first)


def test_conflict_at_the_first_try_costs_no_look(blobs, line, container):
    """Its one answer was not lost: most conflicts are those of runs that race for a claim."""
    first = blobs.create(NAME, b"1")
    Blobs(container).put(NAME, b"2")
    asked = []
    line.befall = lambda request, answer: asked.append(request.method)

    with pytest.raises(Conflict):
        blobs.replace(NAME, b"3", version=first)
    assert asked == ["PUT"]


def test_age_is_told_by_storage(blobs, line):
    """A blob is as old as storage says, whatever our own clock shows."""
    blobs.create(NAME, b"1")

    def befall(request, answer):
        written = parsedate_to_datetime(answer.headers["Last-Modified"])
        answer.headers["Date"] = format_datetime(written + timedelta(minutes=4), usegmt=True)

    line.befall = befall
    assert blobs.read(NAME).age == 240


def test_storage_that_tells_no_time(blobs, line):
    """Without it nobody knows whether a claim has run out: the message waits."""
    blobs.create(NAME, b"1")
    line.befall = lambda request, answer: answer.headers.pop("Date")

    with pytest.raises(ServiceDown, match="no valid Date and Last-Modified headers"):
        blobs.read(NAME)
