// Azure AI Vision, which measures relevance and makes embeddings, and the role with which the app calls it.
param name string
param location string
param tags object
param principalId string

var cognitiveServicesUser = 'a97b65f3-24c7-4388-baec-2e87135dc908'

resource vision 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: name
  location: location
  tags: tags
  kind: 'ComputerVision'
  sku: {
    name: 'S1'
  }
  properties: {
    // the addresses of regions accept keys only
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource onVision 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vision.id, principalId, cognitiveServicesUser)
  scope: vision
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', cognitiveServicesUser)
  }
}

output endpoint string = vision.properties.endpoint
