"""The function app: plan, instances, code, and access."""

from __future__ import annotations

import json
import re

import pytest

from shared.webhook.notifications import BODY_LIMIT
from tests.infra.evaluation import deploy
from tests.infra.samples import (
    REQUIRED,
    app_settings,
    every,
    everything,
    one,
    plain,
    site,
    with_more,
)
from tests.infra.template import INFRA, MAIN, read, text
from tests.test_function_app import FUNCTIONS

# functions.md section Deployment: what error 51021 names, and what is documented as not valid.
REFUSED_PROPERTIES = {
    "alwaysOn",
    "ftpsState",
    "functionAppScaleLimit",
    "functionsRuntimeScaleMonitoringEnabled",
    "linuxFxVersion",
    "netFrameworkVersion",
    "preWarmedInstanceCount",
    "use32BitWorkerProcess",
    "vnetRouteAllEnabled",
    "windowsFxVersion",
}
REFUSED_SETTINGS = {
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_RUNTIME",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "WEBSITE_RUN_FROM_PACKAGE",
}


def test_size_and_python_can_be_chosen():
    """Memory, instances and the Python are those that are given."""
    config = site(with_more(instanceMemoryMB=512, maximumInstanceCount=7, pythonVersion="3.12"))

    assert config["functionAppConfig"]["runtime"] == {"name": "python", "version": "3.12"}
    scale = config["functionAppConfig"]["scaleAndConcurrency"]
    assert (scale["instanceMemoryMB"], scale["maximumInstanceCount"]) == (512, 7)


def test_the_host_reads_no_more_than_the_webhook_takes():
    """A larger body is refused by the host, which else reads 100 MB of it."""
    assert app_settings(plain())["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"] == "1048576"
    assert BODY_LIMIT == 1_048_576


def test_an_instance_has_a_thread_for_whatever_it_runs():
    """Messages of all queues, timers and requests together never wait in the worker."""
    queues = json.loads((INFRA.parent / "host.json").read_text())["extensions"]["queues"]
    threads = int(app_settings(plain())["PYTHON_THREADPOOL_THREAD_COUNT"])
    http = site(plain())["functionAppConfig"]["scaleAndConcurrency"]["triggers"]["http"]
    at_once = {
        "queueTrigger": queues["batchSize"] + queues["newBatchThreshold"],
        "timerTrigger": 1,
        "httpTrigger": 0,
    }
    triggers = [found.get_trigger() for found in FUNCTIONS.values()]
    needed = sum(at_once[trigger.get_binding_name()] for trigger in triggers if trigger)

    assert needed == 2 * 20 + 3
    assert needed + http["perInstanceConcurrency"] <= threads
    page = (INFRA.parent / "docs" / "settings.md").read_text()
    documented = re.findall(r"`PYTHON_THREADPOOL_THREAD_COUNT`.*set it to `(\d+)`", page)
    assert documented == [str(threads)]


@pytest.mark.parametrize("deployed", [plain, everything], ids=["plain", "everything"])
def test_nothing_is_set_that_the_plan_refuses(deployed):
    """A single property of the list fails the whole deployment."""
    properties = site(deployed())

    assert properties.keys() & REFUSED_PROPERTIES == set()
    assert properties["siteConfig"].keys() & REFUSED_PROPERTIES == set()
    assert app_settings(deployed()).keys() & REFUSED_SETTINGS == set()


def test_the_app_is_reached_over_tls_with_keys_alone():
    """HTTPS and TLS 1.2 only, no administration from outside, no password for deployments."""
    properties = site(plain())
    passwords = {
        each.name: each.properties["allow"]
        for each in every(plain(), "/basicPublishingCredentialsPolicies")
    }

    assert properties["httpsOnly"] is True
    assert properties["siteConfig"]["minTlsVersion"] == "1.2"
    assert properties["siteConfig"]["scmMinTlsVersion"] == "1.2"
    assert properties["functionsRuntimeAdminIsolationEnabled"] is True
    assert passwords == {"ftp": False, "scm": False}


def test_a_certificate_may_come_from_key_vault():
    """With the certificate way, the app may resolve Key Vault references as its identity."""
    identity = one(everything(), "Microsoft.ManagedIdentity/userAssignedIdentities")

    assert site(everything())["keyVaultReferenceIdentity"] == identity.id
    assert site(plain())["keyVaultReferenceIdentity"] is None


def test_provisioning_keeps_what_the_hook_has_set():
    """The hook's two settings survive a deployment; others set by hand do not."""
    present = {"WEBHOOK_URL": "https://a", "CLIENT_STATE": "s", "DRY_RUN": "true", "OLD": "x"}
    settings = app_settings(deploy(MAIN, REQUIRED, present)[0])

    assert (settings["WEBHOOK_URL"], settings["CLIENT_STATE"]) == ("https://a", "s")
    assert settings["DRY_RUN"] == "false"
    assert "OLD" not in settings
    assert "WEBHOOK_URL" not in app_settings(plain())


def test_azd_finds_the_app():
    """The tag of the app is the name of the service in azure.yaml, and that of the group azd's."""
    yaml = (INFRA.parent / "azure.yaml").read_text()
    services = re.findall(r"^services:\n  (\w+):$", yaml, re.MULTILINE)
    group = one(plain(), "Microsoft.Resources/resourceGroups")

    assert [one(plain(), "Microsoft.Web/sites").body["tags"]["azd-service-name"]] == services
    assert group.body["tags"] == {"azd-env-name": "photosync-prod"}


def test_the_longest_name_fits():
    """Names derived from the app's name are short enough for Azure."""
    limit = int(text(read(MAIN).parameters["appName"].decorators["maxLength"]).strip("()"))
    named = with_more(appName="a" * limit)
    longest = {
        "Microsoft.OperationalInsights/workspaces": 63,
        "Microsoft.Web/serverfarms": 60,
        "Microsoft.Web/sites": 60,
    }

    assert one(named, "Microsoft.Web/sites").name == "a" * limit
    assert [type_ for type_, most in longest.items() if len(one(named, type_).name) > most] == []
