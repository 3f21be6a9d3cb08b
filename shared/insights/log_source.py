"""Defines where the telemetry is stored that reports query."""

import re
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import NotConfigured

_WORKSPACE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RESOURCE_ID = re.compile(
    r"/subscriptions/[\w.()-]+/resourcegroups/[\w.()-]+/providers/microsoft\.insights/components/[\w.()-]+",
    re.ASCII | re.IGNORECASE,
)
_ENDPOINT = re.compile(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?/?")

_UNKNOWN = (
    "The app does not know where its telemetry is. Set LOG_ANALYTICS_WORKSPACE_ID, the id of the workspace that "
    "Application Insights sends it to, or APPLICATIONINSIGHTS_RESOURCE_ID."
)


class Scope(StrEnum):
    """What a query runs on. The names of tables and columns depend on it."""

    WORKSPACE = "workspace"
    RESOURCE = "resource"


@dataclass(frozen=True, slots=True)
class LogSource:
    """A Log Analytics workspace, which may also hold telemetry of other apps, or one Application Insights resource.

    `setting` is the name of the setting that holds its `id`.
    """

    scope: Scope
    id: str
    setting: str
    endpoint: str


def log_source(workspace_id: str | None, resource_id: str | None, endpoint: str) -> LogSource:
    """Returns the source that the settings name. If both ids are given, it is the resource.

    Raises:
        NotConfigured: no id is given, or a setting is not valid. The text names the setting and its rule.
    """
    if _ENDPOINT.fullmatch(endpoint) is None:
        raise NotConfigured("LOG_ANALYTICS_ENDPOINT must be https:// and a host.")
    if resource_id is not None:
        if _RESOURCE_ID.fullmatch(resource_id) is None:
            raise NotConfigured(
                "APPLICATIONINSIGHTS_RESOURCE_ID must be the id of an Application Insights resource: "
                "/subscriptions/…/resourceGroups/…/providers/microsoft.insights/components/…"
            )
        return LogSource(Scope.RESOURCE, resource_id, "APPLICATIONINSIGHTS_RESOURCE_ID", endpoint)
    if workspace_id is None:
        raise NotConfigured(_UNKNOWN)
    if _WORKSPACE_ID.fullmatch(workspace_id) is None:
        raise NotConfigured(
            "LOG_ANALYTICS_WORKSPACE_ID must be the workspace's id, which is a GUID, not its name or its resource id."
        )
    return LogSource(Scope.WORKSPACE, workspace_id, "LOG_ANALYTICS_WORKSPACE_ID", endpoint)
