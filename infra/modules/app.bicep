// The function app on Flex Consumption, and its settings. docs/reference/settings.md explains each setting.
param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string
param storageName string
param packageContainer string
param componentName string
param workspaceId string
param environmentName string
param datasetsContainer string
@secure()
param adminApiKey string
param userAgent string
param corsAllowedOrigins string
@secure()
param extraSettings object
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyInstances int
param subnetId string
param signInClientId string
param visionEndpoint string

var signsIn = !empty(signInClientId)
var requiredSettings = {
  // the host and the app read these: access to storage by the identity
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: account.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: account.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: account.properties.primaryEndpoints.table
  AZURE_CLIENT_ID: identityClientId
  // the host and the app read these, too: telemetry by the identity
  APPLICATIONINSIGHTS_CONNECTION_STRING: component.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // without it, the host shows its own page at `/`
  AzureWebJobsDisableHomepage: 'true'
  // the host reads bodies before the app can refuse them, and takes 100 MB by default: 16 at once would fill the memory
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '20971520'
  // Each function has instances of its own here, and no instance waits while there is no work. So polls are cheap, and
  // a wake-up cannot reach the listener of another function. host.json is right where all functions share a host.
  AzureFunctionsJobHost__extensions__queues__maxPollingInterval: '00:00:01'
  WAKE_QUEUES: 'false'
  // the schedules of the timers, in UTC
  LIFECYCLE_SCHEDULE: '0 0 2 * * *'
  BUSINESS_METRICS_SCHEDULE: '0 */10 1-4 * * *'
  WATCHDOG_SCHEDULE: '0 */10 * * * *'
  ENVIRONMENT: environmentName
  LOG_ANALYTICS_WORKSPACE_ID: workspaceId
  DATASETS_CONTAINER: datasetsContainer
}
var optionalSettings = union(
  {
    USER_AGENT: userAgent
    CORS_ALLOWED_ORIGINS: corsAllowedOrigins
    APP_SERVICE_SIGN_IN: signsIn ? 'true' : ''
    AZURE_VISION_ENDPOINT: visionEndpoint
    RELEVANCE_MODEL: empty(visionEndpoint) ? '' : 'azure-vision'
  },
  extraSettings,
  {
    ADMIN_API_KEY: adminApiKey
  }
)
// the worker does not start if a setting is empty
var filledSettings = toObject(
  filter(items(optionalSettings), setting => !empty(setting.value)),
  setting => setting.key,
  setting => string(setting.value)
)

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageName
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
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
  }
}

resource site 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${account.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyInstances }] : []
        triggers: {
          http: {
            // calls are short and asynchronous, so one process can serve many at the same time
            perInstanceConcurrency: 16
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
    }
  }

  resource settings 'config' = {
    name: 'appsettings'
    properties: union(filledSettings, requiredSettings)
  }

  // nobody deploys by password
  resource ftpPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
  }

  resource scmPasswords 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }

  // Callers without a sign-in are let through, because they may have an API key. The app decides.
  resource signIn 'config' = if (signsIn) {
    name: 'authsettingsV2'
    properties: {
      platform: {
        enabled: true
      }
      globalValidation: {
        requireAuthentication: false
        unauthenticatedClientAction: 'AllowAnonymous'
      }
      httpSettings: {
        requireHttps: true
      }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: signInClientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'
          }
          validation: {
            allowedAudiences: [signInClientId, 'api://${signInClientId}']
          }
        }
      }
      login: {
        tokenStore: {
          enabled: false
        }
      }
    }
  }
}

output name string = site.name
output uri string = 'https://${site.properties.defaultHostName}'
