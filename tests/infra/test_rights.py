"""Role assignments in Azure are the fewest that work."""

from __future__ import annotations

import re

from shared.storage import azure
from tests.infra.resource import Resource
from tests.infra.samples import OPERATOR, every, everything, plain
from tests.infra.template import INFRA

IDENTITY = "44444444-4444-4444-4444-444444444444"
ACCOUNT = "Microsoft.Storage/storageAccounts"


def role_names() -> dict[str, str]:
    """The roles that the facts name, by id."""
    facts = (INFRA.parent / "docs" / "facts" / "functions.md").read_text()
    found = re.findall(r"((?:Storage|Monitoring)(?: [A-Z][a-z]+)+) `([0-9a-f-]{36})`", facts)
    return {role_id: name for name, role_id in found}


def roles(resources: list[Resource]) -> set[tuple[str, str, str]]:
    """Principal, role and type of scope of every assignment."""
    names = role_names()
    return {
        (
            each.properties["principalId"],
            names[each.properties["roleDefinitionId"].rpartition("/")[2]],
            each.body["scope"].type,
        )
        for each in every(resources, "/roleAssignments")
    }


def test_the_identity_may_do_what_the_app_needs_and_no_more():
    """Three roles, each on one resource: state, queues, telemetry."""
    assert roles(plain()) == {
        (IDENTITY, "Storage Blob Data Owner", ACCOUNT),
        (IDENTITY, "Storage Queue Data Contributor", ACCOUNT),
        (IDENTITY, "Monitoring Metrics Publisher", "Microsoft.Insights/components"),
    }


def test_an_operator_may_type_messages_and_no_more():
    """The one role more is that of a sender, on the two queues that people type into."""
    queues = [
        each.body["scope"].name
        for each in every(everything(), "/roleAssignments")
        if each.properties["principalId"] == OPERATOR
    ]

    assert roles(everything()) - roles(plain()) == {
        (OPERATOR, "Storage Queue Data Message Sender", f"{ACCOUNT}/queueServices/queues")
    }
    assert queues == [azure.USERS, azure.UPKEEP]


def test_names_of_assignments_differ():
    """Azure refuses a second assignment of the same name."""
    names = [each.name for each in every(everything(), "/roleAssignments")]

    assert len(set(names)) == len(names) == 5
