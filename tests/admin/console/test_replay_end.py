"""`replay --wait`: the stage of each run, its end, and what both sides show then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import (
    ANNE,
    NOON,
    Asked,
    ConsoleDouble,
    ended,
    entry,
    overview,
    person,
    queued,
    refusal,
)
from tests.admin.said import assert_told

LATER = "2026-05-04T12:00:05+00:00"
SOON = "2026-05-04T12:03:00+00:00"
USER = f"users/{ANNE}"
Working = Callable[..., None]


def state(**changes: Any) -> dict[str, Any]:
    return person(state={**person()["state"], **changes})


@pytest.fixture
def working(console: ConsoleDouble) -> Working:
    """Let the queue have this many messages, and Anne change at each poll."""

    def work(*answers: dict[str, Any], messages: int = 7) -> None:
        left = list(answers)

        def look(asked: Asked) -> tuple[int, Any]:
            alone = asked.query.get("sides") == "none"
            return 200, left.pop(0) if len(left) > 1 and alone else left[0]

        console.routes["GET", "overview"] = (200, overview(queues={"photo-sync": messages}))
        console.routes["GET", USER] = look

    return work


@pytest.fixture
def wait(manage: Manage) -> Callable[..., Any]:
    def run(*options: str) -> Any:
        return manage("replay", "--wait", "anne@contoso.com", *options)

    return run


def test_own_run_is_known_by_its_id(wait, working: Working, console: ConsoleDouble):
    """Another run's end, and another person's replay, are not the end of ours."""
    working(
        state(checkedAt=LATER, status="failed", detail="By a notification."),
        ended(run="c-0", state={"checkedAt": LATER, "status": "failed"}),
        ended(state={"replays": ["c-2", "c-1"], "detail": "Copied."}),
    )
    said = wait("--json")

    assert said.code == 0
    assert said.document["users"][0]["status"] == "synced"
    assert said.document["users"][0]["detail"] == "Copied."
    assert said.document["users"][0]["agree"]


def test_both_sides_are_asked_once(wait, working: Working, console: ConsoleDouble):
    """Polls read only the stored state; both sides are read once, at the end."""
    working(state(), state(), state(), ended())
    wait()
    looks = [one.query for one in console.asked if one.path.endswith(ANNE)]

    assert looks == [*[{"sides": "none"}] * 4, {}]


DIFFERENT: dict[str, Any] = {"agree": False, "difference": "SharePoint shows another picture."}
NO_PHOTO = {"status": "no-photo", "detail": "No photo."}
UNASKED: dict[str, Any] = {"agree": None, "difference": "Graph asks for patience."}


def skipped(reason: str) -> Any:
    return ended(
        state={"status": "skipped", "reason": reason, "detail": "That is why."}, **DIFFERENT
    )


@pytest.mark.parametrize(
    ("end", "code", "words"),
    [
        (ended(state=NO_PHOTO), 0, ["no-photo"]),
        # A picture whose photo is gone is not right yet.
        (ended(state=NO_PHOTO, **DIFFERENT), 1, []),
        (
            ended(**DIFFERENT),
            1,
            [
                f"The two sides still differ. {DIFFERENT['difference']}",
                "1 queued, 1 still different.",
            ],
        ),
        (skipped("picture-kept"), 0, ["That is why."]),
        (skipped("dry-run"), 0, ["That is why."]),
        (skipped("no-profile"), 0, ["That is why."]),
        (skipped("out-of-scope"), 0, ["That is why."]),
        (ended(**UNASKED), 4, ["Graph asks for patience."]),
        (ended(state={"status": "failed", "detail": "No right."}), 1, ["No right.", "1 failed"]),
    ],
)
def test_how_it_ends(wait, working: Working, end: dict[str, Any], code: int, words: list[str]):
    """0 if both sides agree or the run says why not, 4 if they cannot be compared, else 1."""
    working(end)
    assert_told(wait(), code, *words)


CLAIM = {"expiresAt": SOON}
WAITS = {
    "status": "waiting",
    "checkedAt": LATER,
    "nextAttemptAt": SOON,
    "detail": "The profile budget is spent.",
}
STAGES: dict[str, tuple[dict[str, Any], str]] = {
    "queued": (state(), "queued behind up to 6 messages"),
    "never seen": (person(state=None), "queued behind up to 6 messages"),
    "copied": (state(claim={"by": "c-1", **CLAIM}), "copying"),
    "by another": (
        state(claim={"by": "c-9", **CLAIM}),
        "waiting for another run that copies this user",
    ),
    "dead claim": (state(claim={"by": "c-1", "expiresAt": NOON}), "queued behind up to 6"),
    "waits": (state(**WAITS), "waiting until 12:03:00Z: The profile budget is spent"),
    "another waits": (state(**{**WAITS, "checkedAt": NOON}), "queued behind up to 6 messages"),
    "waits for ever": (state(**{**WAITS, "nextAttemptAt": None}), "waiting: The profile budget"),
}


@pytest.mark.parametrize(("answer", "told"), STAGES.values(), ids=STAGES)
def test_how_far_it_is(wait, working: Working, answer: dict[str, Any], told: str):
    """While it waits, each stage is printed once."""
    working(answer, answer, ended())
    said = wait()

    assert said.code == 0
    assert said.out.count(f"anne@contoso.com: {told}") == 1


@pytest.mark.parametrize("stage", ["queued", "waits"])
def test_time_that_runs_out(wait, working: Working, stage: str):
    """A timeout is code 5, with the last stage; the run continues."""
    answer, told = STAGES[stage]
    working(answer)
    said = wait("--timeout", "1")

    assert said.code == 5
    assert "1 not finished yet" in said.out
    assert f"Not finished within 1 seconds: {told}" in said.err
    assert "It continues" in said.err


def test_last_in_the_queue(wait, working: Working):
    """The only message in the queue is behind no other."""
    working(state(), ended(), messages=1)

    assert "anne@contoso.com: queued\n" in wait().out


def test_json_says_it_once(wait, working: Working):
    """With --json stdout holds the answer and nothing else."""
    working(state(), state(**WAITS), ended())

    assert wait("--json").document["users"][0]["status"] == "synced"


def test_many_at_once(manage: Manage, console: ConsoleDouble):
    """For many users the number in each stage is shown; each ends by its own id."""
    looks = dict.fromkeys(range(1, 13), 0)

    def order(number: int) -> Callable[[Asked], tuple[int, Any]]:
        answer = {"queued": True, "userId": entry(number)["userId"], "correlationId": f"c-{number}"}
        return lambda asked: (202, answer)

    def look(number: int) -> Callable[[Asked], tuple[int, Any]]:
        def answer(asked: Asked) -> tuple[int, Any]:
            looks[number] += 1
            claim = {"by": f"c-{number}", **CLAIM} if number == 3 else None
            return 200, ended(run=f"c-{number}") if looks[number] > 1 else state(claim=claim)

        return answer

    console.routes["GET", "overview"] = (200, overview(queues={"photo-sync": 90}))
    for number in looks:
        console.routes["POST", f"users/person{number}%40contoso.com/replay"] = order(number)
        console.routes["GET", f"users/person{number}%40contoso.com"] = (200, state())
        console.routes["GET", f"users/{entry(number)['userId']}"] = look(number)
    said = manage("replay", "--wait", *(f"person{number}@contoso.com" for number in looks))

    assert said.code == 0
    assert "11 queued behind up to 89 messages; 1 copying" in said.out
    assert "12 queued." in said.out
    assert said.out.count("synced") == 12


def test_queue_that_is_empty(wait, working: Working):
    """A run that could leave no mark has ended when no message is left, hidden ones included."""
    working(state(), messages=0)
    assert_told(wait(), 0, "synced")


def test_message_that_was_set_aside(wait, working: Working, console: ConsoleDouble):
    """An unknown name that was queued while Graph was down ends with the reason: code 1."""
    working(person(state=None))
    aside = {"reason": "Graph knows no such user.", "body": '{"correlationId": "c-1"}', "at": NOON}
    console.routes["GET", "overview"] = (
        *(200, overview(queues={"photo-sync": 7}, unreadable=[aside])),
    )
    assert_told(wait(), 1, "Graph knows no such user.")


def test_user_who_goes(wait, working: Working, console: ConsoleDouble):
    """A user who is deleted meanwhile is reported, and not waited for."""
    working(state())
    del console.routes["GET", USER]
    assert_told(wait(), 1, err="Nobody in the tenant")


def test_app_that_cannot_tell_for_a_while(wait, working: Working, console: ConsoleDouble):
    """If the app cannot read a user now, it is polled again."""
    silence = refusal("throttled", "graph asks for patience for 38 s more.")
    left: list[tuple[int, Any]] = [(503, silence)] * 2
    working(ended())
    answer = console.routes["GET", USER]
    assert callable(answer)
    console.routes["GET", USER] = lambda asked: left.pop() if left else answer(asked)
    assert_told(wait(), 0, "graph asks for patience for 38 s more.")


def test_replay_of_two_by_one_id(manage: Manage, console: ConsoleDouble, working: Working):
    """Two names of one user are two runs, each with its end."""
    numbers = iter("12")

    def order(asked: Asked) -> tuple[int, Any]:
        status, answer = queued(asked)
        return status, {**answer, "correlationId": f"c-{next(numbers)}"}

    console.routes["POST", "users/anne%40contoso.com/replay"] = order
    console.routes["POST", f"{USER}/replay"] = order
    working(ended(run="c-1"), ended(run="c-1"), ended(state={"replays": ["c-2", "c-1"]}))
    said = manage("replay", "--wait", "anne@contoso.com", ANNE, "--json")

    assert said.code == 0
    assert [one["status"] for one in said.document["users"]] == ["synced", "synced"]
