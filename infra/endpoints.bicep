// Private endpoints for storage, in this deployment's network or in an existing one.

import { Tags } from 'types.bicep'

@description('Name of the endpoint for blobs.')
param blobEndpointName string

@description('Name of the endpoint for queues.')
param queueEndpointName string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

@description('Resource id of the storage account.')
param storageAccountId string

@description('The subnet for the endpoints.')
param subnetId string

@description('Whether to register the endpoints in the DNS zones.')
param withRecords bool

@description('The DNS zone for blobs.')
param blobZoneId string

@description('The DNS zone for queues.')
param queueZoneId string

var services = ['blob', 'queue']
var names = [blobEndpointName, queueEndpointName]
var zoneIds = [blobZoneId, queueZoneId]
var recorded = withRecords ? services : []

resource endpoints 'Microsoft.Network/privateEndpoints@2025-07-01' = [
  for (service, i) in services: {
    name: names[i]
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: service
          properties: {
            privateLinkServiceId: storageAccountId
            groupIds: [service]
          }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-07-01' = [
  for (service, i) in recorded: {
    parent: endpoints[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: service
          properties: { privateDnsZoneId: zoneIds[i] }
        }
      ]
    }
  }
]
