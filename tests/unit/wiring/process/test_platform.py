"""The place where the process runs is read from the variables that Azure sets."""

import pytest

from shared.settings import Settings
from shared.wiring.process.platform import platform_facts, service_of, versions

FLEX = {
    "WEBSITE_SITE_NAME": "pix",
    "CONTAINER_NAME": "c-1",
    "WEBSITE_POD_NAME": "pod-1",
    "WEBSITE_SKU": "FlexConsumption",
}
PREMIUM = {"WEBSITE_SITE_NAME": "pix", "WEBSITE_INSTANCE_ID": "i-1", "FUNCTIONS_EXTENSION_VERSION": "~4"}


@pytest.fixture(autouse=True)
def nowhere(monkeypatch):
    for name in ("WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID", "CONTAINER_NAME", "WEBSITE_POD_NAME", "WEBSITE_SKU",
                 "REGION_NAME", "FUNCTIONS_EXTENSION_VERSION"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("variables", "service"),
    [
        (FLEX, "Azure Functions"),
        (PREMIUM, "Azure Functions"),
        ({"WEBSITE_SITE_NAME": "pix", "CONTAINER_NAME": "c-1", "WEBSITE_SKU": "Dynamic"}, "Azure Functions"),
        ({"WEBSITE_SITE_NAME": "pix", "WEBSITE_INSTANCE_ID": "i-1"}, "Azure App Service"),
        ({}, "local"),
        ({"CONTAINER_NAME": "of-another-system"}, "local"),
        ({"FUNCTIONS_EXTENSION_VERSION": "~4"}, "local"),
    ],
)
def test_the_service_is_recognised(monkeypatch, variables, service):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert service_of(Settings()) == service


def test_the_facts_that_azure_sets_about_the_platform_are_reported(monkeypatch):
    for name, value in {**FLEX, "REGION_NAME": "swedencentral"}.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert platform_facts(settings) == {
        "service": "Azure Functions",
        "app": settings.website_site_name,
        "plan": "FlexConsumption",
        "region": "swedencentral",
        "instance": settings.instance,
        "host_version": None,
    }


def test_the_versions_are_those_that_are_installed():
    assert versions()["python"].startswith("3.13")
    assert "unknown" not in versions().values()
