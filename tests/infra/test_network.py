"""The private network, deployed only on request."""

from __future__ import annotations

from ipaddress import IPv4Network

from tests.infra.samples import every, everything, one, plain, site


def test_without_a_private_network_there_is_none():
    """The parts of a network cost money and are deployed only when asked for."""
    assert [each.type for each in plain() if each.type.startswith("Microsoft.Network/")] == []
    assert site(plain())["virtualNetworkSubnetId"] is None


def test_a_private_network_closes_storage():
    """The account is reached through endpoints for blobs and queues, and in no other way."""
    account = one(everything(), "Microsoft.Storage/storageAccounts")
    endpoints = {
        service: each.properties["subnet"]["id"].rpartition("/")[2]
        for each in every(everything(), "/privateEndpoints")
        for connection in each.properties["privateLinkServiceConnections"]
        for service in connection["properties"]["groupIds"]
        if connection["properties"]["privateLinkServiceId"] == account.id
    }

    assert account.properties["publicNetworkAccess"] == "Disabled"
    assert account.properties["networkAcls"] == {"bypass": "None", "defaultAction": "Deny"}
    assert endpoints == {"blob": "endpoints", "queue": "endpoints"}


def test_names_in_the_network_lead_to_the_endpoints():
    """Each endpoint writes itself into the zone of its service, which the network asks."""
    network = one(everything(), "Microsoft.Network/virtualNetworks")
    linked = {
        each.body["parent"].id
        for each in every(everything(), "/virtualNetworkLinks")
        if each.properties == {"registrationEnabled": False, "virtualNetwork": {"id": network.id}}
    }
    recorded = {
        each.body["parent"].properties["privateLinkServiceConnections"][0]["name"]: zone
        for each in every(everything(), "/privateDnsZoneGroups")
        for zone in [each.properties["privateDnsZoneConfigs"][0]["properties"]["privateDnsZoneId"]]
    }

    assert set(recorded.values()) == linked
    assert {service: zone.rpartition("/")[2] for service, zone in recorded.items()} == {
        "blob": "privatelink.blob.core.windows.net",
        "queue": "privatelink.queue.core.windows.net",
    }


def test_the_app_in_a_private_network_gets_out():
    """Its subnet is delegated as this plan asks, and has a way to Graph and SharePoint."""
    network = one(everything(), "Microsoft.Network/virtualNetworks")
    subnets = {each["name"]: each["properties"] for each in network.properties["subnets"]}
    gateway = one(everything(), "Microsoft.Network/natGateways")

    assert site(everything())["virtualNetworkSubnetId"] == f"{network.id}/subnets/app"
    assert [each["properties"]["serviceName"] for each in subnets["app"]["delegations"]] == [
        "Microsoft.App/environments"
    ]
    assert subnets["app"]["natGateway"] == {"id": gateway.id}
    address = one(everything(), "Microsoft.Network/publicIPAddresses")
    assert gateway.properties["publicIpAddresses"] == [{"id": address.id}]
    # Either works with the other only in this kind, with an address that stays.
    assert address.body["sku"] == gateway.body["sku"] == {"name": "Standard"}
    assert address.properties["publicIPAllocationMethod"] == "Static"
    # What only answers needs no way out.
    assert subnets["endpoints"]["defaultOutboundAccess"] is False


def test_the_subnets_lie_in_the_network():
    """They have room for 40 instances and two endpoints, and do not overlap."""
    properties = one(everything(), "Microsoft.Network/virtualNetworks").properties
    [whole] = [IPv4Network(each) for each in properties["addressSpace"]["addressPrefixes"]]
    [app, endpoints] = [
        IPv4Network(each["properties"]["addressPrefix"]) for each in properties["subnets"]
    ]

    assert app.subnet_of(whole)
    assert endpoints.subnet_of(whole)
    assert not app.overlaps(endpoints)
    # Azure keeps five addresses of each.
    assert app.num_addresses - 5 >= 40
