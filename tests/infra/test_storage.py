"""Storage and telemetry: no keys, nothing public, nothing grows for ever."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shared.auditing import audit_log
from shared.storage import azure, unreadable
from shared.sweeping.sweep_log import LATEST
from tests.infra.samples import app_settings, every, one, plain, with_more
from tests.infra.template import INFRA

ACCOUNT = "Microsoft.Storage/storageAccounts"


def test_storage_has_no_keys_and_nothing_public():
    """Shared keys are off, blobs are private, TLS 1.2 is required."""
    account = one(plain(), ACCOUNT).properties
    containers = every(plain(), "/containers")

    assert account["allowSharedKeyAccess"] is False
    assert account["defaultToOAuthAuthentication"] is True
    assert account["allowBlobPublicAccess"] is False
    assert account["allowCrossTenantReplication"] is False
    assert account["minimumTlsVersion"] == "TLS1_2"
    assert account["supportsHttpsTrafficOnly"] is True
    assert {each.properties["publicAccess"] for each in containers} == {"None"}


def test_the_host_reaches_storage_with_the_identity():
    """The connection AzureWebJobsStorage consists of addresses and an identity."""
    settings = app_settings(plain())
    account = one(plain(), ACCOUNT).name

    assert {name: settings[name] for name in settings if name.startswith("AzureWebJobs")} == {
        "AzureWebJobsStorage__blobServiceUri": f"https://{account}.blob.core.windows.net/",
        "AzureWebJobsStorage__queueServiceUri": f"https://{account}.queue.core.windows.net/",
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": "33333333-3333-3333-3333-333333333333",
    }


def test_every_queue_and_container_of_the_app_is_made():
    """A trigger does not create its queue, so the template creates all that the code names."""
    triggers = (INFRA.parent / "function_app.py").read_text()
    named = set(re.findall(r'queue_name="([\w-]+)"', triggers))
    queues = {each.name for each in every(plain(), "/queues")}
    containers = {each.name for each in every(plain(), "/containers")}

    # Where the host puts messages that it gave up on.
    poisoned = {f"{each}-poison" for each in named if not each.endswith("-poison")}
    assert queues == named | poisoned
    assert containers == {azure.CONTAINER, azure.ORDERS, "app-package"}


def test_what_grows_is_deleted_and_what_counts_is_not():
    """Messages, sweeps, audits and orders are deleted; states and the newest logs never."""
    policy = one(
        with_more(keepUnreadableDays=11, keepSweepsDays=22, keepOrdersDays=333),
        f"{ACCOUNT}/managementPolicies",
    ).properties["policy"]
    deleted = {
        prefix: rule["definition"]["actions"]["baseBlob"]["delete"]
        for rule in policy["rules"]
        for prefix in rule["definition"]["filters"].get("prefixMatch", [])
    }

    assert deleted == {
        f"{azure.CONTAINER}/{unreadable.FOLDER}": {"daysAfterModificationGreaterThan": 11},
        f"{azure.CONTAINER}/{LATEST.partition('/')[0]}/": {"daysAfterModificationGreaterThan": 22},
        # Ids begin with the year.
        f"{azure.CONTAINER}/audits/2": {"daysAfterModificationGreaterThan": 60},
        f"{azure.ORDERS}/": {"daysAfterModificationGreaterThan": 333},
    }
    kinds = {rule["name"]: rule["definition"]["filters"]["blobTypes"] for rule in policy["rules"]}
    assert kinds.pop("versions") == ["blockBlob", "appendBlob"]
    assert [name for name, types in kinds.items() if types != ["blockBlob"]] == ["orders"]
    assert kinds["orders"] == ["appendBlob"]
    assert not audit_log.LATEST.startswith("audits/2")


def test_orders_can_be_locked():
    """The policy is created on request, and lets the app add lines."""
    type_ = f"{ACCOUNT}/blobServices/containers/immutabilityPolicies"

    assert every(plain(), type_) == []
    assert one(with_more(lockOrdersDays=365), type_).properties == {
        "allowProtectedAppendWrites": True,
        "immutabilityPeriodSinceCreationInDays": 365,
    }


@pytest.mark.parametrize(
    ("days", "policy"), [(5, {"enabled": True, "days": 5}), (0, {"enabled": False})]
)
def test_what_is_deleted_can_be_restored(days: int, policy: dict[str, Any]):
    """For as many days as chosen; docs/security.md says how long personal data is kept."""
    blobs = one(with_more(keepDeletedDays=days), f"{ACCOUNT}/blobServices").properties

    assert blobs == {
        "isVersioningEnabled": days > 0,
        "deleteRetentionPolicy": policy,
        "containerDeleteRetentionPolicy": policy,
    }


@pytest.mark.parametrize("days", [0, 7])
def test_versions_do_not_stay_for_ever(days: int):
    """Azure does not delete old versions itself, not even after versioning is switched off."""
    policy = one(with_more(keepDeletedDays=days), f"{ACCOUNT}/managementPolicies").properties
    rule = next(each for each in policy["policy"]["rules"] if each["name"] == "versions")

    # Everywhere in the account: the host's blobs have versions, too.
    assert rule["definition"] == {
        "filters": {"blobTypes": ["blockBlob", "appendBlob"]},
        "actions": {"version": {"delete": {"daysAfterCreationGreaterThan": 1}}},
    }


def test_telemetry_takes_no_keys():
    """Application Insights and its workspace accept tokens only, and the app has one."""
    workspace = one(plain(), "Microsoft.OperationalInsights/workspaces")
    insights = one(plain(), "Microsoft.Insights/components").properties

    assert insights["DisableLocalAuth"] is True
    assert insights["WorkspaceResourceId"] == workspace.id
    assert workspace.properties["sku"] == {"name": "PerGB2018"}
    assert workspace.properties["features"]["disableLocalAuth"] is True
    assert app_settings(plain())["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"] == (
        "Authorization=AAD;ClientId=33333333-3333-3333-3333-333333333333"
    )
