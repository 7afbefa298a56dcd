"""A first deployment: the doctor misses every right, a grant gives them, a picture is synced."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.m365.tenant.admins import GLOBAL
from tests import REPO
from tests.admin.command_result import CommandResult, assert_printed
from tests.admin.grants.conftest import in_a_process
from tests.e2e.cloud import LiveCloud, picture, quiet_cloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[LiveCloud]:
    with quiet_cloud(tmp_path, granted=False) as cloud:
        yield cloud


def variables(cloud: LiveCloud) -> dict[str, str]:
    """The variables of an admin's terminal."""
    return {
        "PHOTOSYNC_URL": cloud.at.functions,
        "PHOTOSYNC_KEY": cloud.at.key,
        "PHOTOSYNC_CA": cloud.at.ca,
        "LOGIN_URL": cloud.at.login,
        "GRAPH_URL": cloud.at.graph,
        "SHAREPOINT_TENANT": "contoso",
        "TENANT_ID": cloud.at.tenant_id,
    }


def doctor(cloud: LiveCloud) -> CommandResult:
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=REPO,
        env=os.environ | variables(cloud),
        capture_output=True,
        text=True,
        timeout=120,
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


def grant(cloud: LiveCloud, *arguments: str) -> CommandResult:
    """`grant` for PhotoSync's registration, signed in by a code as a Global Administrator."""
    order = ["--app", cloud.at.app_client_id, "--device-code", "--json", *arguments]
    with in_a_process(order, variables(cloud), REPO) as process:
        assert process.stderr
        prompt = process.stderr.readline()
        code = re.search(r"enter the code (\w+)", prompt)
        assert code, prompt
        cloud.admin.control("POST", "/sign-in", {"userCode": code[1], "roles": [GLOBAL]})
        out, err = process.communicate(timeout=120)
        return CommandResult(process.returncode, out, err)


def wrong(result: CommandResult) -> dict[str, str]:
    """Failed checks by name."""
    return {one["name"]: one["detail"] for one in result.document["checks"] if not one["ok"]}


def test_from_a_first_deployment_to_a_picture(cloud: LiveCloud):
    """Nothing but the granted rights is needed, and without them nothing works."""
    cloud.switch(deviceCodeInterval=1)
    user_id, upn = cloud.add()
    cloud.seed_photo(user_id, picture(1))

    before = doctor(cloud)
    assert before.code == 1
    missing = " ".join(wrong(before).values())
    for role in ("User.Read.All", "ProfilePhoto.Read.All", "Sites.Selected", "User.ReadWrite.All"):
        assert role in missing

    assert_printed(grant(cloud, "--yes"), 0, err="")
    cloud.subscribe()
    after = doctor(cloud)
    assert (after.code, wrong(after)) == (0, {})
    assert cloud.replayed(user_id)["status"] == "synced"
    assert cloud.shows(upn, picture(1))
    assert grant(cloud, "--check").code == 0

    assert grant(cloud, "--yes", "--revoke").code == 0
    assert doctor(cloud).code == 1
