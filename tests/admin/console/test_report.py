"""`users --would-change --html`: one page for a change board, with both pictures of everybody."""

from __future__ import annotations

import base64
import re
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from admin.console import before_after
from admin.console.before_after import PictureFetcher
from admin.console.console import Console
from admin.terminal.fields import Fields
from admin.terminal.problems import Busy, NotFound, Unreachable, Unsound
from tests.admin.command_result import CommandResult, assert_one_sentence, assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import Asked, ConsoleDouble, refusal
from tests.doubles.console_answers import entry, overview, users
from tests.doubles.web import Clock

JPEG = b"\xff\xd8\xff\xe0"
HOSTILE = '<img src=x onerror="alert(1)">\u202e'


def would(number: int, change: str, **changes: Any) -> dict[str, Any]:
    return entry(number, status="skipped", reason="dry-run", wouldChange=change, **changes)


def embedded(picture: bytes) -> str:
    return f'src="data:image/jpeg;base64,{base64.b64encode(picture).decode()}"'


Report = Callable[..., tuple[CommandResult, str]]


@pytest.fixture
def report(manage: Manage, tmp_path: Path) -> Report:
    """Write a report; the result of the command, and the page."""

    def write(*options: str) -> tuple[CommandResult, str]:
        file = tmp_path / "report.html"
        result = manage("users", "--would-change", "--html", str(file), *options)
        return result, file.read_text("utf-8")

    return write


@pytest.fixture
def rehearsed(console: ConsoleDouble) -> ConsoleDouble:
    """After a dry run: one gets a first photo, one another, one loses the picture."""
    people = [
        would(1, "copy", displayName="Zoe"),
        would(2, "copy", displayName="Anne", userPrincipalName="anne@contoso.com"),
        would(3, "removal", displayName=HOSTILE),
    ]
    counts = {"skipped": 3, "failed": 2}
    console.routes["GET", "overview"] = (200, overview(dryRun=True, counts=counts))
    console.routes["GET", "users"] = (200, users(*people))
    for person in people:
        for side in ("exchange", "sharepoint"):
            at = f"users/{person['userId']}/photo/{side}"
            console.routes["GET", at] = (200, JPEG + person["userId"].encode() + side.encode())
    none = refusal("no-photo", "SharePoint shows none.")
    console.routes["GET", f"users/{people[0]['userId']}/photo/sharepoint"] = (404, none)
    return console


def test_before_and_after(report: Report, rehearsed: ConsoleDouble):
    """Every user is in it by name, with both pictures and the reason."""
    result, page = report()

    assert_printed(result, 0, "3 people, all with pictures", err="")
    assert rehearsed.asked[0].query["wouldChange"] == "true"
    anne, zoe = (entry(number)["userId"].encode() for number in (2, 1))
    for sentence in (
        "none of this has been written",
        embedded(JPEG + anne + b"sharepoint"),
        embedded(JPEG + anne + b"exchange"),
        embedded(JPEG + zoe + b"exchange"),
        "SharePoint gets the photo from Exchange.",
        "replaces this picture",
        "The picture is removed",
        "2 failed",
    ):
        assert sentence in page
    assert page.index("Anne") < page.index("Zoe")
    # No request to Exchange for a user who loses the picture.
    assert sum("photo/exchange" in path for path in rehearsed.paths("GET")) == 2
    assert {each.query.get("small") for each in rehearsed.asked if "photo" in each.path} == {"true"}


@pytest.mark.usefixtures("rehearsed")
def test_page_runs_and_loads_nothing(report: Report, tmp_path: Path):
    """Names are escaped, the page has no script, loads nothing, and only its owner can read it."""
    _, page = report()

    assert "&lt;img src=x onerror=" in page
    assert "\u202e" not in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    addresses = re.findall(r'(?:src|href)="([^"]*)', page)
    assert addresses
    assert all(each.startswith("data:image/jpeg;base64,") for each in addresses)
    if sys.platform != "win32":  # Whoever may read the folder may read the file there.
        assert stat.S_IMODE((tmp_path / "report.html").stat().st_mode) == 0o600


@pytest.mark.usefixtures("rehearsed")
def test_csv_beside_it(report: Report):
    """With both, stdout has only CSV."""
    result, _ = report("--csv")

    assert_printed(result, 0, err="report.html")
    assert [row["wouldChange"] for row in result.rows] == ["copy", "copy", "removal"]


def test_nobody_would_change(report: Report):
    """The page says so, with code 1 as for any empty list."""
    result, page = report()

    assert result.code == 1
    assert "No picture would change." in page
    assert "DRY_RUN is off: the next runs make these changes." in page


def test_picture_that_cannot_be_fetched(report: Report, rehearsed: ConsoleDouble):
    """It is reported in its place and by code 4; all others are there."""
    at = f"users/{entry(2)['userId']}/photo"
    rehearsed.routes["GET", f"{at}/exchange"] = (502, refusal("refused", "Exchange is odd."))
    rehearsed.routes["GET", f"{at}/sharepoint"] = (200, b"<html>")
    result, page = report()

    assert_printed(result, 4, "1 could not be fetched")
    assert "Exchange is odd." in page
    assert "did not send a JPEG" in page
    assert page.count("data:image/jpeg") == 2


