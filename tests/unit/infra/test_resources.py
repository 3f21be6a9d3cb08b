"""The resources have names that Azure accepts, and are locked down as the documents promise."""

import re
from typing import Any

import pytest

from shared.jobs.job.messages import ARCHIVES_QUEUE, JOBS_QUEUE
from shared.settings import Settings
from tests.unit.infra.bicep.deployments import EVERYTHING, deployed

# the names that azd allows: 1 to 64 of these characters
ENVIRONMENTS = ["a", "PROD", "0", "my-env_1", "(x).", ".", "a" * 64, "-" * 64, "().-_Z9" * 9 + "x"]
# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
RULES = {
    "Microsoft.Authorization/roleAssignments": r"[0-9a-f-]{32,36}",
    "Microsoft.CognitiveServices/accounts": r"[A-Za-z0-9][A-Za-z0-9-]{0,62}[A-Za-z0-9]",
    "Microsoft.Consumption/budgets": r"[A-Za-z0-9_-]{1,63}",
    "Microsoft.Insights/actionGroups": r"[^:<>+/&%\\?|]{0,259}[^:<>+/&%\\?|. ]",
    "Microsoft.Insights/components": r"[\w().-]{0,259}[\w()-]",
    "Microsoft.Insights/scheduledQueryRules": r"[^*#&+:<>?@%{}\\/]{0,259}[^*#&+:<>?@%{}\\/. ]",
    "Microsoft.Insights/workbooks": r"[0-9a-f-]{32,36}",
    "Microsoft.KeyVault/vaults": r"(?!.*--)[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]",
    "Microsoft.KeyVault/vaults/secrets": r"[A-Za-z0-9-]{1,127}",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[A-Za-z0-9][\w-]{2,127}",
    "Microsoft.Network/natGateways": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/privateDnsZones": r"privatelink\.(blob|queue|table)\.core\.windows\.net",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/privateEndpoints": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": r"default",
    "Microsoft.Network/publicIPAddresses": r"[A-Za-z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/virtualNetworks": r"[A-Za-z0-9][\w.-]{0,62}\w",
    "Microsoft.OperationalInsights/workspaces": r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]",
    "Microsoft.Resources/resourceGroups": r"[\w().-]{0,89}[\w()-]",
    "Microsoft.Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Microsoft.Storage/storageAccounts/blobServices": r"default",
    "Microsoft.Storage/storageAccounts/blobServices/containers": r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Storage/storageAccounts/managementPolicies": r"default",
    "Microsoft.Storage/storageAccounts/queueServices": r"default",
    "Microsoft.Storage/storageAccounts/queueServices/queues": r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Web/serverfarms": r"[A-Za-z0-9-]{1,60}",
    # the host tells apps apart by the first 32 characters
    "Microsoft.Web/sites": r"[A-Za-z0-9][A-Za-z0-9-]{0,30}[A-Za-z0-9]",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": r"ftp|scm",
    "Microsoft.Web/sites/config": r"appsettings|authsettingsV2",
}


def properties(kind: str, **parameters: Any) -> dict[str, Any]:
    """Returns the properties of the one resource of a type."""
    return dict(deployed(**parameters).only(kind).body["properties"])


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=range(len(ENVIRONMENTS)))
def test_every_name_is_one_that_azure_accepts(environment) -> None:
    assert re.fullmatch(r"[A-Za-z0-9\-()_.]{1,64}", environment)
    made = [one for one in deployed(environment, **EVERYTHING).resources if not one.existing]
    assert {one.type for one in made} == RULES.keys()
    assert [one.name for one in made if re.fullmatch(RULES[one.type], one.name) is None] == []


def test_no_two_resources_have_one_name() -> None:
    made = [(one.type, one.name) for one in deployed(**EVERYTHING).resources if not one.existing]
    # the zone groups are parts of the three endpoints
    once = [one for one in made if not one[0].endswith("privateDnsZoneGroups")]
    assert len(set(once)) == len(once)


def test_environments_have_resources_of_their_own() -> None:
    names = [deployed(name).only("Microsoft.Storage/storageAccounts").name for name in ENVIRONMENTS]
    assert len(set(names)) == len(names)


def test_all_that_can_have_tags_has_that_of_the_environment() -> None:
    for made in deployed("prod", **EVERYTHING).resources:
        if "tags" in made.body:
            assert made.body["tags"]["azd-env-name"] == "prod"
    site = deployed().only("Microsoft.Web/sites")
    assert site.body["tags"]["azd-service-name"] == "api"


def test_the_storage_account_has_no_keys_and_nothing_public() -> None:
    account = properties("Microsoft.Storage/storageAccounts")
    assert account["allowSharedKeyAccess"] is False
    assert account["allowedCopyScope"] == "AAD"
    assert account["allowBlobPublicAccess"] is False
    assert account["allowCrossTenantReplication"] is False
    assert account["supportsHttpsTrafficOnly"] is True
    assert account["minimumTlsVersion"] == "TLS1_2"
    containers = deployed().of("Microsoft.Storage/storageAccounts/blobServices/containers")
    assert {made.body["properties"]["publicAccess"] for made in containers} == {"None"}


