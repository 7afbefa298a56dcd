"""The hook waits, notices missing code, and reports errors."""

from __future__ import annotations

from typing import Any

import pytest

from infra.hooks import connect
from tests.infra.conftest import Cloud, Run, hashed


def test_without_code_nothing_is_connected(cloud: Cloud):
    """After the first provisioning there is no function yet: one sentence, and no failure."""
    cloud.state["functions"] = []

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
    ("state", "pauses", "told"),
    [
        ({"functions": []}, connect.TRIES, "has no function `notifications`: its log stream"),
        ({"started_after": 1000}, connect.TRIES - 1, "from host runtime"),
        ({"keys_listed_after": 1000}, connect.TRIES, "does not list the new keys"),
    ],
)
def test_it_stops_waiting(cloud, in_process, capsys, state, pauses, told):
    """After a limit; the sentence says why, with Azure's own message if there is one."""
    cloud.state |= state

    code, waited = in_process("postdeploy")

    assert (code, len(waited)) == (1, pauses)
    assert told in capsys.readouterr().err


def test_a_crash_of_az_is_told_by_its_reason(cloud: Cloud):
    """If az itself crashes, the line with the reason is shown."""
    cloud.state |= {
        "started_after": 1,
        "starting": (
            "The command failed with an unexpected error. Here is the traceback:\n"
            "ERROR: HTTPSConnectionPool(host='management.azure.com'): Max retries exceeded\n"
            "Traceback (most recent call last):"
        ),
    }

    done = cloud.hook("postdeploy")

    assert done.returncode == 1
    assert done.stderr == (
        "az rest: HTTPSConnectionPool(host='management.azure.com'): Max retries exceeded\n"
    )


def test_an_app_that_never_started_has_no_code_yet(cloud: Cloud):
    """Azure may not be able to list the functions of an app that nothing was deployed to."""
    cloud.state["unlisted"] = "Bad Gateway({})"

    done = cloud.hook("postprovision")

    assert (done.returncode, done.stderr) == (0, "")
    assert "No code is deployed yet" in done.stdout


def test_an_error_is_not_taken_for_missing_code(cloud: Cloud):
    """An app that cannot be found is an error, not a reason to wait or to skip."""
    cloud.env["PHOTOSYNC_APP_NAME"] = "another-app"

    done = cloud.hook("postprovision")

    assert done.returncode == 1
    assert done.stderr.startswith("az rest: Not Found(")


def test_a_signed_out_az_is_named(cloud: Cloud):
    """azd and az sign in apart from each other."""
    cloud.state["signed_out"] = True

    done = cloud.hook("postdeploy")

    assert (done.returncode, done.stderr) == (
        1,
        "az rest: Please run 'az login' to setup account.\n",
    )


def test_a_missing_az_is_named(cloud: Cloud):
    """A sentence says that the Azure CLI is needed."""
    cloud.env["PATH"] = str(cloud.temporary)

    done = cloud.hook("postdeploy")

    assert done.returncode == 1
    assert done.stderr.startswith("az is missing: install the Azure CLI")


def test_everything_that_is_missing_is_named_at_once(cloud: Cloud):
    """Outside azd the outputs are missing; the sentence says how to get them."""
    del cloud.env["PHOTOSYNC_URL"], cloud.env["AZURE_RESOURCE_GROUP"]

    done = cloud.hook("postdeploy")

    assert done.returncode == 1
    assert done.stderr.startswith("AZURE_RESOURCE_GROUP, PHOTOSYNC_URL missing: run `azd")


def test_words_in_another_code_page(cloud: Cloud):
    """Messages of az on Windows may not be UTF-8; they are shown anyway."""
    az = cloud.temporary.parent / "bin" / "az"
    az.write_text("#!/bin/sh\nprintf 'ERROR: unm\\366glich' >&2\nexit 1\n")

    done = cloud.hook("postdeploy")

    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
