"""The settings that a deployment makes are those that the app reads and needs, and Flex Consumption accepts them."""

import json
from typing import Any

import pytest

from functions.http.endpoints.lists import MAX_LIST_BODY_BYTES
from infra.settings_documents import required_settings
from shared.health.schedules import is_schedule
from shared.jobs.spec.spec import MAX_SPEC_BYTES
from shared.settings import Settings
from shared.settings.azure_variables import AzureVariables
from shared.settings.environment import variable
from shared.telemetry.connection_string import read_authentication_string
from tests.unit.infra.bicep.bicep_file import INFRA
from tests.unit.infra.bicep.deployments import EVERYTHING, KEY, deployed, settings_of

OF_THE_PLATFORM = {
    "AZURE_CLIENT_ID",
    "AzureFunctionsJobHost__extensions__queues__maxPollingInterval",
    "AzureWebJobsDisableHomepage",
    "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
}
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
REFUSED = {
    "ENABLE_ORYX_BUILD",
    "FUNCTIONS_EXTENSION_VERSION",
    "FUNCTIONS_WORKER_PROCESS_COUNT",
    "FUNCTIONS_WORKER_RUNTIME",
    "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "FUNCTIONS_MAX_HTTP_CONCURRENCY",
    "FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED",
    "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "TZ",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
    "WEBSITE_CONTENTOVERVNET",
    "WEBSITE_CONTENTSHARE",
    "WEBSITE_DNS_SERVER",
    "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
    "WEBSITE_NODE_DEFAULT_VERSION",
    "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_SKIP_CONTENTSHARE_VALIDATION",
    "WEBSITE_TIME_ZONE",
    "WEBSITE_VNET_ROUTE_ALL",
}
READ = {
    variable(name, field)
    for name, field in Settings.model_fields.items()
    if name not in AzureVariables.model_fields
}
FIELDS = {variable(name, field): name for name, field in Settings.model_fields.items()}
GUID = "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("parameters", [{}, EVERYTHING])
def test_each_required_setting_is_set_and_each_other_one_is_read(parameters) -> None:
    found = settings_of(deployed(**parameters))
    assert required_settings() <= found.keys()
    assert found.keys() <= READ | OF_THE_PLATFORM
    assert found.keys() >= OF_THE_PLATFORM
    assert not found.keys() & REFUSED


def test_the_host_refuses_bodies_that_no_call_takes_and_none_that_one_takes() -> None:
    limit = int(settings_of(deployed())["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"])
    assert MAX_SPEC_BYTES < MAX_LIST_BODY_BYTES <= limit < 1.05 * MAX_LIST_BODY_BYTES


def test_queues_are_polled_often_where_nothing_wakes_them_and_seldom_where_functions_do() -> None:
    found = settings_of(deployed())
    assert found["AzureFunctionsJobHost__extensions__queues__maxPollingInterval"] == "00:00:01"
    assert found["WAKE_QUEUES"] == "false"
    host = json.loads((INFRA.parent / "host.json").read_text(encoding="utf-8"))
    assert host["extensions"]["queues"]["maxPollingInterval"] == "00:00:30"
    assert Settings.model_fields["wake_queues"].default is True


def test_no_setting_is_empty_because_the_worker_would_not_start() -> None:
    for parameters in ({}, EVERYTHING):
        assert all(settings_of(deployed(**parameters)).values())


def test_further_settings_are_those_of_the_app_and_only_those_with_a_value_are_set() -> None:
    parameters = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    further = parameters["extraSettings"]["value"]
    assert further.keys() <= READ
    assert {f"${{{name}=}}" for name in further} == set(further.values())
    found = settings_of(deployed(extraSettings={"PEXELS_API_KEY": "p", "FLICKR_API_KEY": ""}))
    assert found["PEXELS_API_KEY"] == "p"
    assert "FLICKR_API_KEY" not in found


def test_further_settings_change_optional_ones_and_no_required_one() -> None:
    found = settings_of(deployed(userAgent="a", extraSettings={"USER_AGENT": "b", "ADMIN_API_KEY": "c"}))
    assert found["USER_AGENT"] == "b"
    assert found["ADMIN_API_KEY"] == KEY


@pytest.mark.parametrize("parameters", [{}, EVERYTHING])
def test_the_app_accepts_the_values(monkeypatch, parameters) -> None:
    monkeypatch.delenv("AzureWebJobsStorage", raising=False)
    found = settings_of(deployed(**parameters))
    assert found.pop("APPLICATIONINSIGHTS_CONNECTION_STRING").endswith(".ConnectionString>")
    sign_in = found.pop("APPLICATIONINSIGHTS_AUTHENTICATION_STRING")
    client = found["AzureWebJobsStorage__clientId"]
    assert read_authentication_string(sign_in.replace(client, GUID)).client_id == GUID
    if parameters:
        # Azure knows the address when the resource is made
        assert found["AZURE_VISION_ENDPOINT"].endswith(".endpoint>")
        found["AZURE_VISION_ENDPOINT"] = "https://vision-x.cognitiveservices.azure.com/"
    # Azure replaces the reference to the vault by the secret
    key = found.pop("ADMIN_API_KEY")
    assert key == KEY or key.startswith("@Microsoft.KeyVault(SecretUri=")
    values: dict[str, Any] = {FIELDS[name]: value for name, value in found.items() if name in FIELDS}
    settings = Settings(**values)
    assert settings.storage_credential == "managedidentity"
    assert settings.datasets_container == "pixcrawler-datasets"
    assert settings.app_service_sign_in is bool(parameters)
    assert settings.relevance_model == ("azure-vision" if parameters else None)


def test_each_timer_has_a_schedule_that_the_host_can_read() -> None:
    found = settings_of(deployed())
    schedules = {name: value for name, value in found.items() if name.endswith("_SCHEDULE")}
    assert schedules.keys() == {name for name in READ if name.endswith("_SCHEDULE")}
    assert [value for value in schedules.values() if not is_schedule(value)] == []


def test_the_key_of_the_administrator_is_in_the_vault_if_there_is_one() -> None:
    made = deployed(useKeyVault=True)
    assert KEY not in settings_of(made).values()
    assert made.only("Microsoft.KeyVault/vaults/secrets").body["properties"] == {"value": KEY}
    identity = made.only("Microsoft.Web/sites").body["properties"]["keyVaultReferenceIdentity"]
    assert identity == made.only("Microsoft.ManagedIdentity/userAssignedIdentities").member("id")


@pytest.mark.parametrize("vault", [True, False])
def test_without_a_key_nobody_is_the_administrator(vault) -> None:
    made = deployed(adminApiKey="", useKeyVault=vault, extraSettings={"ADMIN_API_KEY": "guessed"})
    assert "ADMIN_API_KEY" not in settings_of(made)
    assert made.of("Microsoft.KeyVault/vaults") == []


def test_the_containers_that_the_settings_name_are_made() -> None:
    made = deployed().of("Microsoft.Storage/storageAccounts/blobServices/containers")
    assert {container.name for container in made} == {
        settings_of(deployed())["DATASETS_CONTAINER"],
        "app-package",
    }
