"""Deployments with an existing group, network, workspace and key, and given names."""

from __future__ import annotations

import json
from ipaddress import ip_network
from typing import Any

import pytest

from shared.settings.clouds import CLOUDS
from tests.infra import test_alerts
from tests.infra.evaluation import GROUP_ID, deploy
from tests.infra.functions import Refused
from tests.infra.resource import Resource
from tests.infra.samples import (
    BANK,
    NETWORK,
    REQUIRED,
    bank,
    every,
    everything,
    one,
    plain,
    site,
    with_more,
)
from tests.infra.template import GROUP, INFRA, MAIN

ACCOUNT = "Microsoft.Storage/storageAccounts"
LOGS = "Microsoft.Insights/diagnosticSettings"
NO_ZONES = {"blobZoneId": "", "queueZoneId": ""}
FIVE_MORE = ", ".join(f"192.0.2.{last}" for last in range(5))


def changed(**more: Any) -> list[Resource]:
    """The bank's deployment with something else."""
    return deploy(GROUP, REQUIRED | BANK | more)[0]


def services(resources: list[Resource]) -> dict[str, Resource]:
    """The private endpoints, by the service that each connects."""
    return {
        each.properties["privateLinkServiceConnections"][0]["name"]: each
        for each in every(resources, "/privateEndpoints")
    }


@pytest.mark.parametrize("given", [{}, BANK], ids=["plain", "bank"])
def test_either_entry_deploys_the_same(given: dict[str, Any]):
    """main.bicep adds only the group: group.bicep deploys everything else."""
    ours, theirs = deploy(MAIN, REQUIRED | given), deploy(GROUP, REQUIRED | given)
    group = one(ours[0], "Microsoft.Resources/resourceGroups")

    assert group.id == GROUP_ID
    assert [each for each in ours[0] if each is not group] == theirs[0]
    assert ours[1] == theirs[1]


def test_the_group_has_the_name_that_is_given():
    """Its resources are in it."""
    resources, outputs = deploy(MAIN, REQUIRED | {"resourceGroupName": "rg-of-ours"})

    assert one(resources, "Microsoft.Resources/resourceGroups").name == "rg-of-ours"
    assert outputs["AZURE_RESOURCE_GROUP"] == "rg-of-ours"
    assert "/resourceGroups/rg-of-ours/" in one(resources, "Microsoft.Web/sites").id


