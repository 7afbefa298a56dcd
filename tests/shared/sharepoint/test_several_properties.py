"""Several properties at once: in one request where that works, and by REST where it does not."""

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
from tests.doubles.web import Answer, Clock, answer, http
from tests.shared.sharepoint.publishing_desk import ANNE, Site

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


def gone() -> Answer:
    raise requests.ConnectionError


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
}
NO_DOOR = {str(status): Answer(status) for status in (404, 405, 501)}
BUSY: dict[str, tuple[Callable[[], Answer], type[PhotoSyncError]]] = {
    "429": (lambda: Answer(429), Throttled),
    "503": (lambda: Answer(503), Throttled),
    "502": (lambda: Answer(502), Unanswered),
    "504": (lambda: Answer(504), Unanswered),
    "no answer": (gone, Unanswered),
}


class Tenant:
    """A client in front of a Site; `calls` are the profile writes since the last look."""

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
        """As `write` after a minute, which is to raise *kind*; the profile can be read before."""
        self.clock.sleep(60)
        self.client.profile(ANNE)
        with pytest.raises(kind):
            self.write()
        return list(self.calls)

    def refuse(self, said: Answer | Callable[[], Answer] | None, part: str = "Process") -> None:
        self.site.faults.pop(part, None)
        if said is not None:
            self.site.faults[part] = said if callable(said) else lambda: said

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        names = ("ProcessQuery", "SetSingleValue")
        self.calls += [name for name in names if name in str(request.url)]
        return self.site(request)


@pytest.fixture
def tenant() -> Tenant:
    return Tenant()


# Where it works


def test_one_request(tenant: Tenant):
    """Several properties are one request, and are written in their order."""
    assert tenant.write() == ONE_REQUEST
    assert tenant.site.events == list(CHANGES)
    assert tenant.site.profile == CHANGES


def test_one_property(tenant: Tenant):
    """A single one costs a call by either way: it goes without a digest, by REST."""
    tenant.refuse(Answer(500), "contextinfo")

    assert tenant.write(PictureURL="") == ["SetSingleValue"]


def test_sign_that_no_xml_can_carry(tenant: Tenant):
    """JSON carries it, and ProcessQuery is not to blame for it."""
    for _ in range(MOST_FAILURES):
        assert tenant.write(PictureURL="\0", Office="1") == SINGLY
    assert tenant.write() == ONE_REQUEST


def test_claim_is_asked_before_each_request(tenant: Tenant):
    """A request that its claim does not cover is not sent, and ProcessQuery is not to blame."""
    for _ in range(MOST_FAILURES):
        with pytest.raises(ClaimLost):
            tenant.write(lost)
        assert tenant.calls == []
    assert tenant.write() == ONE_REQUEST


def test_storage_that_is_down(tenant: Tenant):
    """Nor is it where the claim could not be renewed."""

    def down() -> None:
        raise ServiceDown("Storage is away.", service="storage")

    for _ in range(MOST_FAILURES):
        with pytest.raises(ServiceDown):
            tenant.write(down)
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
def test_digest_that_is_refused(tenant: Tenant, refusal: Answer):
    """Another digest is asked for, once, and the request is sent again."""
    answers = [refusal, answer([{"ErrorInfo": None}])]
    tenant.refuse(lambda: answers.pop(0))

    assert tenant.write() == ONE_REQUEST * 2
    assert answers == []


def test_digests_that_are_all_refused(tenant: Tenant):
    """Then REST writes the properties."""
    tenant.refuse(error_info("Microsoft.SharePoint.SPException", 403, -2130575251))

    assert tenant.write() == [*ONE_REQUEST * 2, *SINGLY]


@pytest.mark.parametrize("said", [Answer(404), Answer(403), answer({}), answer([])])
def test_no_digest(tenant: Tenant, said: Answer):
    """Where there is no digest REST writes the properties."""
    tenant.refuse(said, "contextinfo")

    assert tenant.write() == SINGLY


# Whose fault it is


@pytest.mark.parametrize(("kind", "error"), [(NOT_FOUND, NoProfile), (LOCKED, Refused)])
def test_error_about_one_user(tenant: Tenant, kind: str, error: type[PhotoSyncError]):
    """An error about a profile or a property is REST's to tell, and shuts nothing for others."""
    tenant.refuse(error_info(kind))
    told = {"odata.error": {"code": f"-1, {kind}", "message": {"value": "Fehler"}}}
    tenant.refuse(answer(told, 500), "SetSingle")
    for _ in range(MOST_FAILURES + 1):
        assert tenant.fails(error) == [*ONE_REQUEST, "SetSingleValue"]

    tenant.refuse(None)
    assert tenant.write() == ONE_REQUEST


@pytest.mark.parametrize("said", (REFUSALS | NO_DOOR).values(), ids=REFUSALS | NO_DOOR)
def test_rest_has_the_last_word(tenant: Tenant, said: Answer):
    """Whatever else ProcessQuery says, the properties are written by REST in the same order."""
    tenant.refuse(said)

    assert tenant.write()[-2:] == SINGLY
    assert tenant.site.events == list(CHANGES)


@pytest.mark.parametrize("said", REFUSALS.values(), ids=REFUSALS)
def test_right_that_is_missing(tenant: Tenant, said: Answer):
    """What REST refuses as well is no fault of ProcessQuery: REST's answer counts."""
    tenant.refuse(said)
    tenant.refuse(Answer(403), "SetSingle")
    for _ in range(MOST_FAILURES + 1):
        assert tenant.fails(AccessDenied)[0] == "ProcessQuery"

    tenant.refuse(None)
    assert tenant.write() == ONE_REQUEST


