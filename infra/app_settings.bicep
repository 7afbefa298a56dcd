import { Settings } from 'types.bicep'

@description('Name of the function app.')
param appName string

@description('All settings except the two that infra/hooks/connect.py writes.')
param settings Settings

@description('The app\'s current settings. A write replaces all settings; without these two, every notification would be lost until the hook has run.')
param present Settings

var webhook = contains(present, 'WEBHOOK_URL') ? { WEBHOOK_URL: present.WEBHOOK_URL } : {}
var clientState = contains(present, 'CLIENT_STATE') ? { CLIENT_STATE: present.CLIENT_STATE } : {}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, webhook, clientState)
}
