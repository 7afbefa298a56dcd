"""The step that checks how the app sees a signed-in person."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from admin.acceptance import runner
from admin.acceptance.backup import Backup
from admin.acceptance.finding import Verdict
from admin.acceptance.scene import Scene
from admin.acceptance.steps import access
from admin.terminal.fields import Fields
from shared.user import User


@dataclass
class _App:
    """A deployed app that says who asks."""

    answer: dict[str, str]
    key: str = ""

    @property
    def console(self) -> _App:
        return self

    def me(self) -> Fields:
        return Fields(self.answer)


@pytest.mark.parametrize(
    ("answer", "verdict", "words"),
    [
        ({"via": "person", "name": "Anne", "role": "Viewer"}, "as assumed", "role Viewer, a name"),
        ({"via": "person", "name": "", "role": "Viewer"}, "differs", "role Viewer, no name"),
        ({"via": "key", "name": "", "role": ""}, "differs", "role none, no name"),
    ],
)
def test_signed_in(tmp_path: Path, answer: dict[str, str], verdict: str, words: str):
    """A person has a name and a role; the name is not reported."""
    app: Any = _App(answer)
    anne = User("", "anne@contoso.com", account_enabled=True, is_guest=False)
    scene = Scene(anne, None, app, app, Backup(tmp_path), limit=1)
    step = next(each for each in access.STEPS if each.id == "signed-in")

    [result] = runner.results([step], scene)

    assert (result.verdict, result.text) == (Verdict(verdict), words)
