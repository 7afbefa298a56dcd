"""
The contract's tenants: a simulated one, and with `make contract TENANT=FILE` a real one.

FILE has the format of settings.sample.json in this folder, and is never committed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin.acceptance.backup import Backup
from admin.acceptance.finding import NotRun
from admin.acceptance.microsoft365 import Microsoft365
from admin.acceptance.order import read, settings_of
from admin.acceptance.scene import Scene
from admin.terminal.problems import Problem, Unusable
from shared.errors import PhotoSyncError
from tests.admin.acceptance.conftest import give_photo, give_picture, variables
from tests.local.m365.simulator import cloud

TENANT = os.environ.get("CONTRACT_TENANT", "")
SIMULATOR, REAL = "simulator", "tenant"
# The simulated tenant has one, so that every step can run there.
_SATELLITES = {"contosoeur": "Profilbilder"}


class Nobody:
    """Refuses each action, since no step of the contract needs a person."""

    def must_be_there(self) -> None:
        raise NotRun("nobody is there")

    def does(self, what: str) -> None:
        raise NotRun("nobody is there")


@pytest.fixture(scope="module", params=[SIMULATOR, REAL] if TENANT else [SIMULATOR])
def where(request: pytest.FixtureRequest) -> str:
    """The tenant that is asked."""
    return str(request.param)


@pytest.fixture(scope="module")
def asked(where: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene in which nothing is written."""
    folder = tmp_path_factory.mktemp("contract")
    if where == SIMULATOR:
        yield from _simulated(folder)
    else:
        yield real(Path(TENANT), folder)


def _simulated(folder: Path) -> Iterator[Scene]:
    with cloud(folder, real_names=True, satellites=_SATELLITES) as tenant:
        tenant.renew()
        anne, bert = tenant.add_user("anne.keller"), tenant.add_user("bert")
        give_photo(tenant, anne, seed=3)
        for user in (anne, bert):
            give_picture(tenant, user)
        bert.mailbox = "none"
        values = {**variables(tenant), "SHAREPOINT_GEOS": ",".join(_SATELLITES)}
        # These would apply only to the home geography.
        del values["SHAREPOINT_MY_URL"], values["SHAREPOINT_ADMIN_URL"]
        yield _scene(values, anne.id, bert.id, folder)


def real(file: Path, folder: Path) -> Scene:
    """A scene in the tenant that *file* names; ends the test run if it names none."""
    try:
        values = read(file)
        user, other = values.pop("CONTRACT_USER", ""), values.pop("CONTRACT_UNLICENSED", "")
        if not user:
            raise Unusable(f"{file} names no test user: give the UPN of one as CONTRACT_USER.")
        return _scene(values, user, other, folder)
    except (Problem, PhotoSyncError) as error:
        # One error, not one for each step.
        pytest.exit(f"TENANT cannot be asked: {error}", returncode=pytest.ExitCode.USAGE_ERROR)


def _scene(values: dict[str, str], user: str, other: str, folder: Path) -> Scene:
    direct = Microsoft365(settings_of(values))
    second = direct.graph.user(other) if other else None
    found = direct.graph.user(user)
    return Scene(found, direct, None, Nobody(), Backup(folder), limit=10, other=second)
