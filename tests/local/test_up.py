"""What `up` prints to try, in both shells; that it works is tried in `tests/local/cloud`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from admin.terminal.shell import Shell
from local.cloud.endpoints import Endpoints
from local.up import invitation

EVERYTHING = {"DRY_RUN": "true", "SYNC_GROUP_ID": "22222222-2222-2222-2222-222222222222"}
MARK = "'"


@pytest.fixture
def at() -> Endpoints:
    url = "https://localhost:7071"
    return Endpoints(
        functions=url, key="KEY", master_key="M", graph=url, login=url, sharepoint_my=url,
        sharepoint_admin=url, sharepoint_root=url, control=url, ca="/it is/ca.pem", storage="",
        tenant_id="T", client_id="C", client_certificate="/it is/cert.pem", client_state="S",
        app_client_id="A", app_certificate="P", proxy="http://localhost:8", console_client_id="I",
    )  # fmt: skip


def commands(at: Endpoints, shell: Shell) -> list[str]:
    text = invitation(at, Path("/it is"), EVERYTHING, shell)
    return re.findall(r"(?m)^    (\S.*)$", text)


def test_in_powershell(at):
    """Nothing that only sh knows: no export, no prefix, no continued line, no curl of its own."""
    lines = commands(at, Shell(powershell=True))

    assert len(lines) > 30
    assert not [line for line in lines if re.match(r"export |curl |grep |[A-Z_]+=", line)]
    assert not [line for line in lines if line.endswith("\\") or "\\'" in line]
    assert "$env:PHOTOSYNC_CA = '/it is/ca.pem'" in lines
    curl = "curl.exe -sS --ssl-no-revoke --noproxy localhost --cacert '/it is/ca.pem'"
    order = '{"id": "22222222-2222-2222-2222-222222222222", "members": ["anne@contoso.com"]}'
    assert f"'{order}' | {curl} https://localhost:7071/_sim/groups -d '@-'" in lines
    assert f"{curl} https://localhost:7071/_sim/users/anne@contoso.com" in lines
    # An even number of quotation marks: every word that is opened is closed.
    assert [line for line in lines if line.count(MARK) % 2] == []


def test_in_sh(at):
    """The same lines, one for one."""
    here, there = (commands(at, Shell(powershell=one)) for one in (False, True))

    assert len(here) == len(there)
    assert "export PHOTOSYNC_CA='/it is/ca.pem'" in here
    assert f"{sys.executable} -m local show --folder '/it is'" in here
    assert f"{sys.executable} manage.py status" in here


def test_usual_folder_is_not_named(at):
    """Commands for a cloud in the usual folder need no --folder."""
    assert "-m local show\n" in invitation(at, Path(".local").resolve(), {})
