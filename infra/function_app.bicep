import { Settings, Tags } from 'types.bicep'

@description('Name of the function app.')
param name string

@description('Name of its plan.')
param planName string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

@description('Whether the plan is zone redundant.')
param zoneRedundant bool

@description('Python version.')
param pythonVersion string

@description('Memory of one instance in MB.')
param instanceMemoryMB int

@description('The most instances that each function may have.')
param maximumInstanceCount int

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('Whether a setting may be a Key Vault reference, which is then read with that identity.')
param readsKeyVault bool

@description('URL of the blob service, with a trailing slash.')
param blobEndpoint string

@description('URL of the queue service, with a trailing slash.')
param queueEndpoint string

@description('The container for the deployed code.')
param packageContainer string

@description('The subnet that the app joins; empty for none.')
param subnetId string

@description('The only addresses that may reach the app, besides Graph\'s, separated by commas; empty leaves the access restrictions unchanged.')
param allowedAddresses string

@description('Graph\'s addresses, separated by commas; empty for the documented ones.')
param graphAddresses string

@description('The cloud of that Graph.')
@allowed(['global', 'usgov', 'dod', 'china'])
param m365Cloud string

@description('Whether to keep the platform logs.')
param diagnosticLogs bool

@description('Resource id of the Log Analytics workspace for these logs.')
param workspaceId string

@description('Connection string of Application Insights.')
param applicationInsightsConnectionString string

@description('PhotoSync\'s own settings.')
param settings Settings

// The worker needs a thread for each message that host.json allows at once in both queues, for three
// timers, and for this many requests. With fewer, messages would wait in the worker while their lock
// runs; on a plan where one instance runs all functions, Graph would wait for copies (functions.md
// section Python).
var requestsAtOnce = 16
var workerThreads = 60

var hostSettings = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  PYTHON_THREADPOOL_THREAD_COUNT: string(workerThreads)
  // By default the host reads 100 MB before the webhook can refuse more than this (functions.md
  // section HTTP).
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'
  APPLICATIONINSIGHTS_CONNECTION_STRING: applicationInsightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
  // The worker sends its own telemetry, and starts only after the webhook's first answer. The engine
  // would start Application Insights before that answer, which takes 0.3 s (functions.md section
  // Telemetry). Telemetry goes to this workspace only.
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL: 'true'
  APPLICATIONINSIGHTS_SDKSTATS_DISABLED: 'true'
  APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED: 'true'
}

// Access restrictions apply to the whole app, not to a path, and no service tag covers Graph's
// notifications (functions.md section Deployment). So Graph's addresses must be allowed, too.
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
  // The deployment (SCM) site is not restricted: it requires an Entra token.
  scmIpSecurityRestrictionsUseMain: false
}
// Without addresses, omit the properties: restrictions set by hand stay.
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
  // azd finds the app to deploy to by this tag.
  tags: union(tags, { 'azd-service-name': 'photosync' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // Keys and functions can be managed only through Azure Resource Manager. Azure knows this
    // property; Bicep's types do not (functions.md section Deployment).
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
        // Graph does not wait for a cold start.
        alwaysReady: [
          {
            name: 'http'
            instanceCount: 1
          }
        ]
        // The default for Python is one request at a time, so a burst of notifications would wait
        // for new instances to start.
        triggers: { http: { perInstanceConcurrency: requestsAtOnce } }
      }
    }
    // No ftpsState: this plan has no FTP and rejects the property (functions.md section Deployment).
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

@description('Host name of the app.')
output hostName string = app.properties.defaultHostName
