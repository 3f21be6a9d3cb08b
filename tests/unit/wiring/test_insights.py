"""Which logs the settings name. Wrong settings affect the insights only."""

from datetime import UTC, datetime

import pytest

from shared.errors import NotConfigured
from shared.insights.azure_logs import AzureLogs
from shared.insights.log_source import LogSource, Scope
from shared.insights.report import Span
from shared.insights.reports import REPORTS
from shared.settings import Settings
from shared.wiring import App

WORKSPACE = "11111111-2222-3333-4444-555555555555"
RESOURCE = "/subscriptions/sub/resourceGroups/the_group(1)/providers/Microsoft.Insights/components/pix.1"
SPAN = Span.last_hours(1, datetime(2026, 1, 1, tzinfo=UTC))
PUBLIC = "https://api.loganalytics.io"
IN_WORKSPACE = LogSource(Scope.WORKSPACE, WORKSPACE, "LOG_ANALYTICS_WORKSPACE_ID", PUBLIC)
IN_RESOURCE = LogSource(Scope.RESOURCE, RESOURCE, "APPLICATIONINSIGHTS_RESOURCE_ID", PUBLIC)


@pytest.mark.parametrize(
    ("settings", "source"),
    [
        ({"log_analytics_workspace_id": WORKSPACE}, IN_WORKSPACE),
        ({"applicationinsights_resource_id": RESOURCE}, IN_RESOURCE),
        (
            {"log_analytics_workspace_id": WORKSPACE, "applicationinsights_resource_id": RESOURCE},
            IN_RESOURCE,
        ),
        ({"log_analytics_workspace_id": WORKSPACE, "applicationinsights_resource_id": ""}, IN_WORKSPACE),
    ],
)
async def test_the_settings_name_a_workspace_or_a_resource(
    settings: dict[str, str], source: LogSource
) -> None:
    app = App(Settings.model_validate(settings))
    assert isinstance(app.insights, AzureLogs)
    assert app.insights._source == source
    await app.insights.close()
    await app.credential.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Set LOG_ANALYTICS_WORKSPACE_ID"),
        ({"log_analytics_workspace_id": "my-workspace"}, "LOG_ANALYTICS_WORKSPACE_ID must be"),
        ({"log_analytics_workspace_id": RESOURCE}, "LOG_ANALYTICS_WORKSPACE_ID must be"),
        ({"log_analytics_workspace_id": f"{WORKSPACE}/../x"}, "LOG_ANALYTICS_WORKSPACE_ID must be"),
        ({"applicationinsights_resource_id": WORKSPACE}, "APPLICATIONINSIGHTS_RESOURCE_ID must be"),
        ({"applicationinsights_resource_id": f"{RESOURCE}/../x"}, "APPLICATIONINSIGHTS_RESOURCE_ID must be"),
        ({"applicationinsights_resource_id": f"{RESOURCE}?x=1"}, "APPLICATIONINSIGHTS_RESOURCE_ID must be"),
        (
            {"log_analytics_workspace_id": WORKSPACE, "log_analytics_endpoint": "http://a"},
            "LOG_ANALYTICS_ENDPOINT must be",
        ),
        (
            {"log_analytics_workspace_id": WORKSPACE, "log_analytics_endpoint": "https://a@b"},
            "LOG_ANALYTICS_ENDPOINT must be",
        ),
    ],
)
async def test_settings_that_are_missing_or_wrong_are_named_when_a_report_is_asked_for(
    settings: dict[str, str], words: str
) -> None:
    with pytest.raises(NotConfigured, match=words) as raised:
        await App(Settings.model_validate(settings)).insights.run(REPORTS["recent_jobs"], SPAN)
    assert "my-workspace" not in raised.value.detail
