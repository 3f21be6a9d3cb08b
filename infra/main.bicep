// Everything that the app needs on Azure, in one resource group: `azd up` deploys it.
// docs/reference/deployment.md explains the parameters and what each part costs.
targetScope = 'subscription'

@description('The name of the azd environment. It names the resource group, and the deployment in telemetry.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('The region. It must offer Flex Consumption with Python 3.13; the preprovision hook checks it.')
@minLength(1)
param location string

// It has a default, because azd would ask for it before the hook has run.
@description('The key of the administrator, which makes the first users. The preprovision hook makes one. Without a key, nobody is the administrator.')
@secure()
param adminApiKey string = ''

@description('Who receives alerts by e-mail. Without an address, alerts are only shown in the portal.')
param alertEmail string = ''

@description('The budget of a month in the currency of the subscription. 0 means no budget. It needs an alert e-mail.')
@minValue(0)
param monthlyBudget int = 0

@description('The first day of the month in which the budget begins. The preprovision hook sets it once.')
param budgetStart string = utcNow('yyyy-MM-01')

@description('The User-Agent of the crawler. Put a contact into it. Empty means the default of the app.')
param userAgent string = ''

@description('Origins whose pages may call the API, with commas between them. Empty means none.')
param corsAllowedOrigins string = ''

@description('Further settings of the app by name, such as the keys of image services. Empty ones are left out.')
@secure()
param extraSettings object = {}

@description('The memory of an instance in MB.')
@allowed([2048, 4096])
param instanceMemoryMB int = 2048

@description('The largest number of instances at a time, of all functions together.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Instances for HTTP calls that always run. They avoid cold starts, and are billed all the time.')
@minValue(0)
@maxValue(20)
param alwaysReadyInstances int = 0

@description('How the storage account is replicated. The Archive tier needs one of these.')
@allowed(['Standard_LRS', 'Standard_GRS', 'Standard_RAGRS'])
param storageSku string = 'Standard_LRS'

@description('For how many days deleted and overwritten blobs can be restored. They are billed for these days. 0 turns it off.')
@minValue(0)
@maxValue(365)
param softDeleteDays int = 7

@description('For how many days telemetry is kept.')
@minValue(30)
@maxValue(730)
param telemetryRetentionDays int = 30

@description('The largest amount of telemetry a day in GB. What exceeds it is dropped. -1 means no limit.')
param telemetryDailyCapGb int = 1

@description('Whether the key of the administrator is in a Key Vault, instead of in the settings of the app.')
param useKeyVault bool = false

@description('Whether the app reaches its storage over private endpoints only. Then download links work inside the network only.')
param usePrivateNetwork bool = false

@description('The client id of an app registration, for App Service authentication with Microsoft Entra. Empty means none.')
param signInClientId string = ''

@description('Whether Azure AI Vision measures relevance and makes embeddings. Each picture is a call that is billed.')
param useAzureVision bool = false

@description('The region of Azure AI Vision, which must offer multimodal embeddings. Empty means the region of the app.')
param azureVisionLocation string = ''

var datasetsContainer = 'pixcrawler-datasets'
var hasVault = useKeyVault && !empty(adminApiKey)
var token = uniqueString(subscription().id, environmentName, location)
var tags = {
  'azd-env-name': environmentName
  application: 'pixcrawler'
}

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: '${environmentName}-rg'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    sku: storageSku
    datasetsContainer: datasetsContainer
    softDeleteDays: softDeleteDays
    allowPublicNetwork: !usePrivateNetwork
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    componentName: 'appi-${token}'
    location: location
    tags: tags
    retentionDays: telemetryRetentionDays
    dailyCapGb: telemetryDailyCapGb
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    principalId: identity.outputs.principalId
    storageName: storage.outputs.name
    workspaceName: monitoring.outputs.workspaceName
    componentName: monitoring.outputs.componentName
  }
}

module vault 'modules/vault.bicep' = if (hasVault) {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    principalId: identity.outputs.principalId
    adminApiKey: adminApiKey
  }
}

module vision 'modules/vision.bicep' = if (useAzureVision) {
  name: 'vision'
  scope: group
  params: {
    name: 'vision-${token}'
    location: empty(azureVisionLocation) ? location : azureVisionLocation
    tags: tags
    principalId: identity.outputs.principalId
  }
}

module network 'modules/network.bicep' = if (usePrivateNetwork) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    storageId: storage.outputs.id
    storageName: storage.outputs.name
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    packageContainer: storage.outputs.packageContainer
    componentName: monitoring.outputs.componentName
    workspaceId: monitoring.outputs.workspaceCustomerId
    environmentName: environmentName
    datasetsContainer: datasetsContainer
    adminApiKey: hasVault ? vault!.outputs.adminApiKeyReference : adminApiKey
    userAgent: userAgent
    corsAllowedOrigins: corsAllowedOrigins
    extraSettings: extraSettings
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    subnetId: usePrivateNetwork ? network!.outputs.appSubnetId : ''
    signInClientId: signInClientId
    visionEndpoint: useAzureVision ? vision!.outputs.endpoint : ''
  }
  // the host ends if it may not read a queue when it starts
  dependsOn: [roles]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    namePrefix: 'pixcrawler-${token}'
    location: location
    tags: tags
    workspaceResourceId: monitoring.outputs.workspaceResourceId
    email: alertEmail
    monthlyBudget: monthlyBudget
    budgetStart: budgetStart
  }
}

output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP_NAME string = app.outputs.name
output AZURE_STORAGE_ACCOUNT_NAME string = storage.outputs.name
output AZURE_LOG_ANALYTICS_WORKSPACE_ID string = monitoring.outputs.workspaceCustomerId
output SERVICE_API_URI string = app.outputs.uri
