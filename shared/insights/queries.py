"""The queries of the reports, in the Kusto query language (KQL).

Each report has one query, in the file `kql/<name>.kql`, written for the tables of a Log Analytics workspace. In the
scope of an Application Insights resource, the same tables and columns have other names. There, `kql/resource_scope.kql`
goes before the query: it gives them the workspace's names (a `let` hides a table of the same name).

Queries are constants: nothing that a caller sends is in them. The span of time goes to the service beside the query.

Names: https://learn.microsoft.com/azure/azure-monitor/app/convert-classic-resource#workspace-based-resource-changes
"""

from functools import cache
from pathlib import Path

from shared.insights.log_source import Scope
from shared.insights.report import MAX_ROWS, Report

_FOLDER = Path(__file__).parent / "kql"


def bounded_query(report: Report, scope: Scope) -> str:
    """Returns the query of a report with a limit of `MAX_ROWS` + 1 rows.

    The last one shows that there are more rows.
    """
    return f"{query(report, scope)}\n| take {MAX_ROWS + 1}"


def query(report: Report, scope: Scope) -> str:
    """Returns the query of a report without comments and blank lines, which are not allowed between statements."""
    text = _statements(report.name)
    return text if scope is Scope.WORKSPACE else f"{_statements('resource_scope')}\n{text}"


@cache
def _statements(name: str) -> str:
    lines = (_FOLDER / f"{name}.kql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.startswith("//"))
