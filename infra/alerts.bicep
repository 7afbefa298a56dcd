// What to be told of, and the pictures to look at. All queries are files of their own, which the
// tests run against what the app really logs.

import { Tags } from 'types.bicep'

@description('What the names of the rules and of their action group begin with.')
param prefix string

@description('Region.')
param location string

@description('Tags.')
param tags Tags

@description('Resource id of the Log Analytics workspace that holds the telemetry.')
param logAnalyticsWorkspaceId string

@description('Whether others send telemetry to that workspace, too: then only what came through our Application Insights counts.')
param sharesWorkspace bool

@description('Name of Application Insights, in which the workbook is found.')
param insightsName string

@description('Address that alerts are sent to; empty leaves the alerts in the portal only.')
param alertEmail string

@description('Minutes between two sweeps. Alerts look back no further than two days, so a day is the most.')
@minValue(1)
@maxValue(1440)
param sweepPeriodMinutes int

// Twice the period, rounded up to what a rule can look back.
var twoShortSweeps = sweepPeriodMinutes > 180 ? 'P1D' : (sweepPeriodMinutes > 60 ? 'PT6H' : 'PT2H')
var twoSweeps = sweepPeriodMinutes > 720 ? 'P2D' : twoShortSweeps
var period = 'SweepPeriod = ${sweepPeriodMinutes}m;'

// In a shared workspace, by which component a line came. KQL takes a query in brackets for a table.
var ours = '| where _ResourceId =~ \'${insights.id}\''
var traces = sharesWorkspace ? '(AppTraces ${ours})' : 'AppTraces'
var metrics = sharesWorkspace ? '(AppMetrics ${ours})' : 'AppMetrics'
var requests = sharesWorkspace ? '(AppRequests ${ours})' : 'AppRequests'

var rules = [
  {
    name: 'failed-photos'
    title: 'PhotoSync: many photos failed'
    description: 'Photos of ten users could not be copied, or of three who are a twentieth of all; single ones are lines in the console. Open the workbook PhotoSync or run "python manage.py failures": each user is there with the reason and what to do. When the cause is mended, "python manage.py replay --failed --wait" looks at all of them again.'
    severity: 2
    query: loadTextContent('queries/failed-photos.kql')
    window: twoSweeps
    frequency: 'PT15M'
  }
  {
    name: 'parked-messages'
    title: 'PhotoSync: messages given up'
    description: 'The app stopped five times while it worked on a message, so the host gave the message up. This is a defect: search the log for crashed, which names the place in the code, and report it. "python manage.py replay --failed" tries again; sweeps and renewals order themselves again.'
    severity: 1
    query: loadTextContent('queries/parked-messages.kql')
    window: twoSweeps
    frequency: 'PT15M'
  }
  {
    name: 'subscription-expiring'
    title: 'PhotoSync: subscription ends within two days'
    description: 'Graph will stop sending notifications, or nothing has looked after the subscription for two days; the sweep still finds every change, later. "python manage.py doctor" says what is in the way: consent, WEBHOOK_URL, or the app does not run. Then type renew into the queue photo-upkeep. On the day of the first deployment this alert ends by itself.'
    severity: 1
    query: loadTextContent('queries/subscription-expiring.kql')
    window: 'P2D'
    frequency: 'PT1H'
  }
  {
    name: 'no-sweep'
    title: 'PhotoSync: no sweep has finished'
    description: 'No sweep has finished for twice its period, so changes that no notification told are not found. "python manage.py status" says whether one is running or why the last one failed, "python manage.py doctor" what is wrong with settings and rights. On the day of the first deployment this alert ends by itself, with the first sweep.'
    severity: 1
    query: replace(loadTextContent('queries/no-sweep.kql'), 'SweepPeriod = 60m;', period)
    window: twoSweeps
    frequency: 'PT15M'
  }
  {
    name: 'brake'
    title: 'PhotoSync: removals or repairs are held back'
    description: 'Too many pictures would change at once. Either so many photos were gone from Exchange, or so many users had left, that it looks like an outage: "python manage.py users --gone" and "python manage.py users --status left" name them; if that is right, "python manage.py sweep --release-removals" says how many that are, asks, and lets the removals go ahead; if not, wait for the next sweep. Or so many pictures differ in SharePoint that something else writes them, such as an import or a migration: "python manage.py users --differs" names these users; once that has ended, "python manage.py check --release-repairs" does the same with the repairs.'
    severity: 1
    query: replace(loadTextContent('queries/brake.kql'), 'SweepPeriod = 60m;', period)
    window: twoSweeps
    frequency: 'PT15M'
  }
  {
    name: 'slow-webhook'
    title: 'PhotoSync: the webhook is slow'
    description: 'One in twenty notifications took more than two seconds to be answered. Graph slows down at three and drops notifications at ten; the sweep makes up for them. Look whether instances are starting all the time (more always-ready http instances help, or more memory) and whether the storage account is throttled.'
    severity: 2
    query: loadTextContent('queries/slow-webhook.kql')
    window: 'PT30M'
    frequency: 'PT5M'
  }
]

var alertQueries = [for rule in rules: replace(replace(rule.query, 'AppTraces', traces), 'AppRequests', requests)]

// By the names of the workbook's items.
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
  // Action groups are not in a region.
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
      // A new workspace may not know the tables yet; the tests have checked the queries.
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
    description: 'Photos by outcome, how long a change takes, waits, sweeps, audits, orders, failures, webhook, queues and subscription.'
    category: 'workbook'
    sourceId: insights.id
    serializedData: replace(replace(tracesDrawn, 'AppMetrics', metrics), 'AppRequests', requests)
  }
}