def test_existing_resources_are_not_created():
    """No workspace, network, gateway, address, zone or link."""
    made = {each.type for each in every(bank(), "")}

    assert "Microsoft.OperationalInsights/workspaces" not in made
    assert {each for each in made if each.startswith("Microsoft.Network/")} == {
        "Microsoft.Network/privateEndpoints",
        "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    }


def test_the_existing_network_is_used():
    """The app is in one subnet, the endpoints in the other, their records in the zones."""
    records = [
        (each.body["parent"].id, config["properties"]["privateDnsZoneId"])
        for each in every(bank(), "/privateDnsZoneGroups")
        for config in each.properties["privateDnsZoneConfigs"]
    ]
    blob, queue = services(bank())["blob"], services(bank())["queue"]

    assert site(bank())["virtualNetworkSubnetId"] == f"{NETWORK}/subnets/functions"
    for each in (blob, queue):
        assert each.properties["subnet"]["id"] == f"{NETWORK}/subnets/private"
    assert records == [(blob.id, BANK["blobZoneId"]), (queue.id, BANK["queueZoneId"])]
    assert one(bank(), ACCOUNT).properties["publicNetworkAccess"] == "Disabled"


def test_a_policy_may_write_the_records():
    """Without zones of theirs in a network of theirs there are endpoints and no records."""
    made = [each.type for each in changed(blobZoneId="", queueZoneId="")]

    assert made.count("Microsoft.Network/privateEndpoints") == 2
    assert "Microsoft.Network/privateEndpoints/privateDnsZoneGroups" not in made


def test_an_app_can_be_in_a_network_with_storage_outside():
    """Its way out is then that of the subnet, such as a firewall."""
    resources = changed(privateNetwork=False, endpointSubnetId="", blobZoneId="", queueZoneId="")

    assert site(resources)["virtualNetworkSubnetId"] == f"{NETWORK}/subnets/functions"
    assert [each for each in resources if each.type.startswith("Microsoft.Network/")] == []


def test_everything_has_the_name_that_is_given():
    """Every resource that can have a given name has it; the rest are parts or GUIDs."""
    names: dict[str, set[str]] = {}
    for each in every(bank(), ""):
        if each.type.count("/") == 1:
            names.setdefault(each.type.rpartition("/")[2], set()).add(each.name)
    # Parts, and names that have to be a GUID.
    for type_ in ("roleAssignments", "diagnosticSettings", "workbooks"):
        del names[type_]

    assert names == {
        "sites": {BANK["appName"]},
        "serverfarms": {BANK["planName"]},
        "storageAccounts": {BANK["storageAccountName"]},
        "userAssignedIdentities": {BANK["identityName"]},
        "components": {BANK["insightsName"]},
        "privateEndpoints": {BANK["blobEndpointName"], BANK["queueEndpointName"]},
        "actionGroups": {"photos-prod"},
        "scheduledQueryRules": {f"photos-prod-{rule}" for rule in test_alerts.rules()},
    }
    assert {service: each.name for service, each in services(bank()).items()} == {
        "blob": BANK["blobEndpointName"],
        "queue": BANK["queueEndpointName"],
    }


@pytest.mark.parametrize(
    ("parameter", "type_"),
    [
        ("workspaceName", "Microsoft.OperationalInsights/workspaces"),
        ("networkName", "Microsoft.Network/virtualNetworks"),
        ("gatewayName", "Microsoft.Network/natGateways"),
        ("gatewayAddressName", "Microsoft.Network/publicIPAddresses"),
    ],
)
def test_names_of_our_own_network(parameter: str, type_: str):
    """Resources that a company usually has already can have a given name, too."""
    assert one(with_more(privateNetwork=True, **{parameter: "given"}), type_).name == "given"


def test_tags_of_others_are_on_everything():
    """Besides azd's own, also on a group that we create."""
    wanted = {"cost-center": "4711", "owner": "platform=team", "azd-env-name": "photosync-prod"}
    tagged = [each for each in deploy(MAIN, REQUIRED | BANK)[0] if "tags" in each.body]

    assert {each.symbol for each in tagged} >= {"group", "app", "account", "endpoints", "alerts"}
    assert [each.symbol for each in tagged if not each.body["tags"].items() >= wanted.items()] == []


def test_a_key_of_others_encrypts_blobs_and_queues():
    """As the identity that may use it, and with the key's newest version."""
    account = one(bank(), ACCOUNT)
    encryption = account.properties["encryption"]

    assert account.body["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {BANK["encryptionIdentityId"]: {}},
    }
    assert encryption["keySource"] == "Microsoft.Keyvault"
    assert encryption["identity"] == {"userAssignedIdentity": BANK["encryptionIdentityId"]}
    assert encryption["keyvaultproperties"] == {
        "keyvaulturi": "https://contoso.vault.azure.net",
        "keyname": "photos",
        "keyversion": "",
    }
    assert {name: each["keyType"] for name, each in encryption["services"].items()} == {
        "blob": "Account",
        "queue": "Account",
    }


def test_other_keys():
    """A version of the key can be pinned; without a key it is Microsoft's, without an identity."""
    held = changed(encryptionKeyUri="https://contoso.vault.azure.net/keys/photos/0123abcd")
    key = one(held, ACCOUNT).properties["encryption"]["keyvaultproperties"]
    account = one(plain(), ACCOUNT)

    assert (key["keyname"], key["keyversion"]) == ("photos", "0123abcd")
    assert account.body["identity"] is account.properties["encryption"] is None


def rules(resources: list[Resource]) -> dict[str, str]:
    """The allowed addresses, by the name of the rule."""
    return {
        each["name"]: each["ipAddress"]
        for each in site(resources)["siteConfig"]["ipSecurityRestrictions"]
    }


def test_only_the_allowed_and_graph_reach_the_app():
    """All others are refused; every rule is a range, and no rule hides another."""
    config = site(bank())["siteConfig"]
    ranges = [ip_network(each["ipAddress"]) for each in config["ipSecurityRestrictions"]]
    documented = json.loads((INFRA / "graph_addresses.json").read_text("utf-8"))["global"]

    assert config["ipSecurityRestrictionsDefaultAction"] == "Deny"
    # The deployment site is not restricted, so deployments still work.
    assert config["scmIpSecurityRestrictionsUseMain"] is False
    assert {each["action"] for each in config["ipSecurityRestrictions"]} == {"Allow"}
    assert set(ranges) == {
        *map(ip_network, documented),
        ip_network("203.0.113.0/24"),
        ip_network("198.51.100.7/32"),
    }
    priorities = [each["priority"] for each in config["ipSecurityRestrictions"]]
    assert len(set(priorities)) == len(rules(bank())) == len(ranges)
    # functions.md section Deployment: at most so many rules, and so long a name.
    assert len(ranges) <= 512
    assert max(map(len, rules(bank()))) <= 32


def test_addresses_of_graph_can_be_given():
    """Microsoft changes them without notice; a variable helps until there is a new version."""
    found = rules(changed(graphAddresses=f"2001:db8::1, {FIVE_MORE}"))

    expected = ["2001:db8::1/128", *(f"192.0.2.{last}/32" for last in range(5))]
    assert {name: each for name, each in found.items() if name.startswith("graph-")} == {
        f"graph-{place}": each for place, each in enumerate(expected)
    }


@pytest.mark.parametrize("cloud", CLOUDS)
def test_each_cloud_has_addresses_of_graph(cloud: str):
    """Whichever cloud's Graph calls, it is let in."""
    documented = json.loads((INFRA / "graph_addresses.json").read_text("utf-8"))[cloud]

    found = rules(changed(m365Cloud=cloud))

    assert len([name for name in found if name.startswith("graph-")]) == len(documented) > 0


@pytest.mark.parametrize("none", ["", " ", " , "])
def test_without_allowed_addresses_rules_set_by_hand_stay(none: str):
    """They are omitted: an update does not open an app that was closed in the portal."""
    config = site(changed(allowedAddresses=none))["siteConfig"]

    assert config.keys() == {"minTlsVersion", "scmMinTlsVersion"}


def test_the_platform_s_logs_go_to_the_workspace():
    """Of the app, its blobs and its queues; only on request."""
    logs = every(bank(), LOGS)

    assert [each.body["scope"].type for each in logs] == [
        f"{ACCOUNT}/blobServices",
        f"{ACCOUNT}/queueServices",
        "Microsoft.Web/sites",
    ]
    assert {each.properties["workspaceId"] for each in logs} == {BANK["workspaceId"]}
    # Polling a queue ten times a second is not logged.
    assert [each.properties["logs"] for each in logs] == [
        [{"categoryGroup": "allLogs", "enabled": True}],
        [{"category": name, "enabled": True} for name in ("StorageWrite", "StorageDelete")],
        [{"categoryGroup": "allLogs", "enabled": True}],
    ]
    assert every(everything(), LOGS) == []


def test_a_workspace_of_others_gets_the_telemetry():
    """Application Insights stores its data there, and the alerts query it."""
    insights = one(bank(), "Microsoft.Insights/components")
    scopes = [each.properties["scopes"] for each in every(bank(), "/scheduledQueryRules")]

    assert insights.properties["WorkspaceResourceId"] == BANK["workspaceId"]
    assert scopes == [[BANK["workspaceId"]]] * 6


def test_zones():
    """The plan is zone redundant on request."""
    plan = "Microsoft.Web/serverfarms"

    assert one(bank(), plan).properties["zoneRedundant"] is True
    assert one(plain(), plan).properties["zoneRedundant"] is False


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"storageSku": "Standard_GRS"}, "Set storageSku to one with ZRS."),
        ({"endpointSubnetId": ""}, "Give endpointSubnetId, too."),
        ({"queueZoneId": ""}, "Give both zones."),
        ({"blobZoneId": ""}, "Give both zones."),
        ({"encryptionIdentityId": ""}, "Give encryptionIdentityId, too."),
        ({"encryptionKeyUri": ""}, "Give encryptionKeyUri, too."),
        ({"appSubnetId": ""}, "Give appSubnetId, too."),
        ({"appSubnetId": "", **NO_ZONES}, "Give appSubnetId, too."),
        ({"appSubnetId": "", "endpointSubnetId": ""}, "Give appSubnetId, too."),
        ({"privateNetwork": False}, "Set privateNetwork, too: without it storage stays public."),
        ({"privateNetwork": False, **NO_ZONES}, "Set privateNetwork, too: without it"),
        ({"privateNetwork": False, "endpointSubnetId": ""}, "Set privateNetwork, too: without it"),
        ({"allowedAddresses": "", "graphAddresses": FIVE_MORE}, "Give allowedAddresses, too."),
    ],
)
def test_incomplete_choice_is_refused(given: dict[str, Any], sentence: str):
    """A sentence says what is missing, before anything is deployed."""
    with pytest.raises(Refused, match=sentence):
        changed(**given)


