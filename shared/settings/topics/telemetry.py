from typing import Annotated, Literal

from pydantic import Field, WrapValidator

from shared.settings.topics.topic import REQUIRED, Topic
from shared.settings.value_types import AuthenticationString, ConnectionString, in_any_case

TELEMETRY = frozenset(
    {
        "applicationinsights_authentication_string",
        "applicationinsights_connection_string",
        "azure_monitor_sampling_rate",
        "log_level",
        "telemetry_client_addresses",
        "telemetry_excluded_operations",
    }
)
"""The fields whose wrong values do not stop the app: their defaults apply."""


class TelemetrySettings(Topic):
    """Telemetry."""

    applicationinsights_connection_string: ConnectionString | None = Field(
        None, examples=[""], json_schema_extra=REQUIRED
    )
    """The Application Insights resource that receives telemetry. Without it, no telemetry is sent."""
    applicationinsights_authentication_string: AuthenticationString | None = Field(
        None, json_schema_extra=REQUIRED
    )
    """`Authorization=AAD` or `ClientId=<id>;Authorization=AAD`. With it, telemetry is sent with the app's identity,
    which needs the role Monitoring Metrics Publisher."""
    azure_monitor_sampling_rate: Annotated[float, Field(ge=0, le=1)] = 0.1
    """The share of operations whose events and dependencies are sent. Exceptions and metrics are always sent."""
    telemetry_excluded_operations: Annotated[str, Field(pattern=r"^[\w\s,]*$")] = (
        "health_live,health_ready,health_full,list_jobs,get_job,list_datasets,get_dataset,zz_unmatched"
    )
    """Functions whose runs send no `operation_completed`, with commas between them; `none` for none. The app
    warns of names of no function when it starts. The default holds those that programs call again and again. What
    fails is reported all the same."""
    telemetry_client_addresses: Annotated[Literal["masked", "full"], WrapValidator(in_any_case)] = "masked"
    """`full` sends the addresses of clients whole. Otherwise their last byte (IPv4), or all but the first six (IPv6),
    are zero."""
    environment: str = Field("development", json_schema_extra=REQUIRED)
    """The name of the deployment in every item of telemetry, such as development, staging or production."""
    website_cloud_rolename: str | None = None
    """The app's role in telemetry, for the Functions host's items, too; else the name of the app on Azure."""
    log_analytics_workspace_id: str | None = Field(None, examples=[""], json_schema_extra=REQUIRED)
    """The id (a GUID) of the Log Analytics workspace that [insights](insights.md) read. Application Insights stores its
    data there."""
    applicationinsights_resource_id: str | None = Field(None, examples=[""])
    """The resource id of Application Insights, which insights read instead of the workspace, if several apps share
    that."""
    log_analytics_endpoint: str = "https://api.loganalytics.io"
    """The base URL of the service for log queries. Sovereign clouds have another one."""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], WrapValidator(in_any_case)] = "INFO"
    """The lowest level that the app logs, in capital or small letters. Libraries log warnings and errors. The host
    drops lines below the level in `host.json`, which is `Information`."""

    @property
    def excluded_operations(self) -> frozenset[str]:
        """The functions whose runs are not reported one by one."""
        names = {name.strip() for name in self.telemetry_excluded_operations.split(",")}
        return frozenset(names - {"", "none"})
