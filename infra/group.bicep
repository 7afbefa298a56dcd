// Everything PhotoSync needs, in an existing resource group. main.bicep creates the group and calls
// this file; with rights on a group only, deploy this file itself. Only its parameters are written by
// hand: after a change, run `python -m tools.parameters --write`.

@description('Name of this deployment, such as "photosync-prod"; with the subscription and the region it determines the names of all resources that are not named below.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Azure region of all resources; it must offer Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Name of the function app, which is also its address, https://NAME.azurewebsites.net; empty for a unique name.')
@maxLength(55)
param appName string = ''

@description('Tags for all resources, NAME=VALUE, separated by commas; azd-env-name is added.')
param tags string = ''

@description('Name of the storage account; empty for a unique name. Never change it after the first deployment: the stored state would stay in the old account.')
@maxLength(24)
param storageAccountName string = ''

@description('Name of the plan; empty for plan-APP.')
@maxLength(60)
param planName string = ''

@description('Name of the managed identity; empty for id-APP.')
@maxLength(128)
param identityName string = ''

@description('Name of a new Log Analytics workspace; empty for log-APP.')
@maxLength(63)
param workspaceName string = ''

@description('Name of Application Insights; empty for appi-APP.')
@maxLength(260)
param insightsName string = ''

@description('Prefix of the names of the alert rules and of their action group. Two deployments in one resource group need different prefixes.')
@minLength(1)
@maxLength(100)
param alertPrefix string = 'photosync'

@description('Name of a new virtual network; empty for vnet-APP.')
@maxLength(64)
param networkName string = ''

@description('Name of a new NAT gateway; empty for ng-APP.')
@maxLength(80)
param gatewayName string = ''

@description('Name of the NAT gateway\'s public IP address; empty for pip-APP.')
@maxLength(80)
param gatewayAddressName string = ''

@description('Name of the private endpoint for blobs; empty for pe-blob-APP.')
@maxLength(80)
param blobEndpointName string = ''

@description('Name of the private endpoint for queues; empty for pe-queue-APP.')
@maxLength(80)
param queueEndpointName string = ''

// ---- The tenant, and how PhotoSync signs in to it

@description('Id of the Entra tenant whose photos are copied (a GUID); empty for the tenant of this subscription.')
param tenantId string = ''

@description('"contoso" for contoso.sharepoint.com.')
@minLength(1)
param sharepointTenant string

@description('The cloud of the Microsoft 365 tenant.')
@allowed(['global', 'usgov', 'dod', 'china'])
param m365Cloud string = 'global'

@description('Client id of an app registration that signs in with a certificate; empty for the managed identity, which needs no renewal.')
param clientId string = ''

@description('The certificate of that app registration: a PFX without password in base64, or a Key Vault reference to one, @Microsoft.KeyVault(SecretUri=...), that the managed identity may read.')
@secure()
param clientCertificate string = ''

@description('Sign-in address; empty for the cloud\'s own.')
param loginUrl string = ''

@description('Address of Microsoft Graph; empty for the cloud\'s own.')
param graphUrl string = ''

@description('Address of the My Sites; empty for the tenant\'s own.')
param sharepointMyUrl string = ''

@description('Address of the SharePoint admin site; empty for the tenant\'s own.')
param sharepointAdminUrl string = ''

@description('Host prefixes of satellite geographies, separated by commas; empty if only regular ones are used.')
param sharepointGeos string = ''

// ---- What PhotoSync does: docs/settings.md says what each one means

@description('Schedule of the sweeps: six fields, in UTC.')
param sweepSchedule string = '0 42 * * * *'

@description('Minutes between two sweeps of sweepSchedule, at most a day; the alert for missing sweeps waits twice as long.')
@minValue(1)
@maxValue(1440)
param sweepPeriodMinutes int = 60

@description('Schedule of the checks of the subscription: six fields, in UTC.')
param renewSchedule string = '0 17 5,17 * * *'

