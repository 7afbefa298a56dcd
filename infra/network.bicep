// A private network, for a deployment without an existing one.

import { Tags } from 'types.bicep'

@description('Name of the network.')
param name string

@description('Name of the NAT gateway.')
param gatewayName string

@description('Name of that gateway\'s public IP address.')
param gatewayAddressName string

@description('Name of the links from the DNS zones to the network.')
param linkName string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

var services = ['blob', 'queue']

resource address 'Microsoft.Network/publicIPAddresses@2025-07-01' = {
  name: gatewayAddressName
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

// A NAT gateway and its address work together only as Standard, with a static address.
// New networks have no internet access by default, and the app calls Graph and SharePoint.
resource gateway 'Microsoft.Network/natGateways@2025-07-01' = {
  name: gatewayName
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: address.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2025-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.0.0.0/24'] }
    subnets: [
      {
        name: 'app'
        properties: {
          // Room for 40 instances: Azure keeps five addresses of a subnet.
          addressPrefix: '10.0.0.0/26'
          natGateway: { id: gateway.id }
          delegations: [
            {
              name: 'app'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.0.0.64/27'
          // Endpoints only answer.
          defaultOutboundAccess: false
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for service in services: {
    name: 'privatelink.${service}.${environment().suffixes.storage}'
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (service, i) in services: {
    parent: zones[i]
    name: linkName
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

@description('The subnet that the function app joins.')
output appSubnetId string = '${network.id}/subnets/app'

@description('The subnet for the private endpoints.')
output endpointSubnetId string = '${network.id}/subnets/endpoints'

@description('The DNS zone for blobs.')
output blobZoneId string = zones[0].id

@description('The DNS zone for queues.')
output queueZoneId string = zones[1].id
