import { Settings, Tags } from 'types.bicep'

@description('Name of the function app.')
param name string

@description('Name of its plan.')
param planName string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

@description('Whether the plan is spread over availability zones.')
param zoneRedundant bool

@description('Version of Python.')
param pythonVersion string

@description('Memory of one instance in MB.')
param instanceMemoryMB int

@description('How many instances each function may have at most.')
param maximumInstanceCount int

@description('Resource id of the identity that the app runs as.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('Whether a setting may be a Key Vault reference, which is then read as that identity.')
param readsKeyVault bool

@description('Where blobs are, with a slash at the end.')
param blobEndpoint string

@description('Where queues are, with a slash at the end.')
param queueEndpoint string

@description('The container that the code is deployed to.')
param packageContainer string

@description('The subnet that the app is part of; empty is none.')
param subnetId string

@description('The only addresses that reach the app, besides those of Graph, separated by commas; empty leaves its rules as they are.')
param allowedAddresses string

@description('The addresses of Graph, separated by commas; empty: those that are documented.')
param graphAddresses string

@description('The cloud whose Graph that is.')
@allowed(['global', 'usgov', 'dod', 'china'])
param m365Cloud string

@description('Whether the platform\'s own logs are kept.')
param diagnosticLogs bool

@description('Resource id of the Log Analytics workspace for these logs.')
param workspaceId string

@description('Where telemetry is sent.')
param applicationInsightsConnectionString string

@description('The settings of PhotoSync itself.')
param settings Settings

// At least as many threads as host.json has messages run, of both queues, and three timers, and this many
// requests: else messages would wait inside the worker while their lock runs, and on a plan where
// one instance runs all functions Graph would wait for copies (functions.md section Python).
var requestsAtOnce = 16
var workerThreads = 60

var hostSettings = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  PYTHON_THREADPOOL_THREAD_COUNT: string(workerThreads)
  // Else the host reads 100 MB before the webhook refuses more than this (functions.md section HTTP).
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
  // The worker sends its events and counters itself and starts doing so after the webhook's first
  // answer; the engine's own start of Application Insights would come before it and take 0.3 s
  // (functions.md section Telemetry). Nothing is told to anybody but this workspace.
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
  APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true'
  APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
}

// Rules hold for the whole app, not for a path, and no service tag stands for Graph's notifications
// (functions.md section Deployment). So Graph's addresses are among those allowed.
var documented = loadJsonContent('graph_addresses.json')
var told = filter(map(split(graphAddresses, ','), each => trim(each)), each => !empty(each))
var graphRanges = empty(told) ? documented[m365Cloud] : told
var allowed = filter(map(split(allowedAddresses, ','), each => trim(each)), each => !empty(each))
var allowedRanges = empty(allowed) ? [] : concat(graphRanges, allowed)
var addressRules = [
  for (address, i) in allowedRanges: {
    name: i < length(graphRanges) ? 'graph-${i}' : 'allowed-${i}'
    action: 'Allow'
    ipAddress: contains(address, '/') ? address : '${address}/${contains(address, ':') ? 128 : 32}'
    priority: 100 + i
  }
]

var closed = {
  ipSecurityRestrictions: addressRules
  ipSecurityRestrictionsDefaultAction: 'Deny'
  // The site for deployments has rules of its own, and none: it takes a token of Entra.
  scmIpSecurityRestrictionsUseMain: false
}
// Where no address is given, nothing is said: rules that somebody set by hand stay.
var access = empty(allowed) ? {} : closed

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd finds the app that it deploys to by this tag.
  tags: union(tags, { 'azd-service-name': 'photosync' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // Keys and functions can be managed through Azure Resource Manager alone. Azure knows this
    // property, Bicep's types do not (functions.md section Deployment).
    #disable-next-line BCP037
    functionsRuntimeAdminIsolationEnabled: true
    keyVaultReferenceIdentity: readsKeyVault ? identityId : null
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      runtime: {
        name: 'python'
        version: pythonVersion
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // Graph gives up on an app that has to be started first.
        alwaysReady: [
          {
            name: 'http'
            instanceCount: 1
          }
        ]
        // For Python the default is one request at a time: a burst of notifications would wait for
        // new instances to start.
        triggers: { http: { perInstanceConcurrency: requestsAtOnce } }
      }
    }
    // No ftpsState: this plan has no FTP, and refuses the property (functions.md section Deployment).
    siteConfig: union(
      {
        minTlsVersion: '1.2'
        scmMinTlsVersion: '1.2'
      },
      access
    )
  }
}

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (diagnosticLogs) {
  scope: app
  name: 'photosync'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
  }
}

module appSettings 'app_settings.bicep' = {
  params: {
    appName: app.name
    settings: union(hostSettings, settings)
    present: list('${app.id}/config/appsettings', '2025-03-01').properties
  }
}

@description('Name of the function app.')
output name string = app.name

@description('Host of its address.')
output hostName string = app.properties.defaultHostName
