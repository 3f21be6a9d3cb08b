"""The reports on what the service does, as an administrator sees them."""

from shared.insights.reports import REPORTS
from tests.e2e.dashboard.driver import NARROW
from tests.e2e.dashboard.telemetry import HOSTILE, reports


async def test_an_administrator_sees_reports_as_charts_and_others_do_not_see_them(stack, make_key, use):
    answers = reports()
    given = {"key": await make_key(), "adminKey": stack.api_key, "reports": answers}
    facts = (await use("insights", given, NARROW)).facts
    assert "Insights" not in facts["menu"]
    assert "Insights" in facts["menuOfAdministrator"]
    # the list of reports says that there is no telemetry, so no report is asked for
    assert facts["callsWithoutTelemetry"] == 0
    assert set(facts["titles"]) == {report.title for report in REPORTS.values()}
    assert (facts["charts"], facts["tables"]) == (5, 0)
    rows = answers["jobs_completed"]["rows"]
    # 24 whole hours, and the one that is not over yet
    assert facts["columns"] == 25
    assert facts["words"].startswith(f"{int(sum(row['jobs'] for row in rows)):,} jobs with ")
    assert facts["message"].endswith(HOSTILE)
