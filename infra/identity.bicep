import { Tags } from 'types.bicep'

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id

@description('Client id, with which the app requests a token.')
output clientId string = identity.properties.clientId

@description('Object id, to which rights are given.')
output principalId string = identity.properties.principalId
