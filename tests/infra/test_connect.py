"""The hook that sets WEBHOOK_URL and CLIENT_STATE, against a strict double of az."""

from __future__ import annotations

import json
import re
import shlex
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

from infra.hooks import connect
from shared.settings.app import CLIENT_STATE_LIMIT, Settings
from tests.infra.conftest import Cloud, hashed
from tests.infra.samples import app_settings, plain
from tests.infra.template import INFRA


def test_settings_are_derived_from_two_keys(cloud: Cloud):
    """WEBHOOK_URL has the key `graph`; CLIENT_STATE is the hash of another key."""
    cloud.hook("postdeploy")

    settings, keys = cloud.state["settings"], cloud.state["keys"]
    address = urlsplit(settings["WEBHOOK_URL"])
    assert address.netloc == "photosync-abc.azurewebsites.net"
    assert address.path == "/api/notifications"
    assert parse_qs(address.query) == {"code": [keys["graph"]]}
    assert settings["CLIENT_STATE"] == hashed(keys["client-state"])
    assert not {settings["CLIENT_STATE"]} & set(keys.values())


def test_the_product_accepts_what_bicep_and_the_hook_set(connected: Cloud):
    """The settings of a deployment make valid Settings."""
    set_by_hook = connected.state["settings"]

    settings = Settings.from_mapping(app_settings(plain()) | set_by_hook)

    assert settings.webhook_url == set_by_hook["WEBHOOK_URL"]
    assert 32 < len(settings.client_state) <= CLIENT_STATE_LIMIT


def test_a_second_run_changes_nothing(connected: Cloud):
    """Other settings stay; a second run writes nothing and restarts nothing."""
    before = connected.state["settings"]
    assert before["TENANT_ID"] == "22222222-2222-2222-2222-222222222222"

    assert connected.hook("postdeploy").returncode == 0
    assert (connected.state["settings"], connected.state["restarts"]) == (before, 1)


def test_both_stay_the_same_after_settings_were_lost(connected: Cloud):
    """Lost settings come back with the same values."""
    before = dict(connected.state["settings"])
    connected.state["settings"] = {"TENANT_ID": before["TENANT_ID"]}

    connected.hook("postprovision")

    assert connected.state["settings"] == before


def test_a_key_that_is_there_is_not_made_again(cloud: Cloud):
    """A missing key is created, and the other one stays."""
    cloud.state["keys"]["client-state"] = "made-by-an-earlier-deployment=="

    cloud.hook("postdeploy")

    assert cloud.state["keys"]["client-state"] == "made-by-an-earlier-deployment=="
    assert cloud.state["settings"]["CLIENT_STATE"] == hashed("made-by-an-earlier-deployment==")
    assert len(cloud.state["keys"]["graph"]) > 32


@pytest.mark.parametrize("refused", [False, True])
def test_no_secret_is_shown(cloud: Cloud, refused: bool):
    """
    No key is printed or on a command line, even if Azure repeats what it was sent.

    az reads the keys from a file that only we can read, and that is deleted even if az fails.
    """
    cloud.state["refuses_settings"] = refused

    done = cloud.hook("postdeploy")

    seen = done.stdout + done.stderr + json.dumps(cloud.state["calls"])
    assert [secret for secret in cloud.secrets() if secret in seen] == []
    assert (done.returncode, "Bad Request" in done.stderr) == (refused, refused)
    assert cloud.state["modes"] == [0o600, 0o600, 0o600]
    assert list(cloud.temporary.iterdir()) == []


def test_the_subscription_is_asked_for(cloud: Cloud):
    """`renew` is added to photo-upkeep, with the deployer's rights."""
    done = cloud.hook("postdeploy")

    ((*message, delay),) = cloud.state["messages"]
    assert message == ["stabc", "photo-upkeep", "renew"]
    # An instance with the old settings must be gone by then.
    assert delay >= 60
    assert "The app was told to create or renew its subscription." in done.stdout


def test_without_the_right_to_send_the_next_renewal_is_named(cloud: Cloud):
    """Without that right the hook says so, and succeeds."""
    cloud.state["may_type"] = False

    done = cloud.hook("postdeploy")

    assert done.returncode == 0
    assert "created at the next renewal (az storage: You do not have the required" in done.stdout


@pytest.mark.parametrize(
    ("registration", "option"),
    [
        ("", "--identity 44444444-4444-4444-4444-444444444444"),
        ("66666666-6666-6666-6666-666666666666", "--app 66666666-6666-6666-6666-666666666666"),
    ],
)
def test_next_steps(cloud: Cloud, registration: str, option: str):
    """The hook ends with a grant that manage.py accepts, for identity or app, and the console."""
    cloud.env["PHOTOSYNC_APP_REGISTRATION"] = registration

    shown = cloud.hook("postdeploy").stdout

    assert f"grant {option} " in shown
    assert " https://photosync-abc.azurewebsites.net/api/console. " in shown
    [line] = re.findall(r"^  python (manage\.py grant .*)$", shown, re.MULTILINE)
    done = cloud.run([sys.executable, *shlex.split(line), "--help"])
    assert (done.returncode, done.stderr) == (0, "")


def test_keys_are_understood_in_both_forms(cloud: Cloud):
    """Azure answers with the keys themselves; its documentation puts them under `properties`."""
    cloud.state["as_documented"] = True

    assert cloud.hook("postdeploy").returncode == 0
    assert cloud.state["settings"]["CLIENT_STATE"] == hashed(cloud.state["keys"]["client-state"])


def test_any_key_fits_into_the_address():
    """Special characters in keys are percent-encoded."""
    deployment = connect.Deployment("", "", "", "https://app", "", "", "")

    settings = connect.wanted(deployment, {"graph": "a+/=&#b==", "client-state": "c"})

    assert parse_qs(urlsplit(settings["WEBHOOK_URL"]).query) == {"code": ["a+/=&#b=="]}


@pytest.mark.parametrize("event", ["postprovision", "postdeploy"])
def test_azd_runs_the_hook(cloud: Cloud, event: str):
    """The line in azure.yaml, as azd gives it to a shell."""
    yaml = (INFRA.parent / "azure.yaml").read_text()
    lines = re.findall(rf"run: (python3 \S+ {event})$", yaml, re.MULTILINE)

    done = cloud.run(["sh", "-c", lines[0]])

    assert len(lines) == 1
    assert shlex.split(lines[0])[0] == "python3"
    assert (done.returncode, done.stderr) == (0, "")
    assert "WEBHOOK_URL" in cloud.state["settings"]


def test_settings_are_read_after_the_keys(cloud: Cloud):
    """Settings that somebody changes while the hook waits for keys are not overwritten."""
    cloud.hook("postdeploy")

    paths = [call[call.index("--url") + 1].partition("?")[0] for call in cloud.state["calls"][:-1]]
    assert [path.rpartition("config/")[2] for path in paths[-2:]] == [
        "appsettings/list",
        "appsettings",
    ]
