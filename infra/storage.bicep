import { Tags } from 'types.bicep'

@description('Name of the storage account.')
@minLength(3)
@maxLength(24)
param name string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

@description('Redundancy.')
param sku string

@description('Whether it is reachable from outside the private network. Account keys are off in both cases.')
param public bool

@description('URL of the encryption key in a Key Vault, with or without a version; empty for a Microsoft-managed key.')
param encryptionKeyUri string

@description('Resource id of the identity that may use that key.')
param encryptionIdentityId string

@description('Days for which deleted or overwritten blobs can be restored; 0 for none.')
param keepDeletedDays int

@description('Days after which unreadable messages are deleted.')
param keepUnreadableDays int

@description('Days after which the records of a sweep are deleted.')
param keepSweepsDays int

@description('Days after which a month of the log of orders is deleted, counted from its last line.')
param keepOrdersDays int

@description('Days for which a line of the log of orders cannot be changed or deleted, counted from its last line; 0 for no such policy.')
param lockOrdersDays int

@description('Name of the function app\'s identity.')
param identityName string

@description('Object id of that identity.')
param identityPrincipalId string

@description('Object id of the person or service principal that may add messages to the queues; empty for none.')
param operatorPrincipalId string

@description('Whether to log every call.')
param diagnosticLogs bool

@description('Resource id of the Log Analytics workspace for these logs.')
param workspaceId string

// functions.md section Deployment
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var storageQueueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var storageQueueDataMessageSender = 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a'

var stateContainer = 'photo-sync-state'
var ordersContainer = 'photo-sync-orders'
var queueNames = ['photo-sync', 'photo-upkeep', 'photo-sync-poison', 'photo-upkeep-poison']
// The queues to which a person adds messages.
var typedInto = empty(operatorPrincipalId) ? [] : [0, 1]

// https:, empty, vault, keys, name and perhaps version; padded, because there may be no key.
var keyParts = concat(split(encryptionKeyUri, '/'), ['', '', '', '', ''])
var keyIdentity = {
  type: 'UserAssigned'
  userAssignedIdentities: { '${encryptionIdentityId}': {} }
}
var keyEncryption = {
  keySource: 'Microsoft.Keyvault'
  identity: { userAssignedIdentity: encryptionIdentityId }
  keyvaultproperties: {
    keyvaulturi: 'https://${keyParts[2]}'
    keyname: keyParts[4]
    // Empty: always the newest version.
    keyversion: keyParts[5]
  }
  // Queues accept a customer-managed key only with account scope.
  services: {
    blob: {
      enabled: true
      keyType: 'Account'
    }
    queue: {
      enabled: true
      keyType: 'Account'
    }
  }
}
var kept = {
  enabled: true
  days: keepDeletedDays
}
var gone = { enabled: false }
var allLogs = [
  {
    categoryGroup: 'allLogs'
    enabled: true
  }
]
// Not reads: the host polls its queues ten times a second, and every poll would be a billed line.
var changeLogs = [
  {
    category: 'StorageWrite'
    enabled: true
  }
  {
    category: 'StorageDelete'
    enabled: true
  }
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  identity: empty(encryptionKeyUri) ? null : keyIdentity
  properties: {
    encryption: empty(encryptionKeyUri) ? null : keyEncryption
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: public ? 'Enabled' : 'Disabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: public ? 'Allow' : 'Deny'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: keepDeletedDays > 0
    deleteRetentionPolicy: keepDeletedDays > 0 ? kept : gone
    containerDeleteRetentionPolicy: keepDeletedDays > 0 ? kept : gone
  }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: 'app-package'
  properties: { publicAccess: 'None' }
}

resource state 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: stateContainer
  properties: { publicAccess: 'None' }
}

// A separate container: a policy applies to a whole container, and states must be overwritten.
resource orders 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobs
  name: ordersContainer
  properties: { publicAccess: 'None' }
}

// Unlocked: locking cannot be undone, so a person must decide (docs/security.md).
resource immutable 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = if (lockOrdersDays > 0) {
  parent: orders
  name: 'default'
  properties: {
    allowProtectedAppendWrites: true
    immutabilityPeriodSinceCreationInDays: lockOrdersDays
  }
}

// Never users/: a state that is years old belongs to a user who never changed.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'unreadable-messages'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['${stateContainer}/unreadable/']
            }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: keepUnreadableDays } } }
          }
        }
        {
          name: 'sweeps'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['${stateContainer}/sweeps/']
            }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: keepSweepsDays } } }
          }
        }
        {
          name: 'audits'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              // Each begins with its year, so the pointer to the newest one stays.
              prefixMatch: ['${stateContainer}/audits/2']
            }
            // Twice the longest AUDIT_DAYS: a resting audit is not modified for that long.
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: 60 } } }
          }
        }
        {
          name: 'orders'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['appendBlob']
              prefixMatch: ['${ordersContainer}/']
            }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: keepOrdersDays } } }
          }
        }
        {
          name: 'versions'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob', 'appendBlob'] }
            // With versioning, a deleted or overwritten blob becomes a version that stays until it is
            // deleted; then soft delete keeps it. Its age counts from when it was written, so it may
            // already be over the limit.
            actions: { version: { delete: { daysAfterCreationGreaterThan: 1 } } }
          }
        }
      ]
    }
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [
  for queue in queueNames: {
    parent: queueService
    name: queue
  }
]

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (diagnosticLogs) {
  scope: blobs
  name: 'photosync'
  properties: {
    workspaceId: workspaceId
    logs: allLogs
  }
}

resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (diagnosticLogs) {
  scope: queueService
  name: 'photosync'
  properties: {
    workspaceId: workspaceId
    logs: changeLogs
  }
}

// Names of role assignments use only values known before the deployment, unlike an object id:
// otherwise what-if could not resolve them.
resource mayKeepState 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, identityName, storageBlobDataOwner)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataOwner)
  }
}

resource mayUseQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, identityName, storageQueueDataContributor)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageQueueDataContributor)
  }
}

// No principalType: a person deploys by hand, a service principal from a workflow.
resource mayType 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for i in typedInto: {
    scope: queues[i]
    name: guid(queues[i].id, operatorPrincipalId, storageQueueDataMessageSender)
    properties: {
      principalId: operatorPrincipalId
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageQueueDataMessageSender)
    }
  }
]

@description('Name of the account.')
output name string = account.name

@description('Resource id.')
output id string = account.id

@description('URL of the blob service, with a trailing slash.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('URL of the queue service, with a trailing slash.')
output queueEndpoint string = account.properties.primaryEndpoints.queue

@description('The container for the deployed code.')
output packageContainer string = package.name
