"""A visit of the user, which a person makes: what it changes, and that it is put back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from admin.acceptance import person
from admin.acceptance.finding import NotRun
from admin.acceptance.scene import Scene
from admin.acceptance.step import Step
from admin.acceptance.steps import visit
from local.m365.tenant.records import User
from tests.admin.acceptance.conftest import USER, Acceptance, seen, shown
from tests.contract.conftest import Nobody


def test_sync_writes(acceptance, tenant, anne, monkeypatch):
    """If Microsoft's own sync writes, the step names the changed properties."""
    before = shown(tenant, anne)

    def visits(terminal: person.TerminalPerson, what: str) -> None:
        assert anne.profile
        if anne.profile.properties["SPS-PictureExchangeSyncState"] == "1":
            anne.profile.properties["SPS-PictureTimestamp"] += "1"
        if not anne.profile.properties["PictureURL"]:
            anne.profile.properties["PictureURL"] = "https://pictures.example/anne.jpg"

    monkeypatch.setattr(person.TerminalPerson, "must_be_there", lambda self: None)
    monkeypatch.setattr(person.TerminalPerson, "does", visits)
    found = seen(acceptance("--yes", "--json", USER))

    assert found["visit-0"] == ("as assumed", "nothing had changed 1 s after the visit")
    assert found["visit-1"][0] == "differs"
    assert found["visit-1"][1].endswith("s: SPS-PictureTimestamp")
    assert found["visit-empty"][1].endswith("s: PictureURL")
    assert shown(tenant, anne) == before


@pytest.mark.parametrize(
    ("arguments", "why"), [((), "there is none"), (("--hands-off",), "leave out --hands-off")]
)
def test_nobody_visits(acceptance: Acceptance, anne: User, arguments: tuple[str, ...], why: str):
    """Without a person, or with --hands-off, the step says so."""
    found = seen(acceptance("--yes", "--json", *arguments, USER))

    assert found["visit-0"][0] == "could not be asked"
    assert why in found["visit-0"][1]


@pytest.mark.parametrize("step", visit.WRITING, ids=[each.id for each in visit.WRITING])
def test_nothing_is_written_for_nobody(step: Step):
    """The step first checks whether somebody is there."""
    with pytest.raises(NotRun):
        step.ask(cast(Scene, SimpleNamespace(person=Nobody())))
