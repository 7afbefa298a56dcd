"""The hook waits, notices missing code, and reports errors."""

from __future__ import annotations

from typing import Any

import pytest

from infra.hooks import connect
from tests.infra.conftest import Cloud, Run, hashed


@pytest.mark.parametrize("state", [{"functions": []}, {"unlisted": "Bad Gateway({})"}])
def test_without_code_nothing_is_connected(cloud: Cloud, state: dict[str, Any]):
    """
    After the first provisioning there is no function yet: one sentence, and no failure.

    Azure may not be able to list the functions of an app that nothing was deployed to.
    """
    cloud.state |= state

    done = cloud.hook("postprovision")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "No code is deployed yet, nothing to connect: run `azd deploy`.\n"
    assert len(cloud.state["calls"]) == 1


@pytest.mark.parametrize(
    ("state", "pauses"),
    [
        ({"listed_after": 3}, 3),
        ({"started_after": 1}, 1),
        ({"started_after": connect.TRIES - 1}, connect.TRIES - 1),
        ({"started_after": 1, "starting": "Service Unavailable({})"}, 1),
        ({"started_after": 1, "starting": "Bad Gateway({})"}, 1),
        ({"started_after": 1, "starting": "Gateway Timeout({})"}, 1),
        # The first request is before any key is made.
        ({"keys_listed_after": 3}, 3),
    ],
)
def test_it_waits(cloud: Cloud, in_process: Run, state: dict[str, Any], pauses: int):
    """For Azure's list of functions or keys, for the app to start, and after 502, 503 and 504."""
    cloud.state |= state

    code, waited = in_process("postdeploy")

    assert (code, len(waited)) == (0, pauses)
    settings, keys = cloud.state["settings"], cloud.state["keys"]
    assert "WEBHOOK_URL" in settings
    assert settings["CLIENT_STATE"] == hashed(keys["client-state"])


@pytest.mark.parametrize(
    ("state", "pauses", "sentence"),
    [
        ({"functions": []}, connect.TRIES, "has no function `notifications`: its log stream"),
        ({"started_after": 1000}, connect.TRIES - 1, "from host runtime"),
        ({"keys_listed_after": 1000}, connect.TRIES, "does not list the new keys"),
    ],
)
def test_it_stops_waiting(cloud, in_process, capsys, state, pauses, sentence):
    """After a limit; the sentence says why, with Azure's own message if there is one."""
    cloud.state |= state

    code, waited = in_process("postdeploy")

    assert (code, len(waited)) == (1, pauses)
    assert sentence in capsys.readouterr().err


CRASH = (
    "The command failed with an unexpected error. Here is the traceback:\n"
    "ERROR: HTTPSConnectionPool(host='management.azure.com'): Max retries exceeded\n"
    "Traceback (most recent call last):"
)


@pytest.mark.parametrize(
    ("state", "environ", "sentence"),
    [
        (
            {"started_after": 1, "starting": CRASH},
            {},
            "az rest: HTTPSConnectionPool(host='management.azure.com'): Max retries exceeded\n",
        ),
        # An app that cannot be found is an error, not a reason to wait or to skip.
        ({}, {"PHOTOSYNC_APP_NAME": "another-app"}, "az rest: Not Found("),
        # azd and az sign in apart from each other.
        ({"signed_out": True}, {}, "az rest: Please run 'az login' to setup account.\n"),
        ({}, {"PATH": ""}, "az is missing: install the Azure CLI"),
        # Outside azd the outputs are missing.
        (
            {},
            {"PHOTOSYNC_URL": "", "AZURE_RESOURCE_GROUP": ""},
            "AZURE_RESOURCE_GROUP, PHOTOSYNC_URL missing: run `azd",
        ),
    ],
    ids=["crash", "no such app", "signed out", "no az", "no outputs"],
)
def test_errors(cloud: Cloud, state: dict[str, Any], environ: dict[str, str], sentence: str):
    """One sentence gives the reason, and says what to do; everything missing is named at once."""
    cloud.state |= state
    cloud.env |= environ

    done = cloud.hook("postprovision")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(sentence)
