// People sign in to the console by App Service authentication, which stands before the whole app
// (functions.md section "Sign-in: what infra and grant set"). It is told, too, that it is off: a
// deployment leaves alone what its template does not name, and nobody could go back to keys.

@description('Name of the function app.')
param appName string

@description('Client id of the registration that `manage.py grant --console` makes; empty is off.')
param clientId string

@description('The only tenant whose people may sign in.')
param tenantId string

@description('The cloud of that tenant.')
@allowed(['global', 'usgov', 'dod', 'china'])
param m365Cloud string

@description('Another address than the cloud\'s own for signing in; empty is the cloud\'s.')
param loginUrl string

@description('Whether function keys open the console, too.')
param keys bool

// Those of shared/settings/clouds.py; a test holds them equal.
var loginUrls = {
  // environment() knows the cloud of the subscription; this is that of Microsoft 365.
  #disable-next-line no-hardcoded-env-urls
  global: 'https://login.microsoftonline.com'
  usgov: 'https://login.microsoftonline.us'
  dod: 'https://login.microsoftonline.us'
  china: 'https://login.chinacloudapi.cn'
}
var login = empty(loginUrl) ? loginUrls[m365Cloud] : loginUrl

// Graph and probes have no account. The host itself asks for a key below /api/keyed.
var open = ['/api/notifications', '/api/health']
// Whether a path covers what is below it is not documented: the second form is, by the product's
// team. Nothing is served at /api/keyed itself.
var openWithKeys = ['/api/keyed', '/api/keyed/*']

var off = { platform: { enabled: false } }

var on = {
  platform: { enabled: true }
  globalValidation: {
    requireAuthentication: true
    unauthenticatedClientAction: 'RedirectToLoginPage'
    redirectToProvider: 'azureactivedirectory'
    excludedPaths: concat(open, keys ? openWithKeys : [])
  }
  httpSettings: { requireHttps: true }
  identityProviders: {
    azureActiveDirectory: {
      enabled: true
      registration: {
        // Without a secret an ID token comes back by the browser's form, and no secret has to be
        // kept or renewed: the registration issues ID tokens, and nothing else needs a code.
        clientId: clientId
        openIdIssuer: '${login}/${tenantId}/v2.0'
      }
      validation: {
        allowedAudiences: [clientId, 'api://${clientId}']
      }
    }
  }
  login: {
    // The app calls nobody in the name of who signed in, so no token of theirs is kept.
    tokenStore: { enabled: false }
    // The page's routes stand behind the # of its address.
    preserveUrlFragmentsForLogins: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: empty(clientId) ? off : on
}
