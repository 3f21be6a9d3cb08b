"""The variables that Azure sets: where the process runs, and its names in telemetry. Only the settings use them."""

import socket

from shared.settings.topics.topic import Topic


class AzureVariables(Topic):
    """The part of the settings that Azure sets. The variable of a field has the field's name in upper case."""

    website_auth_enabled: bool = False
    """Azure sets it if App Service authentication is switched on. Then callers cannot forge its headers."""
    website_site_name: str | None = None
    """Azure sets it to the app's name, which is the role in telemetry."""
    website_slot_name: str | None = None
    """Azure sets it to the deployment slot, on plans that have slots."""
    website_instance_id: str | None = None
    """Azure sets it to the instance's name on Windows and on dedicated plans."""
    website_pod_name: str | None = None
    """Azure sets it to the instance's name on Flex Consumption."""
    website_sku: str | None = None
    """Azure sets it to the plan, such as FlexConsumption."""
    region_name: str | None = None
    """Azure sets it to the region."""
    functions_extension_version: str | None = None
    """The version of the Functions host. It is set on Azure, but not on Flex Consumption."""
    container_name: str | None = None
    """Azure sets it to the instance's name on Flex and Linux Consumption. Other systems set it, too."""

    @property
    def running_in_azure(self) -> bool:
        """Whether this process runs on Azure."""
        return any(self._instances)

    @property
    def site(self) -> str:
        """The app's name as the host gives it to its own items of telemetry on Azure."""
        slot = (self.website_slot_name or "production").lower()
        return (self.website_site_name or "pixcrawler").lower() + ("" if slot == "production" else f"-{slot}")

    @property
    def instance(self) -> str:
        """The instance's name in telemetry: the one that Azure gives it, or else the host name."""
        return next(filter(None, self._instances), None) or socket.gethostname()

    @property
    def _instances(self) -> tuple[str | None, ...]:
        """The names that Azure gives the instance. `container_name` counts only on Azure."""
        container = self.container_name if self.website_site_name else None
        return self.website_instance_id, container, self.website_pod_name
