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


class Tenant:
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
def tenant() -> Tenant:
    return Tenant()


# In one request


def test_one_request(tenant: Tenant):
    """Several properties are one request, and are written in order."""
    assert tenant.write() == ONE_REQUEST
    assert tenant.site.events == list(CHANGES)
    assert tenant.site.profile == CHANGES


def test_one_property(tenant: Tenant):
    """A single property costs one call either way: it is written over REST, without a digest."""
    tenant.refuse(Answer(500), "contextinfo")

    assert tenant.write(PictureURL="") == ["SetSingleValue"]


def test_character_that_xml_forbids(tenant: Tenant):
    """JSON allows it, and it does not count as a failure of ProcessQuery."""
    for _ in range(MOST_FAILURES):
        assert tenant.write(PictureURL="\0", Office="1") == SINGLY
    assert tenant.write() == ONE_REQUEST


def storage_down() -> None:
    raise ServiceDown("Storage is away.", service="storage")


@pytest.mark.parametrize(
    ("before_write", "error"),
    [(lost, ClaimLost), (storage_down, ServiceDown)],
    ids=["lost", "storage down"],
)
def test_no_write_without_a_claim(tenant: Tenant, before_write, error):
    """If the claim is lost or cannot be renewed, nothing is sent, and ProcessQuery stays in use."""
    for _ in range(MOST_FAILURES):
        with pytest.raises(error):
            tenant.write(before_write)
        assert tenant.calls == []
    assert tenant.write() == ONE_REQUEST


# The digest


@pytest.mark.parametrize(
    "refusal",
    [
        answer({"odata.error": {"code": f"{INVALID}, COMException"}}, 403),
        error_info("Microsoft.SharePoint.SPException", number=int(INVALID)),
    ],
    ids=["403", "200"],
)
def test_refused_digest(tenant: Tenant, refusal: Answer):
    """A new digest is requested, once, and the request is sent again."""
    answers = [refusal, answer([{"ErrorInfo": None}])]
    tenant.refuse(lambda: answers.pop(0))

    assert tenant.write() == ONE_REQUEST * 2
    assert answers == []


@pytest.mark.parametrize("response", [Answer(404), Answer(403), answer({}), answer([])])
def test_no_digest(tenant: Tenant, response: Answer):
    """Without a digest, the properties are written over REST."""
    tenant.refuse(response, "contextinfo")

    assert tenant.write() == SINGLY


# Refusals


@pytest.mark.parametrize(("kind", "error"), [(NOT_FOUND, NoProfile), (LOCKED, Refused)])
def test_error_about_one_user(tenant: Tenant, kind: str, error: type[PhotoSyncError]):
    """REST reports an error about a profile or a property, and other users are not affected."""
    tenant.refuse(error_info(kind))
    tenant.refuse(sharepoint_error(500, f"-1, {kind}", "Fehler"), "SetSingle")
    for _ in range(MOST_FAILURES + 1):
        assert tenant.fails(error) == [*ONE_REQUEST, "SetSingleValue"]

    tenant.refuse(None)
    assert tenant.write() == ONE_REQUEST


@pytest.mark.parametrize("response", (REFUSALS | NO_ENDPOINT).values(), ids=REFUSALS | NO_ENDPOINT)
def test_rest_decides(tenant: Tenant, response: Answer):
    """Whatever else ProcessQuery answers, REST writes the properties in the same order."""
    tenant.refuse(response)

    assert tenant.write()[-2:] == SINGLY
    assert tenant.site.events == list(CHANGES)


def test_missing_role(tenant: Tenant):
    """What REST refuses, too, is not ProcessQuery's fault: REST's error counts."""
    tenant.refuse(REFUSALS["denied"])
    tenant.refuse(Answer(403), "SetSingle")
    for _ in range(MOST_FAILURES + 1):
        assert tenant.fails(AccessDenied)[0] == "ProcessQuery"

    tenant.refuse(None)
    assert tenant.write() == ONE_REQUEST


@pytest.mark.parametrize(
    ("response", "enough"),
    [
        *((response, MOST_FAILURES) for response in REFUSALS.values()),
        *((response, 1) for response in NO_ENDPOINT.values()),
    ],
    ids=[*REFUSALS, *NO_ENDPOINT],
)
def test_repeated_refusals(tenant: Tenant, response: Answer, enough: int):
    """After five refusals of what REST accepts, or a missing endpoint, it is unused for hours."""
    tenant.refuse(response)
    used = ["ProcessQuery" in tenant.write() for _ in range(enough + 1)]

    assert used == [True] * enough + [False]
    tenant.clock.sleep(REFUSED_FOR - 1)
    assert tenant.write() == SINGLY
    tenant.clock.sleep(1)
    # If nothing has improved, one attempt is enough to know.
    assert ["ProcessQuery" in tenant.write() for _ in range(2)] == [True, False]
    tenant.refuse(None)
    tenant.clock.sleep(REFUSED_FOR)
    assert tenant.write() == ONE_REQUEST


def test_occasional_refusals(tenant: Tenant):
    """A success resets the count of failures."""
    for _ in range(3):
        tenant.refuse(REFUSALS["denied"])
        for _ in range(MOST_FAILURES - 1):
            tenant.write()
        tenant.refuse(None)
        assert tenant.write() == ONE_REQUEST


def test_one_warning(tenant: Tenant, caplog: pytest.LogCaptureFixture):
    """The log says once, for concurrent failures, from when on which host is not used."""
    tenant.refuse_together(3, Answer(404))

    warning = "profile.one-by-one host=https://service.contoso.com seconds=21600"
    assert [record.getMessage() for record in caplog.records] == [warning]


@pytest.mark.parametrize(("response", "error"), BUSY.values(), ids=BUSY)
def test_repeated_waits(tenant: Tenant, response, error: type[PhotoSyncError]):
    """A busy service is a wait, without REST; after five in a row, REST writes for minutes."""
    tenant.refuse(response)
    for _ in range(5):
        assert set(tenant.fails(error)) == {"ProcessQuery"}

    tenant.clock.sleep(60)
    assert tenant.write() == SINGLY
    tenant.refuse(None)
    tenant.clock.sleep(BUSY_FOR)
    assert tenant.write() == ONE_REQUEST


@pytest.mark.parametrize("status", [429, 503, 423, 502])
def test_busy_digest(tenant: Tenant, status: int):
    """Nor does a digest request that always asks for a wait prevent REST from writing."""
    tenant.refuse(Answer(status), "contextinfo")
    for _ in range(MOST_FAILURES):
        assert tenant.fails(ServiceDown) == []

    tenant.clock.sleep(60)
    assert tenant.write() == SINGLY


def test_own_throttle(tenant: Tenant):
    """A wait of our own throttle, without a request, is no failure of ProcessQuery."""
    tenant.refuse(answer({}, 429, retry_after="100"), "GetPropertiesFor")
    for _ in range(MOST_FAILURES):
        tenant.clock.sleep(100)
        with pytest.raises(Throttled):
            tenant.client.profile(ANNE)
        with pytest.raises(Throttled):
            tenant.write()

    tenant.clock.sleep(100)
    assert tenant.write() == ONE_REQUEST


def test_concurrent_failures(tenant: Tenant):
    """Requests that are in flight together fail together, and count as one failure."""
    tenant.refuse_together(MOST_FAILURES, REFUSALS["denied"])
    tenant.refuse(None)

    assert tenant.write() == ONE_REQUEST
