"""The queries of the reports, in the Kusto query language (KQL).

Each report has one query, in the file `kql/<name>.kql`, written for the tables of a Log Analytics workspace. In the
scope of an Application Insights resource, the same tables and columns have other names. There, `kql/resource_scope.kql`
goes before the query: it gives them the workspace's names (a `let` hides a table of the same name).

Queries of reports are constants: nothing that a caller sends is in them. The span of time goes to the service beside
the query. The query of a job's log has two ids in it, which are checked to have only letters that no query can end.

Names: https://learn.microsoft.com/azure/azure-monitor/app/convert-classic-resource#workspace-based-resource-changes
"""

import re
from functools import cache
from pathlib import Path

from shared.insights.log_source import Scope
from shared.insights.report import MAX_ROWS, JobIds, Report

_FOLDER = Path(__file__).parent / "kql"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def bounded_query(report: Report, scope: Scope, job: JobIds | None = None) -> str:
    """Returns the query of a report with a limit of `MAX_ROWS` + 1 rows.

    The last one shows that there are more rows. The ids of `job` are put in place of `JOB_ID` and `CORRELATION_ID`.

    Raises:
        ValueError: an id may not stand in a query.
    """
    text = f"{query(report, scope)}\n| take {MAX_ROWS + 1}"
    if job is None:
        return text
    if not (_ID.fullmatch(job.job_id) and _ID.fullmatch(job.correlation_id)):
        raise ValueError("an id may not stand in a query")
    return text.replace("CORRELATION_ID", job.correlation_id).replace("JOB_ID", job.job_id)


def query(report: Report, scope: Scope) -> str:
    """Returns the query of a report without comments and blank lines, which are not allowed between statements."""
    text = _statements(report.name)
    return text if scope is Scope.WORKSPACE else f"{_statements('resource_scope')}\n{text}"


@cache
def _statements(name: str) -> str:
    lines = (_FOLDER / f"{name}.kql").read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if line.strip() and not line.startswith("//"))
