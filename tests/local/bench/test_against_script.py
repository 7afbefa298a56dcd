"""The bench's match between PhotoSync and a script, played small: counts and pictures, no times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.bench.measuring.conditions import SETTINGS
from local.bench.measuring.judge import Judge
from local.bench.measuring.ledger import BYTES, FILES, GRAPH, PROFILES, UPLOADS
from local.bench.measuring.settled_tenant import SettledTenant
from local.bench.script import against_script
from local.bench.script.against_script import compared
from local.bench.script.script_result import (
    REQUESTS,
    STORAGE,
    Bout,
    Script,
    beside_rows,
    beyond_rows,
)
from local.cloud.stack import Stack
from local.soak.pictures import pictures

FEWEST, USERS, MANY = 2, 20, 40


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettledTenant]:
    with Stack(tmp_path_factory.mktemp("script"), settings=SETTINGS, log_storage=True) as stack:
        yield SettledTenant(stack, pictures(4))


@pytest.fixture(scope="module")
def bouts(tenant: SettledTenant) -> Iterator[tuple[Bout, Script, Bout]]:
    with pytest.MonkeyPatch.context() as patch:
        # What is asserted are counts: nobody needs to wait for them.
        patch.setattr(against_script, "LATENCY", {"graph": 0, "sharepoint": 0})
        yield compared(tenant, (FEWEST, USERS, MANY), lambda text: None)


def test_both_end_with_right_pictures(bouts: tuple[Bout, Script, Bout]):
    """A changed photo is in SharePoint in the end, whoever copied it."""
    few, script, many = bouts

    assert [bout.wrong for bout in (few, script.fewer, script.more, many)] == [0, 0, 0, 0]


def test_script_copies_everybody(bouts: tuple[Bout, Script, Bout]):
    """The script reads every photo, uploads three files and sets three properties for each."""
    _, script, _ = bouts

    calls = script.more.calls
    assert calls[GRAPH] == calls[REQUESTS] == 1 + USERS
    assert calls[UPLOADS] == calls[PROFILES] == 3 * USERS
    assert calls[STORAGE] == 0


def test_what_a_script_asks_once_stays_once(bouts: tuple[Bout, Script, Bout]):
    """More users multiply what each of them costs, and nothing else."""
    _, script, _ = bouts
    calls = script.calls(1_000)

    assert calls[GRAPH] == 1 + 1_000
    assert calls[UPLOADS] == calls[PROFILES] == 3 * 1_000
    assert calls[FILES] == script.more.calls[FILES] == script.fewer.calls[FILES]
    assert script.calls(USERS) == script.more.calls


@pytest.mark.parametrize("which", [0, 2], ids=["few", "many"])
def test_photosync_copies_who_changed(bouts: tuple[Bout, Script, Bout], which: int):
    """PhotoSync pays for a page, for a batch of each twenty users, and for who changed."""
    few, script, many = bouts
    bout = (few, script.more, many)[which]
    changed = bout.users // 20

    # The second time for who has left, whom no page lists.
    assert bout.calls[GRAPH] == 1 + 2 * (bout.users // 20) + 2 * changed
    assert (bout.calls[UPLOADS], bout.calls[PROFILES]) == (3 * changed, 2 * changed)
    assert bout.calls[BYTES] < script.calls(bout.users)[BYTES]
    # Everybody's etag and user; of who changed the etag again, then user, photo and its etag.
    assert bout.calls[REQUESTS] == 1 + 2 * bout.users + 4 * changed
    # What a sweep takes however many there are, and of who changed each state three times, with
    # the messages.
    assert 4 * changed < bout.calls[STORAGE] < 25 + 6 * changed


@pytest.mark.usefixtures("bouts")
def test_judge_sees_a_wrong_picture(tenant: SettledTenant):
    """Wrong are a photo nobody copied, a profile that shows nothing, and a photo that is gone."""
    judge = Judge(tenant.admin, tenant.photos)
    one, two, three = tenant.users[-3:]
    tenant.change(one, notify=False)
    tenant.admin.control("PATCH", f"/users/{two.id}", {"profile": {"PictureURL": ""}})
    tenant.put(three.id, None, notify=False)

    assert judge.wrong() == [one.upn, two.upn, three.upn]


def test_span_and_busiest_minute():
    """Time is from the first request to the last answer; a minute is any sixty seconds."""

    def entry(second: int, service: str) -> dict[str, object]:
        at = datetime(2026, 1, 31, 12, tzinfo=UTC) + timedelta(seconds=second)
        return {"at": at.isoformat(), "ms": 500, "service": service}

    entries = [entry(second, "sharepoint") for second in (0, 50, 100, 109, 110)]

    assert against_script._seconds([*entries, entry(120, "graph")]) == 120.5
    assert against_script._busiest_minute([*entries, entry(105, "graph")]) == 3
    assert against_script._busiest_minute([entry(0, "graph")]) == 0


def bout(users: int, seconds: float, calls: int, *, wrong: int = 0) -> Bout:
    kinds = (GRAPH, UPLOADS, PROFILES, FILES, REQUESTS, STORAGE)
    counts = Counter({BYTES: calls * 1_000_000}) + Counter(dict.fromkeys(kinds, calls))
    return Bout(users, seconds, counts, 1, wrong)


def test_rows_of_the_same_users():
    """Each kind stands beside the script's, two without a goal; no picture may be wrong."""
    script = Script(bout(2, 5.0, 6), bout(40, 40.0, 82), 40)
    time, *counts, requests, storage, wrong = beside_rows(bout(40, 4.0, 80, wrong=1), script)

    assert (time.figure, time.floor, time.goal_ratio, time.met) == (4.0, 40.0, 1.0, True)
    assert {(row.figure, row.floor, row.goal_ratio) for row in counts} == {(80, 82, 1.0)}
    assert len(counts) == 5
    for row in (requests, storage):
        assert (row.figure, row.floor, row.goal, row.goal_ratio) == (80, 82, None, None)
    assert (wrong.figure, wrong.goal, wrong.met) == (1, 0, False)


def test_rows_beyond():
    """For more users the script's counts grow by what each user costs; its time is not told."""
    script = Script(bout(2, 5.0, 6), bout(40, 43.0, 82), 40)
    time, *counts, wrong = beyond_rows(bout(1_000, 40.0, 3_000), script)

    assert (time.figure, time.floor, time.goal_ratio) == (40.0, None, None)
    assert "1.00 s a user" in time.note
    assert {(row.figure, row.floor) for row in counts} == {(3_000, 2 + 2 * 1_000)}
    assert [row.met for row in counts] == [False] * 5 + [None] * 2
    assert wrong.met
