"""`replay --wait`: the stage of each run, its end, and what both sides show then."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import Asked, ConsoleDouble, ended, queued, refusal
from tests.doubles.console_answers import ANNE, NOON, entry, overview, person, state

LATER = "2026-01-31T12:00:05+00:00"
SOON = "2026-01-31T12:03:00+00:00"
USER = f"users/{ANNE}"
Working = Callable[..., None]


def anne(**changes: Any) -> dict[str, Any]:
    """Anne with these changes in her stored state."""
    return person(state=state(**changes))


@pytest.fixture
def working(console: ConsoleDouble) -> Working:
    """Let the queue have this many messages, and Anne change at each poll."""

    def work(*answers: dict[str, Any], messages: int = 7) -> None:
        console.routes["GET", "overview"] = (200, overview(queues={"photo-sync": messages}))
        console.answers(USER, *answers)

    return work


@pytest.fixture
def wait(manage: Manage) -> Manage:
    return functools.partial(manage, "replay", "--wait", "anne@contoso.com")


def test_own_run_is_known_by_its_id(wait, working: Working, console: ConsoleDouble):
    """Another run's end, and another person's replay, are not the end of ours."""
    working(
        anne(checkedAt=LATER, status="failed", detail="By a notification."),
        ended(run="c-0", changed={"checkedAt": LATER, "status": "failed"}),
        ended(changed={"replays": ["c-2", "c-1"], "detail": "By the replay."}),
    )
    result = wait("--json")
    [user] = result.document["users"]

    assert result.code == 0
    assert (user["status"], user["detail"], user["agree"]) == ("synced", "By the replay.", True)


def test_both_sides_are_asked_once(wait, working: Working, console: ConsoleDouble):
    """Polls read only the stored state; both sides are read once, at the end."""
    working(anne(), anne(), anne(), ended())
    wait()
    queries = [one.query for one in console.asked if one.path.endswith(ANNE)]

    assert queries == [*[{"sides": "none"}] * 4, {}]


WHY = "SharePoint shows another picture."
DIFFERENT: dict[str, Any] = {"agree": False, "difference": WHY}
NO_PHOTO = {"status": "no-photo", "detail": "No photo."}
UNASKED: dict[str, Any] = {"agree": None, "difference": "Graph asks for patience."}
SKIPPED = ("picture-kept", "dry-run", "no-profile", "out-of-scope")


def skipped(reason: str) -> Any:
    changed = {"status": "skipped", "reason": reason, "detail": "That is why."}
    return ended(changed=changed, **DIFFERENT)


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        (ended(changed=NO_PHOTO), 0, ["no-photo"]),
        # A picture whose photo is gone is not right yet.
        (ended(changed=NO_PHOTO, **DIFFERENT), 1, []),
        (ended(**DIFFERENT), 1, [f"still differ. {WHY}", "1 queued, 1 still different."]),
        *((skipped(reason), 0, ["That is why."]) for reason in SKIPPED),
        (ended(**UNASKED), 4, ["Graph asks for patience."]),
        (ended(changed={"status": "failed", "detail": "No right."}), 1, ["No right.", "1 failed"]),
    ],
)
def test_end(wait, working: Working, end: dict[str, Any], code: int, words: list[str]):
    """0 if both sides agree or the run says why not, 4 if they cannot be compared, else 1."""
    working(end)
    assert_printed(wait(), code, *words)


CLAIM = {"expiresAt": SOON}
WAITS = {"status": "waiting", "checkedAt": LATER, "nextAttemptAt": SOON, "detail": "No budget."}
EARLIER = state()["checkedAt"]
STAGES: dict[str, tuple[dict[str, Any], str]] = {
    "queued": (anne(), "queued behind up to 6 messages"),
    "never seen": (person(state=None), "queued behind up to 6 messages"),
    "copied": (anne(claim={"by": "c-1", **CLAIM}), "copying"),
    "by another": (anne(claim={"by": "c-9", **CLAIM}), "waiting for another run that copies this"),
    "dead claim": (anne(claim={"by": "c-1", "expiresAt": NOON}), "queued behind up to 6"),
    "waits": (anne(**WAITS), "waiting until 12:03:00Z: No budget"),
    "another waits": (anne(**{**WAITS, "checkedAt": EARLIER}), "queued behind up to 6 messages"),
    "waits for ever": (anne(**{**WAITS, "nextAttemptAt": None}), "waiting: No budget"),
}


@pytest.mark.parametrize(("answer", "stage"), STAGES.values(), ids=STAGES)
def test_stage(wait, working: Working, answer: dict[str, Any], stage: str):
    """While it waits, each stage is printed once."""
    working(answer, answer, ended())
    result = wait()

    assert result.code == 0
    assert result.out.count(f"anne@contoso.com: {stage}") == 1


@pytest.mark.parametrize("stage", ["queued", "waits"])
def test_timeout(wait, working: Working, stage: str):
    """A timeout is code 5, with the last stage; the run continues."""
    answer, sentence = STAGES[stage]
    working(answer)
    result = wait("--timeout", "1")

    problem = f"Not finished within 1 seconds: {sentence}"
    assert_printed(result, 5, "1 not finished yet", err=problem)
    assert "It continues" in result.err


def test_last_in_the_queue(wait, working: Working):
    """The only message in the queue is behind no other."""
    working(anne(), ended(), messages=1)

    assert "anne@contoso.com: queued\n" in wait().out


def test_json_is_one_document(wait, working: Working):
    """With --json stdout holds the answer and nothing else."""
    working(anne(), anne(**WAITS), ended())

    assert wait("--json").document["users"][0]["status"] == "synced"


def test_many_users(manage: Manage, console: ConsoleDouble):
    """For many users the number in each stage is shown; each ends by its own id."""
    console.routes["GET", "overview"] = (200, overview(queues={"photo-sync": 90}))
    people = [entry(number) for number in range(12)]
    for number, one in enumerate(people):
        run, named = f"c-{number}", f"users/person{number}%40contoso.com"
        queued = {"queued": True, "userId": one["userId"], "correlationId": run}
        console.routes["POST", f"{named}/replay"] = (202, queued)
        console.routes["GET", named] = (200, anne())
        claim = {"by": run, **CLAIM} if number == 3 else None
        console.answers(f"users/{one['userId']}", anne(claim=claim), ended(run=run))
    result = manage("replay", "--wait", *(one["userPrincipalName"] for one in people))

    assert_printed(result, 0, "11 queued behind up to 89 messages; 1 copying", "12 queued.")
    assert result.out.count("synced") == 12


def test_queue_that_is_empty(wait, working: Working):
    """A run that could leave no mark has ended when no message is left, hidden ones included."""
    working(anne(), messages=0)
    assert_printed(wait(), 0, "synced")


def test_message_that_was_set_aside(wait, working: Working, console: ConsoleDouble):
    """An unknown name that was queued while Graph was down ends with the reason: code 1."""
    working(person(state=None))
    aside = {"reason": "Graph knows no such user.", "body": '{"correlationId": "c-1"}', "at": NOON}
    console.answers("overview", overview(queues={"photo-sync": 7}, unreadable=[aside]))
    assert_printed(wait(), 1, "Graph knows no such user.")


def test_user_who_is_deleted(wait, working: Working, console: ConsoleDouble):
    """A user who is deleted meanwhile is reported, and not waited for."""
    working(anne())
    del console.routes["GET", USER]
    assert_printed(wait(), 1, err="Nobody in the tenant")


def test_short_outage_of_graph(wait, working: Working, console: ConsoleDouble):
    """If the app cannot read a user now, it is polled again."""
    silence = refusal("throttled", "graph asks for patience for 38 s more.")
    left: list[tuple[int, Any]] = [(503, silence)] * 2
    working(ended())
    answer = console.routes["GET", USER]
    assert callable(answer)
    console.routes["GET", USER] = lambda asked: left.pop() if left else answer(asked)
    assert_printed(wait(), 0, "graph asks for patience for 38 s more.")


def test_two_names_of_one_user(manage: Manage, console: ConsoleDouble, working: Working):
    """Two names of one user are two runs, each with its end."""
    numbers = iter("12")

    def order(asked: Asked) -> tuple[int, Any]:
        status, answer = queued(asked)
        return status, {**answer, "correlationId": f"c-{next(numbers)}"}

    console.routes["POST", "users/anne%40contoso.com/replay"] = order
    console.routes["POST", f"{USER}/replay"] = order
    working(ended(run="c-1"), ended(run="c-1"), ended(changed={"replays": ["c-2", "c-1"]}))
    result = manage("replay", "--wait", "anne@contoso.com", ANNE, "--json")

    assert result.code == 0
    assert [one["status"] for one in result.document["users"]] == ["synced", "synced"]