@pytest.mark.parametrize("days", [0, 7])
def test_deleted_blobs_and_containers_can_be_restored_for_some_days(days) -> None:
    service = properties("Microsoft.Storage/storageAccounts/blobServices", softDeleteDays=days)
    wanted = {"enabled": True, "days": days} if days else {"enabled": False}
    assert service["deleteRetentionPolicy"] == service["containerDeleteRetentionPolicy"] == wanted


def test_the_rule_of_the_account_deletes_working_blobs_only_and_later_than_the_app() -> None:
    [rule] = properties("Microsoft.Storage/storageAccounts/managementPolicies")["policy"]["rules"]
    assert rule["definition"]["filters"] == {
        "blobTypes": ["blockBlob"],
        "prefixMatch": ["pixcrawler-datasets/work/"],
    }
    [(action, when)] = rule["definition"]["actions"]["baseBlob"].items()
    assert action == "delete"
    assert when["daysAfterModificationGreaterThan"] > 10 * Settings().work_retention_days


def test_the_queues_of_producers_are_there_before_the_app_has_run() -> None:
    made = deployed().of("Microsoft.Storage/storageAccounts/queueServices/queues")
    assert {queue.name for queue in made} == {JOBS_QUEUE, ARCHIVES_QUEUE}


def test_the_app_runs_on_flex_consumption_as_the_code_needs_it() -> None:
    site = properties("Microsoft.Web/sites")
    assert deployed().only("Microsoft.Web/serverfarms").body["sku"] == {
        "name": "FC1",
        "tier": "FlexConsumption",
    }
    assert site["httpsOnly"] is True
    assert site["siteConfig"] == {"minTlsVersion": "1.2", "ftpsState": "Disabled", "http20Enabled": True}
    config = site["functionAppConfig"]
    assert config["runtime"] == {"name": "python", "version": "3.13"}
    account = deployed().only("Microsoft.Storage/storageAccounts").name
    container = config["deployment"]["storage"]["value"]
    assert container == f"https://{account}.blob.core.windows.net/app-package"
    assert config["deployment"]["storage"]["authentication"]["type"] == "UserAssignedIdentity"
    policies = deployed().of("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
    assert [policy.body["properties"] for policy in policies] == [{"allow": False}] * 2


def test_telemetry_is_taken_from_identities_only() -> None:
    component = properties("Microsoft.Insights/components")
    assert component["DisableLocalAuth"] is True
    assert component["WorkspaceResourceId"].startswith("<Microsoft.OperationalInsights/workspaces>/")


def test_in_a_private_network_the_storage_account_is_reached_over_its_endpoints_only() -> None:
    made = deployed(usePrivateNetwork=True)
    account = made.only("Microsoft.Storage/storageAccounts").body["properties"]
    assert (account["publicNetworkAccess"], account["networkAcls"]["defaultAction"]) == ("Disabled", "Deny")
    endpoints = made.of("Microsoft.Network/privateEndpoints")
    groups = [one.body["properties"]["privateLinkServiceConnections"][0] for one in endpoints]
    assert [group["properties"]["groupIds"] for group in groups] == [["blob"], ["queue"], ["table"]]
    [app, _] = made.only("Microsoft.Network/virtualNetworks").body["properties"]["subnets"]
    assert app["properties"]["delegations"][0]["properties"]["serviceName"] == "Microsoft.App/environments"
    # without a way out, the crawler reaches nothing
    assert app["properties"]["natGateway"]["id"]
    site = made.only("Microsoft.Web/sites").body["properties"]
    assert site["virtualNetworkSubnetId"] == "<Microsoft.Network/virtualNetworks/subnets>/app"
    assert properties("Microsoft.Web/sites")["virtualNetworkSubnetId"] is None


def test_signing_in_lets_callers_with_keys_through() -> None:
    kinds = "Microsoft.Web/sites/config"
    assert [made.name for made in deployed().of(kinds)] == ["appsettings"]
    [_, config] = deployed(signInClientId="id").of(kinds)
    found = config.body["properties"]
    assert found["globalValidation"]["unauthenticatedClientAction"] == "AllowAnonymous"
    assert found["identityProviders"]["azureActiveDirectory"]["validation"]["allowedAudiences"] == [
        "id",
        "api://id",
    ]


def test_azure_ai_vision_has_no_keys_and_an_address_of_its_own() -> None:
    kind = "Microsoft.CognitiveServices/accounts"
    found = properties(kind, useAzureVision=True)
    assert found["disableLocalAuth"] is True
    account = deployed(useAzureVision=True, azureVisionLocation="westeurope").only(kind)
    assert found["customSubDomainName"] == account.name
    assert account.body["location"] == "westeurope"
    assert not deployed().of("Microsoft.CognitiveServices/accounts")