@description('Size in pixels of the small, medium and large picture.')
param pictureSizes string = '48,72,300'

@description('The value to write to SPS-PictureExchangeSyncState.')
@allowed(['0', '1'])
param pictureSyncState string = '1'

@description('Name of the folder in /User Photos; empty to detect it.')
param pictureFolder string = ''

@description('What to do with a picture from another source that a person chose.')
@allowed(['keep', 'replace'])
param customPicture string = 'keep'

@description('What to do with the picture if the photo is gone from Exchange.')
@allowed(['remove', 'keep'])
param removedPhoto string = 'remove'

@description('Days until a leaver\'s picture and stored state are deleted; 0 for never. Entra can restore a user for 30 days.')
@minValue(0)
@maxValue(9999)
param forgetAfterDays int = 30

@description('Object id of a group: only its members are in scope; empty for all users.')
param syncGroupId string = ''

@description('Object id of a group whose members are out of scope; empty for none.')
param excludedGroupId string = ''

@description('UPNs or object ids of users who are out of scope, separated by commas.')
param excludedUsers string = ''

@description('Whether guests are in scope, too.')
param includeGuests bool = false

@description('Profile calls in five minutes, by all instances together, in each geography; 0 to derive the number from the licences or the users.')
@minValue(0)
param profileCallsPer5Minutes int = 3000

@description('Whether audits repair differences in SharePoint, or only report them.')
@allowed(['repair', 'report'])
param audit string = 'repair'

@description('Days in which every picture in SharePoint is checked once; 0 for never.')
@minValue(0)
@maxValue(30)
param auditDays int = 7

@description('Share of the profile calls that audits may use, above 0 and up to 1; changes have priority.')
param auditShare string = '0.2'

@description('Whether to do everything except write to SharePoint.')
param dryRun bool = false

// ---- Who opens the console

@description('Client id of the app registration for signing in to the console, created by `manage.py grant --console`; empty if the console asks for a function key.')
param consoleSignIn string = ''

@description('Whether the console also accepts function keys if sign-in is on.')
param consoleKeys bool = true

// ---- Azure