def test_all_mistakes_are_named_at_once():
    """All mistakes are reported together."""
    with pytest.raises(Refused, match="^Give endpointSubnetId, too. Give encryptionKeyUri, too.$"):
        changed(endpointSubnetId="", encryptionKeyUri="")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"tags": "owner"}, "Write each of the tags as NAME=VALUE."),
        ({"tags": "owner=Miller, Ann"}, "Write each of the tags as NAME=VALUE."),
        ({"tags": " =platform"}, "Write each of the tags as NAME=VALUE."),
        ({"encryptionKeyUri": "contoso.vault.azure.net/keys/photos"}, "encryptionKeyUri as https:"),
        ({"encryptionKeyUri": "https://contoso.vault.azure.net/secrets/photos"}, "/keys/NAME."),
        ({"allowedAddresses": "203.0.113.0/24; 198.51.100.7"}, "Separate addresses by commas."),
        ({"graphAddresses": "192.0.2.1 192.0.2.2"}, "Separate addresses by commas."),
        ({"keepOrdersDays": 31, "lockOrdersDays": 32}, "Set keepOrdersDays to at least lock"),
    ],
)
@pytest.mark.parametrize("path", [MAIN, GROUP], ids=lambda path: path.name)
def test_malformed_value_is_refused_at_once(path, given, sentence):
    """Azure would refuse it only halfway: a sentence names it, by either entry."""
    with pytest.raises(Refused, match=sentence):
        deploy(path, REQUIRED | BANK | given)


@pytest.mark.parametrize("tags", ["cost-center=4711,", ", cost-center = 4711 , ,"])
def test_extra_commas_are_ignored(tags: str):
    """An empty address range would be the whole internet, or end the deployment."""
    found = changed(tags=tags, allowedAddresses="203.0.113.0/24, ,", graphAddresses="192.0.2.1,")

    expected = {"cost-center": "4711", "azd-env-name": "photosync-prod"}
    assert one(found, ACCOUNT).body["tags"] == expected
    assert rules(found) == {"graph-0": "192.0.2.1/32", "allowed-1": "203.0.113.0/24"}
