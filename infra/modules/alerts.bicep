// Alerts on telemetry, and the budget. docs/how-to/deployment.md says what to do about each alert.
param namePrefix string
param location string
param tags object
param workspaceResourceId string
param email string
param monthlyBudget int
param budgetStart string

var hasEmail = !empty(email)
var rules = [
  {
    name: 'poison'
    title: 'Messages have failed for good'
    severity: 2
    window: 'PT30M'
    every: 'PT15M'
    query: loadTextContent('../alerts/poison.kql')
  }
  {
    name: 'poison-unhandled'
    title: 'Poison queues fill, because their functions fail'
    severity: 1
    window: 'PT30M'
    every: 'PT15M'
    query: loadTextContent('../alerts/poison_unhandled.kql')
  }
  {
    name: 'failed-jobs'
    title: 'Many jobs fail'
    severity: 2
    window: 'PT1H'
    every: 'PT15M'
    query: loadTextContent('../alerts/failed_jobs.kql')
  }
  {
    name: 'server-errors'
    title: 'Calls of the API fail'
    severity: 2
    window: 'PT30M'
    every: 'PT15M'
    query: loadTextContent('../alerts/server_errors.kql')
  }
  {
    name: 'silent-exporter'
    title: 'The app runs, but sends no telemetry'
    severity: 2
    window: 'P2D'
    every: 'PT1H'
    query: loadTextContent('../alerts/silent_exporter.kql')
  }
  {
    name: 'missed-timers'
    title: 'The watchdog does not run'
    severity: 1
    window: 'P2D'
    every: 'PT15M'
    query: loadTextContent('../alerts/missed_timers.kql')
  }
]

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = if (hasEmail) {
  name: '${namePrefix}-receivers'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'pixcrawler'
    emailReceivers: [
      {
        name: 'operator'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// each query returns a row for each problem, so any row is an alert
resource queryRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${namePrefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'PixCrawler: ${rule.title}'
      description: rule.title
      severity: rule.severity
      enabled: true
      scopes: [workspaceResourceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
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
      // a new workspace has no tables before the first telemetry arrives
      skipQueryValidation: true
      autoMitigate: true
      actions: {
        actionGroups: hasEmail ? [receivers.id] : []
      }
    }
  }
]

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = if (hasEmail && monthlyBudget > 0) {
  name: '${namePrefix}-budget'
  properties: {
    category: 'Cost'
    amount: monthlyBudget
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: budgetStart
    }
    notifications: {
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: [email]
      }
      actual: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: [email]
      }
    }
  }
}
