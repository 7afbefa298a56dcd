"""The bench's match between PhotoSync and a script, played small: counts and pictures, no times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from local.bench import against_script
from local.bench.against_script import Bout, compared
from local.bench.conditions import SETTINGS
from local.bench.judge import Judge
from local.bench.ledger import BYTES, GRAPH, PROFILES, UPLOADS
from local.bench.settled_tenant import SettledTenant
from local.soak.pictures import pictures
from local.stack import Stack

USERS, TIMES = 20, 2


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettledTenant]:
    with Stack(tmp_path_factory.mktemp("script"), settings=SETTINGS, log_storage=True) as stack:
        yield SettledTenant(stack, pictures(4))


@pytest.fixture(scope="module")
def bouts(tenant: SettledTenant) -> Iterator[tuple[Bout, Bout, Bout]]:
    with pytest.MonkeyPatch.context() as patch:
        # What is asserted are counts: nobody needs to wait for them.
        patch.setattr(against_script, "LATENCY", {"graph": 0, "sharepoint": 0})
        yield compared(tenant, USERS, TIMES, lambda text: None)


def test_both_end_with_right_pictures(bouts: tuple[Bout, Bout, Bout]):
    """A changed photo is in SharePoint in the end, whoever copied it."""
    assert [bout.wrong for bout in bouts] == [0, 0, 0]


def test_script_copies_everybody(bouts: tuple[Bout, Bout, Bout]):
    """The script reads every photo, uploads three files and sets three properties for each."""
    _, script, _ = bouts

    assert script.calls[GRAPH] == 1 + USERS
    assert script.calls[UPLOADS] == script.calls[PROFILES] == 3 * USERS


@pytest.mark.parametrize("which", [0, 2], ids=["few", "many"])
def test_photosync_copies_who_changed(bouts: tuple[Bout, Bout, Bout], which: int):
    """PhotoSync pays for a page, for a batch of each twenty users, and for who changed."""
    bout, script = bouts[which], bouts[1]
    changed = bout.users // 20

    assert bout.calls[GRAPH] == 1 + bout.users // 20 + 2 * changed
    assert (bout.calls[UPLOADS], bout.calls[PROFILES]) == (3 * changed, 2 * changed)
    assert bout.calls[BYTES] < script.calls[BYTES]


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
