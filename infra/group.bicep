// Everything PhotoSync needs, in a resource group that is there already: main.bicep makes one and
// calls this file, and who has rights on a group alone deploys this file itself. Its parameters are
// the only ones written by hand: after a change, `python -m tools.parameters --write`.

@description('Name of this deployment, such as "photosync-prod": with the subscription and the region it names everything that has no name of its own below.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Azure region of all resources; it must offer Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Name of the function app and so of its address, https://NAME.azurewebsites.net; empty makes a unique one.')
@maxLength(55)
param appName string = ''

@description('Tags of everything, NAME=VALUE, separated by commas; azd-env-name is added.')
param tags string = ''

@description('Name of the storage account; empty makes a unique one. Never change it after the first deployment: the states stay behind.')
@maxLength(24)
param storageAccountName string = ''

@description('Name of the plan; empty: plan-APP.')
@maxLength(60)
param planName string = ''

@description('Name of the managed identity; empty: id-APP.')
@maxLength(128)
param identityName string = ''

@description('Name of the Log Analytics workspace that is made; empty: log-APP.')
@maxLength(63)
param workspaceName string = ''

@description('Name of Application Insights; empty: appi-APP.')
@maxLength(260)
param insightsName string = ''

@description('What the names of the alert rules and of their action group begin with. Two deployments in one resource group need two.')
@minLength(1)
@maxLength(100)
param alertPrefix string = 'photosync'

@description('Name of the virtual network that is made; empty: vnet-APP.')
@maxLength(64)
param networkName string = ''

@description('Name of the NAT gateway that is made; empty: ng-APP.')
@maxLength(80)
param gatewayName string = ''

@description('Name of the public address of the NAT gateway; empty: pip-APP.')
@maxLength(80)
param gatewayAddressName string = ''

@description('Name of the private endpoint for blobs; empty: pe-blob-APP.')
@maxLength(80)
param blobEndpointName string = ''

@description('Name of the private endpoint for queues; empty: pe-queue-APP.')
@maxLength(80)
param queueEndpointName string = ''

// ---- The tenant, and how PhotoSync signs in to it

@description('The Entra tenant whose photos are copied, a GUID; empty is the tenant of this subscription.')
param tenantId string = ''

@description('"contoso" for contoso.sharepoint.com.')
@minLength(1)
param sharepointTenant string

@description('The cloud of the Microsoft 365 tenant.')
@allowed(['global', 'usgov', 'dod', 'china'])
param m365Cloud string = 'global'

@description('Client id of an app registration that signs in with a certificate; empty uses the managed identity, which has nothing to renew.')
param clientId string = ''

@description('The certificate of that app registration: a PFX without password in base64, or a Key Vault reference @Microsoft.KeyVault(SecretUri=...) to one, which the managed identity must be allowed to read.')
@secure()
param clientCertificate string = ''

@description('Another address than the cloud\'s own for signing in; empty is the cloud\'s.')
param loginUrl string = ''

@description('Another address than the cloud\'s own for Microsoft Graph; empty is the cloud\'s.')
param graphUrl string = ''

@description('Another address than the tenant\'s own for My Sites; empty is the tenant\'s.')
param sharepointMyUrl string = ''

@description('Another address than the tenant\'s own for the SharePoint admin site; empty is the tenant\'s.')
param sharepointAdminUrl string = ''

@description('What the hosts of satellite geographies begin with, separated by commas; empty: only regular ones are known.')
param sharepointGeos string = ''

// ---- What PhotoSync does: docs/settings.md says what each one means

@description('When to sweep: six fields, in UTC.')
param sweepSchedule string = '0 42 * * * *'

@description('The minutes between two sweeps of sweepSchedule, at most a day: the alert for missing sweeps waits twice as long.')
@minValue(1)
@maxValue(1440)
param sweepPeriodMinutes int = 60

@description('When to look after the subscription: six fields, in UTC.')
param renewSchedule string = '0 17 5,17 * * *'

@description('Pixels of the small, middle and large picture.')
param pictureSizes string = '48,72,300'

@description('What to write as SPS-PictureExchangeSyncState.')
@allowed(['0', '1'])
param pictureSyncState string = '1'

@description('The folder in /User Photos; empty finds it.')
param pictureFolder string = ''

@description('What to do with a picture that a person chose from elsewhere.')
@allowed(['keep', 'replace'])
param customPicture string = 'keep'

@description('What to do with the picture of a photo that is gone from Exchange.')
@allowed(['remove', 'keep'])
param removedPhoto string = 'remove'

@description('After how many days a user who has left is forgotten, picture and state; 0 is never. Entra can restore a user for 30.')
@minValue(0)
@maxValue(9999)
param forgetAfterDays int = 30

@description('Object id of a group: only its members are looked after; empty is everybody.')
param syncGroupId string = ''

@description('Object id of a group: its members are left alone; empty is nobody.')
param excludedGroupId string = ''

@description('UPNs or object ids that are left alone, separated by commas.')
param excludedUsers string = ''

@description('Whether guests are looked after too.')
param includeGuests bool = false

@description('How many profile calls all instances together make in five minutes, in each geography; 0 finds it out by licences or users.')
@minValue(0)
param profileCallsPer5Minutes int = 3000

@description('Whether audits repair what differs in SharePoint, or only report it.')
@allowed(['repair', 'report'])
param audit string = 'repair'

@description('Days in which every picture in SharePoint is looked at once; 0 is never.')
@minValue(0)
@maxValue(30)
param auditDays int = 7

@description('The part of the profile calls that audits may use, above 0 and up to 1; changes go before them.')
param auditShare string = '0.2'

