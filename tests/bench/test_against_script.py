"""The bench's match between PhotoSync and a script, played small: counts and pictures, no times."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.bench import against_script
from local.bench.against_script import Bout, compared
from local.bench.judge import Judge
from local.bench.ledger import BYTES, GRAPH, PROFILES, UPLOADS
from local.bench.settled_tenant import SETTINGS, SettledTenant
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
    """A photo that nobody copied, and a profile that shows nothing, make a picture wrong."""
    judge = Judge(tenant.admin, tenant.photos)
    one, two = tenant.users[-2:]
    tenant.change(one, notify=False)
    tenant.admin.control("PATCH", f"/users/{two.id}", {"profile": {"PictureURL": ""}})

    assert judge.wrong() == [one.upn, two.upn]