@pytest.mark.parametrize("said", NO_DOOR.values(), ids=NO_DOOR)
def test_no_such_address(tenant: Tenant, said: Answer):
    """Where there is no ProcessQuery it is not asked again for hours."""
    tenant.refuse(said)
    tenant.write()
    tenant.refuse(None)

    tenant.clock.sleep(REFUSED_FOR - 1)
    assert tenant.write() == SINGLY
    tenant.clock.sleep(1)
    assert tenant.write() == ONE_REQUEST


@pytest.mark.parametrize("said", REFUSALS.values(), ids=REFUSALS)
def test_refused_time_after_time(tenant: Tenant, said: Answer):
    """One that refuses what REST takes is left alone after five in a row."""
    tenant.refuse(said)
    asked = ["ProcessQuery" in tenant.write() for _ in range(MOST_FAILURES + 1)]

    assert asked == [True] * 5 + [False]
    tenant.clock.sleep(REFUSED_FOR)
    # Where nothing has become better one attempt tells.
    assert ["ProcessQuery" in tenant.write() for _ in range(2)] == [True, False]


@pytest.mark.parametrize("said", REFUSALS.values(), ids=REFUSALS)
def test_refused_now_and_then(tenant: Tenant, said: Answer):
    """Each one that works makes up for those before."""
    for _ in range(3):
        tenant.refuse(said)
        for _ in range(MOST_FAILURES - 1):
            tenant.write()
        tenant.refuse(None)
        assert tenant.write() == ONE_REQUEST


def test_an_admin_is_told_once(tenant: Tenant, caplog: pytest.LogCaptureFixture):
    """The log says from when on which host is asked property by property."""
    left = [3]

    def meanwhile() -> Answer:
        left[0] -= 1
        if left[0]:
            # Another thread's request is answered before this one.
            tenant.client.set_properties(UPN, CHANGES, before_write=covered)
        return Answer(404)

    tenant.refuse(meanwhile)
    tenant.write()

    told = "profile.one-by-one host=https://service.contoso.com seconds=21600"
    assert [record.getMessage() for record in caplog.records] == [told]


@pytest.mark.parametrize("case", BUSY)
def test_patience(tenant: Tenant, case: str):
    """A busy or silent service is a wait as by REST: nothing is sent again by another way."""
    said, error = BUSY[case]
    tenant.refuse(said)

    assert set(tenant.fails(error)) == {"ProcessQuery"}


@pytest.mark.parametrize("case", BUSY)
def test_patience_without_end(tenant: Tenant, case: str):
    """After five such answers in a row REST writes for some minutes."""
    said, error = BUSY[case]
    tenant.refuse(said)
    for _ in range(5):
        tenant.fails(error)

    tenant.clock.sleep(60)
    assert tenant.write() == SINGLY
    tenant.refuse(None)
    tenant.clock.sleep(BUSY_FOR)
    assert tenant.write() == ONE_REQUEST


@pytest.mark.parametrize("status", [429, 503, 423, 502])
def test_digest_that_never_comes(tenant: Tenant, status: int):
    """Nor does one that is always to be waited for keep REST from writing."""
    tenant.refuse(Answer(status), "contextinfo")
    for _ in range(MOST_FAILURES):
        assert tenant.fails(ServiceDown) == []

    tenant.clock.sleep(60)
    assert tenant.write() == SINGLY


def test_own_patience_is_nobodys_fault(tenant: Tenant):
    """Where our own gate is closed SharePoint was not asked: nothing is to blame."""
    tenant.refuse(answer({}, 429, retry_after="100"), "GetPropertiesFor")
    for _ in range(MOST_FAILURES):
        tenant.clock.sleep(100)
        with pytest.raises(Throttled):
            tenant.client.profile(ANNE)
        with pytest.raises(Throttled):
            tenant.write()

    tenant.clock.sleep(100)
    assert tenant.write() == ONE_REQUEST


def test_failures_of_the_same_moment(tenant: Tenant):
    """Requests that are under way together fail together, and count as one."""
    left = [MOST_FAILURES]

    def meanwhile() -> Answer:
        left[0] -= 1
        if left[0]:
            # Another thread's request is answered before this one.
            tenant.client.set_properties(UPN, CHANGES, before_write=covered)
        return REFUSALS["denied"]

    tenant.refuse(meanwhile)
    tenant.write()
    tenant.refuse(None)

    assert tenant.write() == ONE_REQUEST


def test_what_came_half_way_is_written_again(tenant: Tenant):
    """One that fails after its first property is made up for by REST, the timestamp last."""

    def half() -> Answer:
        tenant.site.faults.clear()
        assert tenant.site.profile is not None
        tenant.site.profile["PictureURL"] = CHANGES["PictureURL"]
        return error_info("System.TimeoutException")

    tenant.refuse(half)
    tenant.write()

    assert tenant.site.events == list(CHANGES)


def test_door_of_each_host_is_its_own():
    """What one admin host refuses is asked of another all the same."""
    one, other = Tenant(), Tenant()
    one.refuse(Answer(404))
    one.write()

    assert (one.write(), other.write()) == (SINGLY, ONE_REQUEST)
