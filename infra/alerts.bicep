// Alert rules and the workbook. Every query is a separate file, which the tests run against what the
// app really logs.

import { Tags } from 'types.bicep'

@description('Prefix of the names of the rules and of their action group.')
param prefix string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

@description('Resource id of the Log Analytics workspace that holds the telemetry.')
param logAnalyticsWorkspaceId string

@description('Whether other apps send telemetry to that workspace, too; if so, queries read only what came through our Application Insights.')
param sharesWorkspace bool

@description('Name of the Application Insights resource that shows the workbook.')
param insightsName string

@description('Mail address for alerts; if empty, alerts appear only in the portal.')
param alertEmail string

@description('Minutes between two sweeps; at most a day, because alerts look back at most two days.')
@minValue(1)
@maxValue(1440)
param sweepPeriodMinutes int

// Twice the period, rounded up to a window size that rules accept.
var twoShortSweeps = sweepPeriodMinutes > 180 ? 'P1D' : (sweepPeriodMinutes > 60 ? 'PT6H' : 'PT2H')
var twoSweeps = sweepPeriodMinutes > 720 ? 'P2D' : twoShortSweeps
var period = 'SweepPeriod = ${sweepPeriodMinutes}m;'

// In a shared workspace, filter by component. KQL accepts a query in parentheses as a table.
var ours = '| where _ResourceId =~ \'${insights.id}\''
var traces = sharesWorkspace ? '(AppTraces ${ours})' : 'AppTraces'
var metrics = sharesWorkspace ? '(AppMetrics ${ours})' : 'AppMetrics'
var requests = sharesWorkspace ? '(AppRequests ${ours})' : 'AppRequests'

var rules = [
  {
    name: 'failed-photos'
    title: 'PhotoSync: many photos failed'
    description: 'The photos of at least ten users could not be copied, or of at least three who are 5 % of all users; the console lists single failures. Open the workbook PhotoSync or run "python manage.py failures" to see each user, the reason and what to do. After fixing the cause, run "python manage.py replay --failed --wait" to process them again.'
    severity: 2
    query: loadTextContent('queries/failed-photos.kql')
    window: twoSweeps
    frequency: 'PT15M'
  }
  {
    name: 'parked-messages'
    title: 'PhotoSync: messages in a poison queue'
    description: 'Five runs for one message ended with an error, so the host moved the message to a poison queue. This is a bug: search the log for "crashed", which names the place in the code, and report it. "python manage.py replay --failed" tries again; sweeps and renewals are scheduled again anyway.'
    severity: 1
    query: loadTextContent('queries/parked-messages.kql')
    window: twoSweeps
    frequency: 'PT15M'
  }
  {
    name: 'subscription-expiring'
    title: 'PhotoSync: subscription expires within two days'
    description: 'Graph will stop sending notifications, or the subscription has not been checked for two days. Sweeps still find every change, but later. Run "python manage.py doctor" to find the cause: consent, WEBHOOK_URL, or the app does not run. Then run "python manage.py renew". On the day of the first deployment this alert resolves itself.'
    severity: 1
    query: loadTextContent('queries/subscription-expiring.kql')
    window: 'P2D'
    frequency: 'PT1H'
  }
  {
    name: 'no-sweep'
    title: 'PhotoSync: no sweep has finished'
    description: 'No sweep has finished for twice its period, so changes without a notification are not found. "python manage.py status" says whether a sweep is running or why the last one failed; "python manage.py doctor" says what is wrong with settings and rights. On the day of the first deployment this alert resolves itself after the first sweep.'
    severity: 1
    query: replace(loadTextContent('queries/no-sweep.kql'), 'SweepPeriod = 60m;', period)
    window: twoSweeps
    frequency: 'PT15M'
  }
  {
    name: 'brake'
    title: 'PhotoSync: removals or repairs are held back'
    description: 'Too many pictures would change at once. (1) So many photos are gone from Exchange, or so many users have left, that it looks like an outage. "python manage.py users --gone" and "python manage.py users --status left" list them. If they are right, run "python manage.py sweep --release-removals", which says how many there are and asks; if not, wait for the next sweep. (2) So many pictures differ in SharePoint that something else probably writes them, such as an import or a migration. "python manage.py users --differs" lists these users. When that has stopped, run "python manage.py check --release-repairs".'
    severity: 1
    query: replace(loadTextContent('queries/brake.kql'), 'SweepPeriod = 60m;', period)
    window: twoSweeps
    frequency: 'PT15M'
  }
  {
    name: 'slow-webhook'
    title: 'PhotoSync: the webhook is slow'
    description: 'At least 5 % of the notifications took more than two seconds to answer. Graph slows down at three seconds and drops notifications at ten; the next sweep makes up for them. Check whether instances start all the time (more always-ready http instances or more memory help) and whether the storage account is throttled.'
    severity: 2
    query: loadTextContent('queries/slow-webhook.kql')
    window: 'PT30M'
    frequency: 'PT5M'
  }
]

var alertQueries = [for rule in rules: replace(replace(rule.query, 'AppTraces', traces), 'AppRequests', requests)]

// Keyed by the names of the workbook's items.
var queries = {
  failures: loadTextContent('queries/failures.kql')
  'parked-messages': loadTextContent('queries/parked-messages.kql')
  'change-duration': loadTextContent('queries/change-duration.kql')
  audits: loadTextContent('queries/audits.kql')
  orders: loadTextContent('queries/orders.kql')
  outcomes: loadTextContent('queries/outcomes.kql')
  problems: loadTextContent('queries/problems.kql')
  queues: loadTextContent('queries/queues.kql')
  subscription: loadTextContent('queries/subscription.kql')
  'sweep-progress': loadTextContent('queries/sweep-progress.kql')
  sweeps: loadTextContent('queries/sweeps.kql')
  waits: loadTextContent('queries/waits.kql')
  webhook: loadTextContent('queries/webhook.kql')
}
var workbook = loadJsonContent('workbook.json')
var asked = { crossComponentResources: [logAnalyticsWorkspaceId] }
var items = [
  for item in workbook.items: union(item, {
    content: union(item.content, contains(queries, item.name) ? union(asked, { query: queries[item.name] }) : {})
  })
]

var drawn = string(union(workbook, { items: items, fallbackResourceIds: [insights.id] }))
var tracesDrawn = replace(drawn, 'AppTraces', traces)

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: prefix
  // Action groups have no region.
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'PhotoSync'
    emailReceivers: [
      {
        name: 'admin'
        emailAddress: alertEmail
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for (rule, i) in rules: {
    name: '${prefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: rule.title
      description: rule.description
      severity: rule.severity
      enabled: true
      autoMitigate: true
      scopes: [logAnalyticsWorkspaceId]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      // A new workspace may not have the tables yet; our tests check the queries.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alertQueries[i]
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: { actionGroups: empty(alertEmail) ? [] : [people.id] }
    }
  }
]

resource pictures 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(insights.id, 'photosync')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'PhotoSync'
    description: 'Photos by outcome, latency, waits, sweeps, audits, orders, failures, webhook, queues and subscription.'
    category: 'workbook'
    sourceId: insights.id
    serializedData: replace(replace(tracesDrawn, 'AppMetrics', metrics), 'AppRequests', requests)
  }
}