@description('Python version.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.13'

@description('Memory of one instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('The most instances that each function may have; some regions accept no fewer than 40.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Redundancy of the storage account; the next sweep makes up for lost data.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Whether the plan is zone redundant, if the region offers that; it needs a storageSku with ZRS. Each function then has two always-ready instances, which are billed.')
param zoneRedundant bool = false

@description('Whether storage is reachable through a private network only; the provider Microsoft.App must be registered in the subscription. The webhook stays public, because Graph calls it.')
param privateNetwork bool = false

@description('Resource id of a subnet that the app joins, delegated to Microsoft.App/environments and with internet access; empty with privateNetwork creates a network with two subnets. Without privateNetwork, storage stays public.')
param appSubnetId string = ''

@description('Resource id of the subnet for the private endpoints; required with appSubnetId and privateNetwork.')
param endpointSubnetId string = ''

@description('Resource id of the private DNS zone for blobs, linked to your network; empty with your own network leaves the record to you or to a policy.')
param blobZoneId string = ''

@description('Resource id of the private DNS zone for queues, linked to your network; empty with your own network leaves the record to you or to a policy.')
param queueZoneId string = ''

@description('The only addresses that may reach the app and its console, besides Graph\'s: ranges such as 203.0.113.0/24, separated by commas; empty leaves the access restrictions unchanged (a new app has none). To lift them, delete them in the portal.')
param allowedAddresses string = ''

@description('The addresses from which Graph sends notifications, separated by commas, for allowedAddresses; empty for those in graph_addresses.json, which Microsoft may change without notice.')
param graphAddresses string = ''

@description('The key that encrypts storage, https://VAULT.vault.azure.net/keys/NAME for its newest version, or with /VERSION; empty for a Microsoft-managed key. For queues Azure accepts it only when the account is created.')
param encryptionKeyUri string = ''

@description('Resource id of a managed identity that may use that key.')
param encryptionIdentityId string = ''

@description('Days for which deleted or overwritten blobs can be restored; 0 for none.')
@minValue(0)
@maxValue(365)
param keepDeletedDays int = 7

@description('Days after which unreadable messages are deleted.')
@minValue(1)
param keepUnreadableDays int = 90

@description('Days after which the records of a sweep are deleted.')
@minValue(2)
param keepSweepsDays int = 30

@description('Days after which a month of the log of orders is deleted, counted from its last line.')
@minValue(31)
@maxValue(3650)
param keepOrdersDays int = 400

@description('Days for which a line of the log of orders cannot be changed or deleted; 0 for no such policy.')
@minValue(0)
@maxValue(3650)
param lockOrdersDays int = 0

@description('Resource id of an existing Log Analytics workspace; empty for a new one.')
param workspaceId string = ''

@description('Days for which a new workspace keeps logs and metrics.')
@minValue(30)
@maxValue(730)
param keepLogsDays int = 30

@description('Whether the platform logs go to the workspace, too: of the app, of every call to its blobs, and of every change to its queues.')
param diagnosticLogs bool = false

@description('Mail address for alerts; if empty, alerts appear only in the portal.')
param alertEmail string = ''

@description('Object id of the person or service principal that may add messages to the queues, such as "renew" or a user to replay; empty for none. azd fills in the one that deploys.')
param operatorPrincipalId string = ''

var unique = uniqueString(subscription().id, environmentName, location)
var name = empty(appName) ? 'photosync-${unique}' : appName
// Names that more than one module needs. Outputs are known too late: what-if cannot resolve names that
// depend on them.
var names = {
  identity: empty(identityName) ? 'id-${name}' : identityName
  insights: empty(insightsName) ? 'appi-${name}' : insightsName
}
var tagTexts = filter(map(split(tags, ','), tag => trim(tag)), tag => !empty(tag))
var tagsAreWrong = !empty(filter(tagTexts, tag => indexOf(tag, '=') < 1))
var pairs = tagsAreWrong ? fail('Write each of the tags as NAME=VALUE.') : tagTexts
var given = toObject(pairs, tag => trim(split(tag, '=')[0]), tag => trim(substring(tag, indexOf(tag, '=') + 1)))
var allTags = union(given, { 'azd-env-name': environmentName })
var makesNetwork = privateNetwork && empty(appSubnetId)
var endpointsAreTheirs = !empty('${endpointSubnetId}${blobZoneId}${queueZoneId}')
var keyIsWrong = !startsWith(encryptionKeyUri, 'https://') || !contains(encryptionKeyUri, '/keys/')
var addresses = split('${allowedAddresses},${graphAddresses}', ',')
var addressesAreWrong = !empty(filter(addresses, each => contains(each, ';') || contains(trim(each), ' ')))
// Contradictory parameters, and values that Azure would refuse halfway through.
var mistakes = filter(
  [
    zoneRedundant && !contains(storageSku, 'ZRS') ? 'Set storageSku to one with ZRS.' : ''
    endpointsAreTheirs && !privateNetwork ? 'Set privateNetwork, too: without it storage stays public.' : ''
    endpointsAreTheirs && privateNetwork && empty(appSubnetId) ? 'Give appSubnetId, too.' : ''
    privateNetwork && !empty(appSubnetId) && empty(endpointSubnetId) ? 'Give endpointSubnetId, too.' : ''
    empty(blobZoneId) != empty(queueZoneId) ? 'Give both zones.' : ''
    !empty(encryptionKeyUri) && keyIsWrong ? 'Give encryptionKeyUri as https://VAULT.vault.azure.net/keys/NAME.' : ''
    !empty(encryptionKeyUri) && empty(encryptionIdentityId) ? 'Give encryptionIdentityId, too.' : ''
    empty(encryptionKeyUri) && !empty(encryptionIdentityId) ? 'Give encryptionKeyUri, too.' : ''
    empty(trim(allowedAddresses)) && !empty(graphAddresses) ? 'Give allowedAddresses, too.' : ''
    addressesAreWrong ? 'Separate addresses by commas.' : ''
    lockOrdersDays > keepOrdersDays ? 'Set keepOrdersDays to at least lockOrdersDays.' : ''
  ],
  sentence => !empty(sentence)
)
var m365Tenant = empty(tenantId) ? tenant().tenantId : tenantId
var usesCertificate = !empty(clientId)

var settings = {
  TENANT_ID: m365Tenant
  SHAREPOINT_TENANT: sharepointTenant
  M365_CLOUD: m365Cloud
  CLIENT_ID: clientId
  CLIENT_CERTIFICATE: clientCertificate
  MANAGED_IDENTITY_CLIENT_ID: usesCertificate ? '' : identity.outputs.clientId
  LOGIN_URL: loginUrl
  GRAPH_URL: graphUrl
  SHAREPOINT_MY_URL: sharepointMyUrl
  SHAREPOINT_ADMIN_URL: sharepointAdminUrl
  SHAREPOINT_GEOS: sharepointGeos
  SWEEP_SCHEDULE: sweepSchedule
  RENEW_SCHEDULE: renewSchedule
  PICTURE_SIZES: pictureSizes
  PICTURE_SYNC_STATE: pictureSyncState
  PICTURE_FOLDER: pictureFolder
  CUSTOM_PICTURE: customPicture
  REMOVED_PHOTO: removedPhoto
  FORGET_AFTER_DAYS: string(forgetAfterDays)
  SYNC_GROUP_ID: syncGroupId
  EXCLUDED_GROUP_ID: excludedGroupId
  EXCLUDED_USERS: excludedUsers
  INCLUDE_GUESTS: includeGuests ? 'true' : 'false'
  PROFILE_CALLS_PER_5_MINUTES: string(profileCallsPer5Minutes)
  AUDIT: audit
  AUDIT_DAYS: string(auditDays)
  AUDIT_SHARE: auditShare
  DRY_RUN: dryRun ? 'true' : 'false'
  CONSOLE_SIGN_IN: consoleSignIn
  CONSOLE_KEYS: consoleKeys ? 'true' : 'false'
}

module identity 'identity.bicep' = {
  params: {
    // Most modules depend on this one, so a deployment with invalid parameters fails here.
    name: empty(mistakes) ? names.identity : fail(join(mistakes, ' '))
    location: location
    tags: allTags
  }
}

module monitoring 'monitoring.bicep' = {
  params: {
    name: empty(workspaceName) ? 'log-${name}' : workspaceName
    workspaceId: workspaceId
    insightsName: names.insights
    location: location
    tags: allTags
    keepDays: keepLogsDays
    identityName: names.identity
    identityPrincipalId: identity.outputs.principalId
  }
}

module storage 'storage.bicep' = {
  params: {
    name: empty(storageAccountName) ? 'st${unique}' : storageAccountName
    location: location
    tags: allTags
    sku: storageSku
    public: !privateNetwork
    encryptionKeyUri: encryptionKeyUri
    encryptionIdentityId: encryptionIdentityId
    keepDeletedDays: keepDeletedDays
    keepUnreadableDays: keepUnreadableDays
    keepSweepsDays: keepSweepsDays
    keepOrdersDays: keepOrdersDays
    lockOrdersDays: lockOrdersDays
    identityName: names.identity
    identityPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    diagnosticLogs: diagnosticLogs
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'network.bicep' = if (makesNetwork) {
  params: {
    name: empty(networkName) ? 'vnet-${name}' : networkName
    gatewayName: empty(gatewayName) ? 'ng-${name}' : gatewayName
    gatewayAddressName: empty(gatewayAddressName) ? 'pip-${name}' : gatewayAddressName
    linkName: 'link-${name}'
    location: location
    tags: allTags
  }
}

module endpoints 'endpoints.bicep' = if (privateNetwork) {
  params: {
    blobEndpointName: empty(blobEndpointName) ? 'pe-blob-${name}' : blobEndpointName
    queueEndpointName: empty(queueEndpointName) ? 'pe-queue-${name}' : queueEndpointName
    location: location
    tags: allTags
    storageAccountId: storage.outputs.id
    subnetId: makesNetwork ? network!.outputs.endpointSubnetId : endpointSubnetId
    withRecords: makesNetwork || !empty(blobZoneId)
    blobZoneId: makesNetwork ? network!.outputs.blobZoneId : blobZoneId
    queueZoneId: makesNetwork ? network!.outputs.queueZoneId : queueZoneId
  }
}

module app 'function_app.bicep' = {
  params: {
    name: name
    planName: empty(planName) ? 'plan-${name}' : planName
    location: location
    tags: allTags
    zoneRedundant: zoneRedundant
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    readsKeyVault: usesCertificate
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    packageContainer: storage.outputs.packageContainer
    subnetId: makesNetwork ? network!.outputs.appSubnetId : appSubnetId
    allowedAddresses: allowedAddresses
    graphAddresses: graphAddresses
    m365Cloud: m365Cloud
    applicationInsightsConnectionString: monitoring.outputs.connectionString
    diagnosticLogs: diagnosticLogs
    workspaceId: monitoring.outputs.workspaceId
    settings: settings
  }
}

module signIn 'sign_in.bicep' = {
  params: {
    appName: name
    clientId: consoleSignIn
    tenantId: m365Tenant
    m365Cloud: m365Cloud
    loginUrl: loginUrl
    keys: consoleKeys
  }
  dependsOn: [app]
}

module alerts 'alerts.bicep' = {
  params: {
    prefix: alertPrefix
    location: location
    tags: allTags
    logAnalyticsWorkspaceId: monitoring.outputs.workspaceId
    sharesWorkspace: !empty(workspaceId)
    insightsName: names.insights
    alertEmail: alertEmail
    sweepPeriodMinutes: sweepPeriodMinutes
  }
}

@description('The resource group in which azd looks for the app.')
output AZURE_RESOURCE_GROUP string = resourceGroup().name

@description('Name of the function app.')
output PHOTOSYNC_APP_NAME string = app.outputs.name

@description('The app\'s URL, for `python manage.py`.')
output PHOTOSYNC_URL string = 'https://${app.outputs.hostName}'

@description('The URL to which Graph sends notifications, without the key.')
output PHOTOSYNC_WEBHOOK string = 'https://${app.outputs.hostName}/api/notifications'

@description('The URL of the console, which asks for a function key or a sign-in.')
output PHOTOSYNC_CONSOLE string = 'https://${app.outputs.hostName}/api/console'

@description('Client id of the app registration for signing in to the console; empty if only keys are accepted.')
output PHOTOSYNC_CLIENT_ID string = consoleSignIn

@description('The tenant for signing in.')
output PHOTOSYNC_TENANT_ID string = m365Tenant

@description('Client id of the managed identity.')
output PHOTOSYNC_IDENTITY_CLIENT_ID string = identity.outputs.clientId

@description('Object id of the managed identity, to which `python manage.py grant` gives its rights.')
output PHOTOSYNC_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Client id of the app registration that signs in with a certificate; empty with the managed identity.')
output PHOTOSYNC_APP_REGISTRATION string = clientId

@description('The SharePoint tenant, for `python manage.py grant`.')
output SHAREPOINT_TENANT string = sharepointTenant

@description('Name of the storage account, for adding messages to its queues.')
output PHOTOSYNC_STORAGE_ACCOUNT string = storage.outputs.name
