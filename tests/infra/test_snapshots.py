"""
Compares our evaluation of infra/ with Microsoft's, except for intended changes since.

So it also holds every value of these two deployments that no other test is about, such as those of
the private network, and the names that guid() and uniqueString() make.

`snapshots/0.1.0` is what `bicep snapshot` 0.49.2 printed for infra/ of version 0.1.0. The evaluator
of these tests agreed then, resource by resource and value by value. For today's templates it must
still agree, except where CHANGED_SINCE says so. Snapshots omit @secure() parameters, so the app's
own settings are checked in test_one_truth.py.
"""

from __future__ import annotations

import json
import re

import pytest

from tests.infra.prediction import FOLDER, NAMES, differences

ITEMS = "workbooks 86a2389c-81d0-5ad8-b479-2b88fe26f370.properties.serializedData.items"
CHANGED_SINCE = {
    # What is deleted or overwritten can be restored for days, and its versions end.
    "blobServices STORAGE/default.properties.containerDeleteRetentionPolicy.days",
    "blobServices STORAGE/default.properties.containerDeleteRetentionPolicy.enabled",
    "blobServices STORAGE/default.properties.deleteRetentionPolicy.days",
    "blobServices STORAGE/default.properties.deleteRetentionPolicy.enabled",
    "blobServices STORAGE/default.properties.isVersioningEnabled",
    "managementPolicies STORAGE/default.properties.policy.rules.versions",
    # A plan in zones, and a key of one's own: each is said to be off.
    "serverfarms plan-APP.properties.zoneRedundant",
    "storageAccounts STORAGE.identity",
    "storageAccounts STORAGE.properties.encryption",
    # The host refuses a large body itself.
    "config APP/appsettings.properties.FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
    # A thread for each message, timer and request.
    "config APP/appsettings.properties.PYTHON_THREADPOOL_THREAD_COUNT",
    # People sign in.
    "config APP/authsettingsV2",
    "output.PHOTOSYNC_CLIENT_ID",
    "output.PHOTOSYNC_TENANT_ID",
    # Orders are logged, and audits are made.
    "containers STORAGE/default/photo-sync-orders",
    "managementPolicies STORAGE/default.properties.policy.rules.audits",
    "managementPolicies STORAGE/default.properties.policy.rules.orders",
    # Roles are named after the identity's name and no more after its object id, for what-if.
    "roleAssignments 3913510d on appi-APP.id",
    "roleAssignments 3913510d on appi-APP.name",
    "roleAssignments 974c5e8b on STORAGE.id",
    "roleAssignments 974c5e8b on STORAGE.name",
    "roleAssignments b7e6dc6d on STORAGE.id",
    "roleAssignments b7e6dc6d on STORAGE.name",
    # The brake holds repairs, too; single photos that fail are no alert.
    "scheduledQueryRules photosync-brake.properties.criteria.allOf[0].query",
    "scheduledQueryRules photosync-failed-photos.properties.criteria.allOf[0].query",
    # The workbook shows orders, audits and repairs.
    f"{ITEMS}.audits",
    f"{ITEMS}.failed-photos",
    f"{ITEMS}.failures",
    f"{ITEMS}.orders",
    f"{ITEMS}.problems.content.query",
    f"{ITEMS}.sweeps.content.query",
}
# Reworded since, for people alone.
TEXT = re.compile(r"\.(description|displayName|title|noDataMessage|intro\.content\.json)$")


@pytest.mark.parametrize("name", NAMES)
def test_microsofts_evaluation_says_the_same(name: str):
    """Resources, ids, names and values are those of 0.1.0, except for intended changes."""
    snapshot = json.loads((FOLDER / "0.1.0" / f"{name}.snapshot.json").read_text("utf-8"))

    assert {
        place for place in differences(name, snapshot) if not TEXT.search(place)
    } == CHANGED_SINCE
