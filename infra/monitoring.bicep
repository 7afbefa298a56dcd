import { Tags } from 'types.bicep'

@description('Name of a new Log Analytics workspace.')
param name string

@description('Resource id of an existing workspace; empty for a new one.')
param workspaceId string

@description('Name of Application Insights.')
param insightsName string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

@description('Days for which a new workspace keeps logs and metrics.')
param keepDays int

@description('Name of the identity that sends telemetry.')
param identityName string

@description('Object id of that identity.')
param identityPrincipalId string

// functions.md section Deployment
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = if (empty(workspaceId)) {
  name: name
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: keepDays
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: empty(workspaceId) ? workspace.id : workspaceId
    // The connection string alone is not enough: senders need a token.
    DisableLocalAuth: true
  }
}

// Named like the roles in storage.bicep.
resource mayPublish 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identityName, monitoringMetricsPublisher)
  properties: {
    principalId: identityPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
  }
}

@description('Resource id of the Log Analytics workspace.')
output workspaceId string = empty(workspaceId) ? workspace.id : workspaceId

@description('Connection string of Application Insights; not a secret, because local authentication is off.')
output connectionString string = insights.properties.ConnectionString
