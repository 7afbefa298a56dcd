"""Several properties: in one request if SharePoint accepts that, else one by one over REST."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import requests

from shared.errors import (
    AccessDenied,
    ClaimLost,
    NoProfile,
    PhotoSyncError,
    Refused,
    ServiceDown,
    Throttled,
    Unanswered,
)
from shared.sharepoint.client import SharePointClient
from tests.doubles.claims import covered, lost
from tests.doubles.web import Answer, Clock, answer, http, no_answer
from tests.shared.sharepoint.publishing_desk import ANNE, Site
from tests.shared.sharepoint.test_refusals import sharepoint_error

MOST_FAILURES, REFUSED_FOR, BUSY_FOR = 5, 6 * 3_600, 600
UPN = "anne@contoso.com"
CHANGES = {"PictureURL": "https://x", "SPS-PicturePlaceholderState": "0"}
ONE_REQUEST, SINGLY = ["ProcessQuery"], ["SetSingleValue"] * 2
DENIED = "System.UnauthorizedAccessException"
NOT_FOUND = "Microsoft.Office.Server.UserProfiles.UserNotFoundException"
LOCKED = "Microsoft.Office.Server.UserProfiles.PropertyNotEditableException"
INVALID = "-2130575251"


def error_info(kind: str, status: int = 200, number: int = -1) -> Answer:
    info = {"ErrorCode": number, "ErrorTypeName": kind, "ErrorMessage": "Fehler"}
    return answer([{"ErrorInfo": info}], status)


REFUSALS: dict[str, Answer] = {
    "denied": error_info(DENIED, number=-2147024891),
    "denied by status": Answer(403),
    "unauthorized": Answer(401),
    "no user": error_info(NOT_FOUND),
    "locked": error_info(LOCKED),
    "query": error_info("Microsoft.SharePoint.Client.InvalidClientQueryException"),
    "page": Answer(200, b"<html>"),
    "fault": Answer(500, b"<html>"),
    "another shape": answer({"d": None}),
    "digest": error_info("Microsoft.SharePoint.SPException", 403, int(INVALID)),
}
NO_ENDPOINT = {str(status): Answer(status) for status in (404, 405, 501)}
BUSY: dict[str, tuple[Answer | Callable[[], Answer], type[PhotoSyncError]]] = {
    "429": (Answer(429), Throttled),
    "503": (Answer(503), Throttled),
    "504": (Answer(504), Unanswered),
    "no answer": (no_answer, Unanswered),
}


class Writer:
    """A client in front of a Site; `calls` are the profile writes of the last `write`."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.site = Site({}, ())
        self.calls: list[str] = []
        service = http(self._answer, clock=self.clock)
        self.client = SharePointClient(service, service, ticks=self.clock.ticks)

    def write(self, before_write: Callable[[], None] = covered, **changes: str) -> list[str]:
        self.calls.clear()
        self.client.set_properties(UPN, changes or CHANGES, before_write=before_write)
        return list(self.calls)

    def fails(self, kind: type[PhotoSyncError]) -> list[str]:
        """As `write` a minute later, which must raise *kind*; reading the profile works."""
        self.clock.sleep(60)
        self.client.profile(ANNE)
        with pytest.raises(kind):
            self.write()
        return list(self.calls)

    def refuse(self, response: Answer | Callable[[], Answer] | None, part: str = "Process") -> None:
        self.site.faults.pop(part, None)
        if response is not None:
            self.site.faults[part] = response if callable(response) else lambda: response

    def refuse_together(self, number: int, response: Answer) -> None:
        """Refuse *number* requests that are in flight at the same time."""
        left = [number]

        def meanwhile() -> Answer:
            left[0] -= 1
            if left[0]:
                # Another thread's request is answered before this one.
                self.client.set_properties(UPN, CHANGES, before_write=covered)
            return response

        self.refuse(meanwhile)
        self.write()

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        names = ("ProcessQuery", "SetSingleValue")
        self.calls += [name for name in names if name in str(request.url)]
        return self.site(request)


@pytest.fixture
def writer() -> Writer:
    return Writer()


# In one request


def test_one_request(writer: Writer):
    """Several properties are one request, and are written in order."""
    assert writer.write() == ONE_REQUEST
    assert writer.site.events == list(CHANGES)
    assert writer.site.profile == CHANGES


def test_one_property(writer: Writer):
    """A single property costs one call either way: it is written over REST, without a digest."""
    writer.refuse(Answer(500), "contextinfo")

    assert writer.write(PictureURL="") == ["SetSingleValue"]


def test_character_that_xml_forbids(writer: Writer):
    """JSON allows it, and it does not count as a failure of ProcessQuery."""
    for _ in range(MOST_FAILURES):
        assert writer.write(PictureURL="\0", Office="1") == SINGLY
    assert writer.write() == ONE_REQUEST


def storage_down() -> None:
    raise ServiceDown("Storage is away.", service="storage")


@pytest.mark.parametrize(
    ("before_write", "error"),
    [(lost, ClaimLost), (storage_down, ServiceDown)],
    ids=["lost", "storage down"],
)
def test_no_write_without_a_claim(writer: Writer, before_write, error):
    """If the claim is lost or cannot be renewed, nothing is sent, and ProcessQuery stays in use."""
    for _ in range(MOST_FAILURES):
        with pytest.raises(error):
            writer.write(before_write)
        assert writer.calls == []
    assert writer.write() == ONE_REQUEST


# The digest


