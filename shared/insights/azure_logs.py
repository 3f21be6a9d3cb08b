"""Implements insights by queries to Azure Monitor Logs, in a workspace or in an Application Insights resource."""

import asyncio
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.monitor.query import LogsQueryPartialResult, LogsQueryResult, LogsTable
from azure.monitor.query.aio import LogsQueryClient

from shared.errors import AppError, NotConfigured, Permanent, RateLimited, Unavailable
from shared.insights.log_source import LogSource, Scope
from shared.insights.queries import bounded_query
from shared.insights.report import MAX_ROWS, Column, Findings, JobIds, Kind, Report, Span, Value
from shared.text.error_codes import error_codes
from shared.text.retry_after import retry_after_seconds

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

SERVICE_SECONDS = 20
"""The service cancels a query after this time."""
WITHIN_SECONDS = 25.0
"""The app waits at most so long for a query, and for the token that it needs."""

_WAIT_SECONDS = 30.0
_MAX_WAIT_SECONDS = 3600.0
_NO_SUCH_TABLE = "SEM0100"
_OF_OTHER_JSON = (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError)
_SLOW = "Azure's log service took too long."
_UNREADABLE = "Azure's log service gave an answer that the app cannot read."

_log = logging.getLogger(__name__)


def logs_client(credential: "AsyncTokenCredential", endpoint: str, **options: Any) -> LogsQueryClient:
    """Makes the client of the service. It tries a request again only if no connection was made.

    The caller decides about other waits. `options` are those of the SDK's transport.
    """
    return LogsQueryClient(
        credential,
        endpoint=endpoint,
        retry_total=1,
        retry_connect=1,
        retry_read=0,
        retry_status=0,
        connection_timeout=5,
        read_timeout=WITHIN_SECONDS,
        **options,
    )


class AzureLogs:
    """Implements `Insights`. Errors and log lines never contain ids, tokens or texts of the service."""

    def __init__(self, client: LogsQueryClient, source: LogSource) -> None:
        self._client = client
        self._source = source

    @property
    def missing(self) -> None:
        """See `Insights.missing`."""
        return

    async def run(self, report: Report, span: Span, job: JobIds | None = None) -> Findings:
        """See `Insights.run`."""
        heard = _Heard()
        try:
            async with asyncio.timeout(WITHIN_SECONDS):
                answer = await self._ask(bounded_query(report, self._source.scope, job), span, heard)
            if isinstance(answer, LogsQueryPartialResult):
                _log.warning("the report %s is partial: %s", report.name, heard)
            return _findings(report, answer)
        except TimeoutError:
            raise Unavailable(_SLOW) from None
        except (AzureError, *_OF_OTHER_JSON) as error:
            # the SDK raises an error for 204, which means that nothing was ever sent to this workspace
            if heard.status == 204:
                return Findings(())
            if heard.status is None and not isinstance(error, AzureError):
                raise
            _log.warning("the report %s failed: %s, %s", report.name, type(error).__name__, heard)
            # the SDK's error has the service's words, and telemetry reports the causes of an error
            raise self._translated(error, heard) from None

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()

    async def _ask(self, query: str, span: Span, heard: "_Heard") -> LogsQueryResult | LogsQueryPartialResult:
        in_workspace = self._source.scope is Scope.WORKSPACE
        ask = self._client.query_workspace if in_workspace else self._client.query_resource
        return await ask(
            self._source.id,
            query,
            timespan=(span.start, span.end),
            server_timeout=SERVICE_SECONDS,
            raw_response_hook=heard.hear,
        )

    def _translated(self, error: Exception, heard: "_Heard") -> AppError:
        setting = self._source.setting
        match heard.status:
            case 429:
                return RateLimited("Azure's log service takes no more queries for now.", heard.wait_seconds)
            case 403:
                return NotConfigured(
                    f"The app's identity may not read what {setting} names. Give it the role Log Analytics Reader or "
                    "Monitoring Reader there; a new role takes effect within an hour."
                )
            case 404:
                return NotConfigured(f"Azure's log service does not know what {setting} names.")
            case 400 if _NO_SUCH_TABLE in heard.codes:
                return NotConfigured(f"What {setting} names has no telemetry of Application Insights so far.")
            case 504:
                return Unavailable(_SLOW)
            case 200:
                return Unavailable(_UNREADABLE)
            case 401 | None if _is_unknown(error):
                return NotConfigured("The app has no identity that Azure's log service accepts.")
            case status if status is None or status == 408 or status >= 500:
                return Unavailable("Azure's log service did not answer.")
            case status:
                return Permanent(f"Azure's log service refused the query (status {status}).")


def _is_unknown(error: BaseException | None) -> bool:
    """Returns whether the identity has no token, or whether the service refused the token.

    The SDK wraps its own authentication error in a general one, so the chain of errors is searched.
    """
    while error is not None and not isinstance(error, ClientAuthenticationError):
        error = error.__context__
    return error is not None


class _Heard:
    """The service's answer, which is kept even if the SDK cannot read it."""

    def __init__(self) -> None:
        self._response: Any = None

    def hear(self, response: Any) -> None:
        """Stores the answer. The SDK calls this."""
        self._response = response.http_response

    @property
    def status(self) -> int | None:
        """The HTTP status, or None if there was no answer."""
        return None if self._response is None else self._response.status_code

    @property
    def wait_seconds(self) -> float:
        """The seconds to wait before the next query: what the service asks for, but at most an hour."""
        asked = retry_after_seconds(self._response.headers.get("Retry-After", ""), datetime.now(UTC))
        return _WAIT_SECONDS if asked is None else min(asked, _MAX_WAIT_SECONDS)

    @property
    def codes(self) -> list[str]:
        """The error's codes, from the outer to the innermost error."""
        try:
            return error_codes(self._response.text())
        except (AttributeError, ValueError):
            return []

    def __str__(self) -> str:
        return f"status {self.status}, codes {self.codes}"


def _findings(report: Report, answer: LogsQueryResult | LogsQueryPartialResult) -> Findings:
    partial = isinstance(answer, LogsQueryPartialResult)
    tables = answer.partial_data if isinstance(answer, LogsQueryPartialResult) else answer.tables
    rows = _rows(report.columns, tables[0]) if tables else ()
    return Findings(rows[:MAX_ROWS], partial=partial, truncated=len(rows) > MAX_ROWS)


def _rows(columns: Sequence[Column], table: LogsTable) -> tuple[tuple[Value, ...], ...]:
    places = [(table.columns.index(column.name), _READ[column.kind]) for column in columns]
    return tuple(tuple(read(row[place]) for place, read in places) for row in table.rows)


def _text(value: object) -> Value:
    if value is None or isinstance(value, str):
        return value
    raise ValueError("not a text")


def _number(value: object) -> Value:
    """Returns a number.

    NaN and the infinities, such as a share of nothing, become None. The service sends them as texts.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    if value in ("NaN", "Infinity", "-Infinity"):
        return None
    raise ValueError("not a number")


def _time(value: object) -> Value:
    if value is None or isinstance(value, datetime):
        return value
    raise ValueError("not a time")


_READ: Mapping[Kind, Callable[[object], Value]] = {Kind.TEXT: _text, Kind.NUMBER: _number, Kind.TIME: _time}
