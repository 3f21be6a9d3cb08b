"""Deployments of the Bicep files, evaluated with the parameters of a test."""

from typing import Any

from tests.unit.infra.bicep.bicep_deployment import Deployment, deploy
from tests.unit.infra.bicep.bicep_file import INFRA

KEY = "k" * 32
EVERYTHING: dict[str, Any] = {
    "alertEmail": "operator@example.org",
    "monthlyBudget": 50,
    "alwaysReadyInstances": 1,
    "useKeyVault": True,
    "usePrivateNetwork": True,
    "signInClientId": "00000000-0000-0000-0000-000000000001",
    "useAzureVision": True,
    "userAgent": "mine/1 (me@example.org)",
    "corsAllowedOrigins": "https://app.example.org",
    "extraSettings": {"PEXELS_API_KEY": "p", "FLICKR_API_KEY": ""},
}
"""Parameters that switch all parts on."""


def deployed(environment: str = "prod", **parameters: Any) -> Deployment:
    """Evaluates the deployment with parameters that differ from the defaults."""
    needed = {"environmentName": environment, "location": "swedencentral", "adminApiKey": KEY}
    return deploy(INFRA / "main.bicep", needed | parameters)


def settings_of(made: Deployment) -> dict[str, str]:
    """Returns the settings that a deployment gives the app."""
    [settings] = [found for found in made.of("Microsoft.Web/sites/config") if found.name == "appsettings"]
    return {name: str(value) for name, value in settings.body["properties"].items()}