@description('Whether everything but the writes to SharePoint is done.')
param dryRun bool = false

// ---- Who opens the console

@description('Client id of the registration by which people sign in to the console, which `manage.py grant --console` makes; empty: the console asks for a function key.')
param consoleSignIn string = ''

@description('Whether function keys open the console, too, where people sign in.')
param consoleKeys bool = true

// ---- Azure

@description('Version of Python.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.13'

@description('Memory of one instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('How many instances each function may have at most; some regions take no fewer than 40.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('How the storage account keeps its copies; a lost one is made up for by the next sweep.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Whether the plan is spread over availability zones, where the region offers that; it takes a storageSku with ZRS. Each function then has two instances that are always ready, and paid.')
param zoneRedundant bool = false

@description('Whether storage is reached through a private network only, which takes a subscription with the provider Microsoft.App registered. The webhook stays public: Graph calls it.')
param privateNetwork bool = false

@description('Resource id of a subnet that the app becomes part of, delegated to Microsoft.App/environments and with a way to the internet; empty: with privateNetwork, a network with two subnets is made. Without privateNetwork storage stays public.')
param appSubnetId string = ''

@description('Resource id of the subnet for the private endpoints; with appSubnetId and privateNetwork it must be given.')
param endpointSubnetId string = ''

@description('Resource id of the private DNS zone for blobs, linked to your network; with a network of yours, empty leaves the record to you or to a policy.')
param blobZoneId string = ''

@description('Resource id of the private DNS zone for queues, linked to your network; with a network of yours, empty leaves the record to you or to a policy.')
param queueZoneId string = ''

@description('The only addresses that reach the app, the console with it, besides those of Graph: ranges such as 203.0.113.0/24, separated by commas; empty leaves the rules of the app as they are, in a new one none. To open it again, delete them in the portal.')
param allowedAddresses string = ''

@description('The addresses that Graph sends notifications from, separated by commas, for allowedAddresses; empty: those of graph_addresses.json, which Microsoft may change without notice.')
param graphAddresses string = ''

@description('The key that encrypts storage, https://VAULT.vault.azure.net/keys/NAME, which follows its versions, or with /VERSION; empty: a key of Microsoft\'s. For queues Azure takes it only when the account is made.')
param encryptionKeyUri string = ''

@description('Resource id of a managed identity that may use that key.')
param encryptionIdentityId string = ''

@description('Days for which blobs that were deleted or overwritten can be restored; 0: they are gone.')
@minValue(0)
@maxValue(365)
param keepDeletedDays int = 7

@description('Days after which messages that nobody understood are deleted.')
@minValue(1)
param keepUnreadableDays int = 90

@description('Days after which what is known of a sweep is deleted.')
@minValue(2)
param keepSweepsDays int = 30

@description('Days after which a month of the log of orders is deleted, counted from its last line.')
@minValue(31)
@maxValue(3650)
param keepOrdersDays int = 400

@description('Days for which nobody can change or delete a line of the log of orders; 0 is no such policy.')
@minValue(0)
@maxValue(3650)
param lockOrdersDays int = 0

@description('Resource id of a Log Analytics workspace to use; empty makes one.')
param workspaceId string = ''

@description('Days for which logs and measurements are kept, in a workspace that is made.')
@minValue(30)
@maxValue(730)
param keepLogsDays int = 30

@description('Whether the platform\'s own logs go to the workspace, too: of the app, of every call to its blobs, of every change of its queues.')
param diagnosticLogs bool = false

@description('Address that alerts are sent to; empty leaves the alerts in the portal only.')
param alertEmail string = ''

@description('Object id of whoever may type messages into the queues, such as "renew" or a user to replay; empty is nobody. azd fills in who deploys.')
param operatorPrincipalId string = ''

var unique = uniqueString(subscription().id, environmentName, location)
var name = empty(appName) ? 'photosync-${unique}' : appName
// Names that more than one module needs. Outputs are known too late: what-if could not tell what is
// named after one.
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
// Parameters that contradict each other, and values that Azure would refuse halfway.
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
    // Most modules wait for this one: it is where a deployment with mistakes ends.
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

@description('The resource group; azd looks for the app in it.')
output AZURE_RESOURCE_GROUP string = resourceGroup().name

@description('Name of the function app.')
output PHOTOSYNC_APP_NAME string = app.outputs.name

@description('Where `python manage.py` finds the app.')
output PHOTOSYNC_URL string = 'https://${app.outputs.hostName}'

@description('Where Graph sends notifications, without the key.')
output PHOTOSYNC_WEBHOOK string = 'https://${app.outputs.hostName}/api/notifications'

@description('The console; it asks for a function key, or people sign in.')
output PHOTOSYNC_CONSOLE string = 'https://${app.outputs.hostName}/api/console'

@description('Client id of the registration by which people sign in to the console; empty: with keys only.')
output PHOTOSYNC_CLIENT_ID string = consoleSignIn

@description('The tenant that people sign in to.')
output PHOTOSYNC_TENANT_ID string = m365Tenant

@description('Client id of the managed identity.')
output PHOTOSYNC_IDENTITY_CLIENT_ID string = identity.outputs.clientId

@description('Object id of the managed identity, which `python manage.py grant` gives its rights.')
output PHOTOSYNC_IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('Client id of the app registration that signs in with a certificate; empty with the managed identity.')
output PHOTOSYNC_APP_REGISTRATION string = clientId

@description('The SharePoint tenant, for `python manage.py grant`.')
output SHAREPOINT_TENANT string = sharepointTenant

@description('Name of the storage account, for messages typed into its queues.')
output PHOTOSYNC_STORAGE_ACCOUNT string = storage.outputs.name