@pytest.mark.parametrize(
    "refusal",
    [
        answer({"odata.error": {"code": f"{INVALID}, COMException"}}, 403),
        error_info("Microsoft.SharePoint.SPException", number=int(INVALID)),
    ],
    ids=["403", "200"],
)
def test_refused_digest(writer: Writer, refusal: Answer):
    """A new digest is requested, once, and the request is sent again."""
    answers = [refusal, answer([{"ErrorInfo": None}])]
    writer.refuse(lambda: answers.pop(0))

    assert writer.write() == ONE_REQUEST * 2
    assert answers == []


@pytest.mark.parametrize("response", [Answer(404), Answer(403), answer({}), answer([])])
def test_no_digest(writer: Writer, response: Answer):
    """Without a digest, the properties are written over REST."""
    writer.refuse(response, "contextinfo")

    assert writer.write() == SINGLY


# Refusals


@pytest.mark.parametrize(("kind", "error"), [(NOT_FOUND, NoProfile), (LOCKED, Refused)])
def test_error_about_one_user(writer: Writer, kind: str, error: type[PhotoSyncError]):
    """REST reports an error about a profile or a property, and other users are not affected."""
    writer.refuse(error_info(kind))
    writer.refuse(sharepoint_error(500, f"-1, {kind}", "Fehler"), "SetSingle")
    for _ in range(MOST_FAILURES + 1):
        assert writer.fails(error) == [*ONE_REQUEST, "SetSingleValue"]

    writer.refuse(None)
    assert writer.write() == ONE_REQUEST


@pytest.mark.parametrize("response", (REFUSALS | NO_ENDPOINT).values(), ids=REFUSALS | NO_ENDPOINT)
def test_rest_decides(writer: Writer, response: Answer):
    """Whatever else ProcessQuery answers, REST writes the properties in the same order."""
    writer.refuse(response)

    assert writer.write()[-2:] == SINGLY
    assert writer.site.events == list(CHANGES)


def test_missing_role(writer: Writer):
    """What REST refuses, too, is not ProcessQuery's fault: REST's error counts."""
    writer.refuse(REFUSALS["denied"])
    writer.refuse(Answer(403), "SetSingle")
    for _ in range(MOST_FAILURES + 1):
        assert writer.fails(AccessDenied)[0] == "ProcessQuery"

    writer.refuse(None)
    assert writer.write() == ONE_REQUEST


@pytest.mark.parametrize(
    ("response", "enough"),
    [
        *((response, MOST_FAILURES) for response in REFUSALS.values()),
        *((response, 1) for response in NO_ENDPOINT.values()),
    ],
    ids=[*REFUSALS, *NO_ENDPOINT],
)
def test_repeated_refusals(writer: Writer, response: Answer, enough: int):
    """After five refusals of what REST accepts, or a missing endpoint, it is unused for hours."""
    writer.refuse(response)
    used = ["ProcessQuery" in writer.write() for _ in range(enough + 1)]

    assert used == [True] * enough + [False]
    writer.clock.sleep(REFUSED_FOR - 1)
    assert writer.write() == SINGLY
    writer.clock.sleep(1)
    # If nothing has improved, one attempt is enough to know.
    assert ["ProcessQuery" in writer.write() for _ in range(2)] == [True, False]
    writer.refuse(None)
    writer.clock.sleep(REFUSED_FOR)
    assert writer.write() == ONE_REQUEST


def test_occasional_refusals(writer: Writer):
    """A success resets the count of failures."""
    for _ in range(3):
        writer.refuse(REFUSALS["denied"])
        for _ in range(MOST_FAILURES - 1):
            writer.write()
        writer.refuse(None)
        assert writer.write() == ONE_REQUEST


def test_one_warning(writer: Writer, caplog: pytest.LogCaptureFixture):
    """The log says once, for concurrent failures, from when on which host is not used."""
    writer.refuse_together(3, Answer(404))

    warning = "profile.one-by-one host=https://service.contoso.com seconds=21600"
    assert [record.getMessage() for record in caplog.records] == [warning]


@pytest.mark.parametrize(("response", "error"), BUSY.values(), ids=BUSY)
def test_repeated_waits(writer: Writer, response, error: type[PhotoSyncError]):
    """A busy service is a wait, without REST; after five in a row, REST writes for minutes."""
    writer.refuse(response)
    for _ in range(5):
        assert set(writer.fails(error)) == {"ProcessQuery"}

    writer.clock.sleep(60)
    assert writer.write() == SINGLY
    writer.refuse(None)
    writer.clock.sleep(BUSY_FOR)
    assert writer.write() == ONE_REQUEST


@pytest.mark.parametrize("status", [429, 503, 423, 502])
def test_busy_digest(writer: Writer, status: int):
    """Nor does a digest request that always asks for a wait prevent REST from writing."""
    writer.refuse(Answer(status), "contextinfo")
    for _ in range(MOST_FAILURES):
        assert writer.fails(ServiceDown) == []

    writer.clock.sleep(60)
    assert writer.write() == SINGLY


def test_own_throttle(writer: Writer):
    """A wait of our own throttle, without a request, is no failure of ProcessQuery."""
    writer.refuse(answer({}, 429, retry_after="100"), "GetPropertiesFor")
    for _ in range(MOST_FAILURES):
        writer.clock.sleep(100)
        with pytest.raises(Throttled):
            writer.client.profile(ANNE)
        with pytest.raises(Throttled):
            writer.write()

    writer.clock.sleep(100)
    assert writer.write() == ONE_REQUEST


def test_concurrent_failures(writer: Writer):
    """Requests that are in flight together fail together, and count as one failure."""
    writer.refuse_together(MOST_FAILURES, REFUSALS["denied"])
    writer.refuse(None)

    assert writer.write() == ONE_REQUEST
