"""Reports each exchange of another client to telemetry, as a dependency."""

from urllib.parse import urlsplit

from shared.clock import Clock
from shared.telemetry import signals
from shared.telemetry.telemetry import Telemetry
from shared.web.http.client import WebClient, WebRequest, WebResponse


class ReportedWebClient:
    """Implements `WebClient` over another one.

    Telemetry has the host only: paths and queries may hold secrets. An exchange succeeded if its status is below 400.
    """

    def __init__(self, web: WebClient, telemetry: Telemetry, clock: Clock) -> None:
        self._web = web
        self._telemetry = telemetry
        self._clock = clock

    async def send(self, request: WebRequest) -> WebResponse:
        """See `WebClient.send`."""
        began = self._clock.monotonic()
        failed: BaseException | None = None
        status: int | None = None
        try:
            response = await self._web.send(request)
        except BaseException as error:
            failed = error
            raise
        else:
            status = response.status
            return response
        finally:
            signals.web_request(
                self._telemetry,
                host=_host(request.url),
                duration_seconds=self._clock.monotonic() - began,
                status=status,
                error=failed,
            )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
