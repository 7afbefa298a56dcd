// People sign in to the console by App Service authentication, which protects the whole app
// (functions.md section "Sign-in: what infra and grant set"). Off is set explicitly, too: a deployment
// does not change what its template omits, so there would be no way back to keys.

@description('Name of the function app.')
param appName string

@description('Client id of the app registration that `manage.py grant --console` creates; empty for off.')
param clientId string

@description('The only tenant whose users may sign in.')
param tenantId string

@description('The cloud of that tenant.')
@allowed(['global', 'usgov', 'dod', 'china'])
param m365Cloud string

@description('Sign-in address; empty for the cloud\'s own.')
param loginUrl string

@description('Whether the console also accepts function keys.')
param keys bool

// The same as in shared/settings/clouds.py, as a test checks.
var loginUrls = {
  // environment() returns the cloud of the subscription; this is the one of Microsoft 365.
  #disable-next-line no-hardcoded-env-urls
  global: 'https://login.microsoftonline.com'
  usgov: 'https://login.microsoftonline.us'
  dod: 'https://login.microsoftonline.us'
  china: 'https://login.chinacloudapi.cn'
}
var login = empty(loginUrl) ? loginUrls[m365Cloud] : loginUrl

// Graph and probes have no account. Below /api/keyed the host itself asks for a key.
var open = ['/api/notifications', '/api/health']
// Whether a path covers the paths below it is not documented; the second form comes from the product
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
        // Without a secret, the browser posts an ID token, and no secret must be stored or renewed.
        // The registration issues ID tokens, and nothing else needs a code.
        clientId: clientId
        openIdIssuer: '${login}/${tenantId}/v2.0'
      }
      validation: {
        allowedAudiences: [clientId, 'api://${clientId}']
      }
    }
  }
  login: {
    // The app makes no calls on behalf of the signed-in user, so it stores no user tokens.
    tokenStore: { enabled: false }
    // The page's routes are in the fragment of its URL.
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
