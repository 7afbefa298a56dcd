"""Sweeps with a group and a dry run, each in a cloud of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.cloud.stack import Stack
from tests.e2e.cloud import LiveCloud, picture
from tests.e2e.conftest import NEVER
from tests.e2e.test_sweep import lost, sweep

pytestmark = pytest.mark.server

GROUP = "0b000000-0000-4000-8000-000000000001"


def test_group_and_dry_run(tmp_path: Path):
    """A dry run says for members of the group what it would write; switched off, it writes it."""
    schedules = {"SWEEP_SCHEDULE": NEVER, "RENEW_SCHEDULE": NEVER}
    settings = {"DRY_RUN": "true", "SYNC_GROUP_ID": GROUP, **schedules}
    with Stack(tmp_path, settings=settings) as stack:
        cloud = LiveCloud(stack)
        member, member_upn = lost(cloud, 1)
        stranger, stranger_upn = lost(cloud, 2)
        group = {"id": GROUP, "members": [member]}
        cloud.admin.control("POST", "/groups", group)
        # Reading a group takes a role more than PhotoSync's own registration has here.
        at = stack.endpoints
        _switch(stack, tmp_path, CLIENT_ID=at.client_id, CLIENT_CERTIFICATE=at.client_certificate)
        log = sweep(cloud)
        state = cloud.watcher.states()[member]

        assert log["users"] == 1
        assert (state["status"], state["reason"]) == ("skipped", "dry-run")
        assert "upload 3 pictures" in state["detail"]
        assert not cloud.admin.shown(member_upn).files

        _switch(stack, tmp_path, DRY_RUN="false")
        sweep(cloud)
        assert cloud.shows(member_upn, picture(1))
        # Who is missing from the list of members, for a while or for good, loses nothing by it.
        cloud.admin.control("POST", "/groups", {"id": GROUP, "members": []})
        assert sweep(cloud)["users"] == 0
        assert cloud.shows(member_upn, picture(1))
        # The group itself was asked about the member, and the state says since when.
        state = cloud.watcher.states()[member]
        assert (state["status"], state["reason"]) == ("skipped", "out-of-scope")
        assert state["outOfScopeSince"]
        assert stranger not in cloud.watcher.states()
        assert not cloud.admin.shown(stranger_upn).files


def _switch(stack: Stack, folder: Path, **changes: str) -> None:
    """Change app settings as an admin does: the app starts anew with them."""
    stack.kill_host()
    path = folder / "local.settings.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["Values"] |= changes
    path.write_text(json.dumps(content), encoding="utf-8")
    stack.start_host()
