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

@description('What the app names itself by when it asks for a token.')
output clientId string = identity.properties.clientId

@description('What rights are given to.')
output principalId string = identity.properties.principalId
