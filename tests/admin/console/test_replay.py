"""`replay`: which users are queued, and which cannot be."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from admin.console import user_list
from admin.terminal.problems import Unusable
from tests.admin.command_result import assert_printed
from tests.admin.console.conftest import Manage
from tests.admin.console.console_double import ConsoleDouble, ended, queued, refusal
from tests.doubles.console_answers import ANNE, entry, users


@pytest.fixture
def everybody(console: ConsoleDouble) -> ConsoleDouble:
    """person1 to person9 can be replayed too, by name and by id."""
    for number in range(1, 10):
        console.routes["POST", f"users/person{number}%40contoso.com/replay"] = queued
        console.routes["POST", f"users/{entry(number)['userId']}/replay"] = queued
    return console


def replayed(console: ConsoleDouble) -> list[str]:
    return [path.split("/")[4].partition("%40")[0] for path in console.paths("POST")]


def test_one_user(manage: Manage, console: ConsoleDouble):
    """A replay is one POST with the key in the header; force is off unless asked for."""
    assert_printed(manage("replay", "anne@contoso.com"), 0, "1 queued.", err="")
    assert console.asked[-1].query == {}
    manage("replay", "--force", "anne@contoso.com")
    assert console.orders == [{"force": False}, {"force": True}]


def test_chosen_picture(manage: Manage, console: ConsoleDouble):
    """--replace works only for named users, never with --failed."""
    console.routes["POST", f"users/{ANNE}/replay"] = queued
    assert_printed(manage("replay", "--replace", "--failed"), 2, err="does not go with --failed")
    assert console.asked == []

    assert manage("replay", "--replace", "--yes", "anne@contoso.com").code == 0
    assert console.orders == [{"force": False, "replace": True}]


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 1), ("", 2)])
def test_question_before_a_chosen_picture_is_replaced(manage, console, answers, typed, code):
    """The users are listed, and only "yes" replays them, by object id, as names may change."""
    console.routes["GET", "users/anne"] = console.routes["GET", "users/anne%40contoso.com"]
    console.routes["POST", f"users/{ANNE}/replay"] = queued
    if typed:
        answers(typed)
    result = manage("replay", "--replace", "anne", "nobody@contoso.com")

    assert "anne@contoso.com" in result.out
    assert "these 2 people" in result.out
    # Nobody can be queued, which is code 1, too.
    assert result.code == (code or 1)
    assert ("Nothing was changed." in result.out) is (code == 1)
    assert ("give --yes" in result.err) is (code == 2)
    ordered = [f"/api/console/users/{each}/replay" for each in (ANNE, "nobody%40contoso.com")]
    assert console.paths("POST") == (ordered if code == 0 else [])


def test_an_unknown_user_does_not_stop_the_others(manage: Manage, everybody: ConsoleDouble):
    """The others are queued; the unknown one is reported at the end."""
    result = manage("replay", "person1@contoso.com", "nobody@contoso.com", "person2@contoso.com")

    problem = "1 of 3 users had a problem. The first is nob"
    assert_printed(result, 1, "2 queued, 1 not queued.", err=problem)
    assert replayed(everybody) == ["person1", "nobody", "person2"]
    assert result.err.count("\n") == 1


def test_an_error_of_the_app_does_not_stop_it(manage: Manage, everybody: ConsoleDouble):
    """An error with one user is code 4; a refused key would be the same for all, so it stops."""
    users = ["person1@contoso.com", "person2@contoso.com"]
    everybody.routes["POST", "users/person1%40contoso.com/replay"] = (500, b"")
    assert manage("replay", *users).code == 4
    assert replayed(everybody) == ["person1", "person2"]

    everybody.asked.clear()
    refused = manage("replay", *users, "--key", "another")
    assert_printed(refused, 3, err="2 of 2 users had a problem")
    assert replayed(everybody) == ["person1"]


def test_json_lists_each_user(manage: Manage, everybody: ConsoleDouble):
    """With --json each user has its result; the sentence is on stderr."""
    result = manage("replay", "--json", "person1@contoso.com", "nobody@contoso.com")
    first, second = result.document["users"]

    assert first["queued"]
    assert not second["queued"]
    assert "Nobody in the tenant" in second["error"]
    assert "nobody@contoso.com" in result.err


def test_from_file_and_failed(manage: Manage, everybody: ConsoleDouble, tmp_path: Path):
    """Users of the command line, a file and --failed together, each once."""
    everybody.routes["GET", "users"] = (200, users(entry(2), entry(3)))
    file = tmp_path / "users.txt"
    file.write_text("# who called today\n\nPerson1@contoso.com\n  person2@contoso.com  # again\n")
    result = manage("replay", "person1@contoso.com", "--failed", "--from-file", str(file))

    assert result.code == 0
    assert replayed(everybody) == ["person1", "person2", entry(3)["userId"]]


def test_failed_under_an_old_name(manage: Manage, everybody: ConsoleDouble):
    """A failed user is found by id, even if the name has changed."""
    everybody.routes["GET", "users"] = (200, users(entry(2)))
    del everybody.routes["POST", "users/person2%40contoso.com/replay"]
    assert_printed(manage("replay", "--failed"), 0, "person2@contoso.com  queued", err="")


@pytest.mark.parametrize(
    ("more", "code", "out", "err"),
    [(["--failed"], 0, ["Nobody to replay."], ""), ([], 2, [], "contains no users")],
)
def test_nobody_to_replay(manage, console, tmp_path, more, code, out, err):
    """Nothing to do is no error; a file without users alone is probably the wrong file."""
    file = tmp_path / "users.txt"
    file.write_text("# nobody today\n")

    assert_printed(manage("replay", *more, "--from-file", str(file)), code, *out, err=err)
    assert console.paths("POST") == []


def test_while_graph_is_silent(manage: Manage, everybody: ConsoleDouble):
    """A user who cannot be read now can still be queued and waited for."""
    graph = refusal("throttled", "graph asks for patience for 38 s more.")
    everybody.routes["GET", "users/person1%40contoso.com"] = (503, graph)
    everybody.routes["GET", f"users/{ANNE}"] = (200, ended())
    assert_printed(manage("replay", "--wait", "person1@contoso.com"), 0, err="")
    assert replayed(everybody) == ["person1"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    ],
    ids=["utf-8", "notepad", "powershell"],
)
def test_list_as_programs_write_it(encode: Callable[[str], bytes]):
    """A list is read in any encoding that Windows writes; #EXT# is not a comment."""
    text = "jürgen@contoso.com\n\n#comment\nann_x.com#EXT#@contoso.com # a guest\n"

    found = user_list.read(io.BytesIO(encode(text)))

    assert found == ["jürgen@contoso.com", "ann_x.com#EXT#@contoso.com"]


def test_list_that_is_not_text():
    """Something else than a text file is refused in a sentence."""
    with pytest.raises(Unusable, match="UTF-8"):
        user_list.read(io.BytesIO(b"PK\x03\x04\xff\xfe"))