def test_app_that_is_too_old(manage: Manage, console: ConsoleDouble):
    """An older app lists all users; that is not taken for users who would change."""
    console.routes["GET", "users"] = (200, users(entry(1)))
    assert_one_sentence(manage("users", "--would-change"), 4, "too old")


@pytest.mark.parametrize(
    "arguments", [["--html", "r.html"], ["--would-change", "--html", "no/such/folder/r.html"]]
)
def test_not_usable(manage: Manage, rehearsed: ConsoleDouble, arguments: list[str]):
    """A report of something else, or an unwritable file, is refused before any picture."""
    result = manage("users", *arguments)

    assert result.code == 2
    assert not [path for path in rehearsed.paths("GET") if "photo" in path]


class Studio:
    """An app with given answers about pictures, and a clock that only waiting moves."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers: Iterator[bytes | Exception] = iter(answers)
        self.clock = Clock()
        self.sentences: list[str] = []
        self.asked = 0

    def photo(self, user: str, side: str) -> bytes:
        self.asked += 1
        answer = next(self.answers, JPEG)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def changes(self, people: int, *, seconds: float = 3600.0) -> list[before_after.Change]:
        fetcher = PictureFetcher(
            cast("Console", self),
            seconds=seconds,
            say=self.sentences.append,
            clock=self.clock.ticks,
            pause=self.clock.sleep,
        )
        everybody = [Fields(would(number, "copy")) for number in range(people)]
        return fetcher.changes(everybody, lambda done, of, sentence="": None)


def test_retry_after():
    """It waits as long as the app asks, says so, and gets the picture."""
    studio = Studio(Busy("The profile budget is spent.", 180.0), Busy("Starting."))
    [change] = studio.changes(1)

    assert change.before == before_after.Picture(JPEG)
    assert studio.clock.ticks() == 185.0
    assert studio.sentences[0] == "The profile budget is spent. Retrying in 180 s."


def test_limits_of_retries():
    """Not for ever, and not beyond the timeout: the rest get no pictures."""
    studio = Studio(*[Busy("Busy.")] * 100)
    [change] = studio.changes(1)
    assert (change.is_known, studio.asked) == (False, 20)

    late = Studio(JPEG, JPEG, Busy("Busy.", 60.0), JPEG, Busy("Busy.", 20.0))
    first, second, third = late.changes(3, seconds=30.0)
    assert first.is_known
    assert not second.is_known
    assert third.before
    assert late.clock.ticks() == 20.0

    over = Studio(Busy("Busy.", 20.0), Busy("Busy.", 10.0))
    assert [each.before is None for each in over.changes(2, seconds=30.0)] == [False, True]


def test_unreachable_app():
    """An unreachable app is an error at once."""
    with pytest.raises(Unreachable):
        Studio(Unreachable("No connection.")).changes(2)


def test_app_that_becomes_unreachable():
    """One timeout costs one picture; after repeated ones the remaining pictures are left out."""
    gone = Unreachable("No connection.")
    studio = Studio(JPEG, gone, JPEG, JPEG, gone, gone, gone)
    changes = studio.changes(9)

    assert [each.before is None for each in changes] == [*[False] * 4, *[True] * 5]
    assert [each.is_known for each in changes[:4]] == [False, True, False, False]
    assert studio.sentences == ["No connection. The remaining pictures are left out."]


def test_no_picture_is_no_error():
    """No picture is an answer, and so is an error about one; they are not the same."""
    [change] = Studio(NotFound("None."), Unsound("Odd.")).changes(1)

    assert (change.before, change.after) == (
        before_after.Picture(why="None."),
        before_after.Picture(why="Odd.", known=False),
    )


def test_limit_of_pictures(report: Report, rehearsed: ConsoleDouble, monkeypatch):
    """Beyond a limit people are only listed, without requests; the page says how many."""
    monkeypatch.setattr(before_after, "MOST_PEOPLE", 1)
    result, page = report()

    asked = [path for path in rehearsed.paths("GET") if "/photo/" in path]
    assert len({path.split("/")[4] for path in asked}) == 1

    assert "3 people, 1 with pictures" in result.out
    assert "2 more, without pictures" in page
    assert "Zoe" in page


def test_when_to_ask_again(report: Report, rehearsed: ConsoleDouble):
    """The command obeys the app's Retry-After."""
    at = ("GET", f"users/{entry(2)['userId']}/photo/exchange")
    busy, picture = refusal("throttled", "The budget is spent."), rehearsed.routes[at]

    def once(asked: Asked) -> tuple[int, Any]:
        rehearsed.routes[at] = picture
        return 503, busy

    rehearsed.headers["Retry-After"] = "0"
    rehearsed.routes[at] = once
    result, _ = report()
    assert_printed(result, 0, err="The budget is spent. Retrying in 0 s.")
