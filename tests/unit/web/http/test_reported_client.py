"""Each exchange is a dependency in telemetry. It shows whether the exchange succeeded, and contains no secrets."""

import asyncio

import pytest

from shared.errors import Permanent, Unavailable
from shared.telemetry.recording import RecordingTelemetry, Signal
from shared.web.http.client import WebRequest, WebResponse
from shared.web.http.reported_client import ReportedWebClient
from tests.unit.manual_clock import ManualClock

URL = "https://user:secret@api.example:8443/secret/path?key=secret"


class Web:
    def __init__(self, clock: ManualClock, answer: int | BaseException) -> None:
        self._clock = clock
        self._answer = answer

    async def send(self, request: WebRequest) -> WebResponse:
        self._clock.advance(2)
        if isinstance(self._answer, BaseException):
            raise self._answer
        return WebResponse(self._answer, request.url, {}, b"")


async def _reported(answer: int | BaseException, url: str = URL) -> Signal:
    telemetry, clock = RecordingTelemetry(), ManualClock()
    client = ReportedWebClient(Web(clock, answer), telemetry, clock)
    if isinstance(answer, BaseException):
        with pytest.raises(type(answer)):
            await client.send(WebRequest(url))
    else:
        assert (await client.send(WebRequest(url))).status == answer
    [found] = telemetry.signals
    return found


@pytest.mark.parametrize(
    ("status", "success"), [(200, True), (204, True), (304, True), (404, False), (429, False), (500, False)]
)
async def test_an_answer_succeeded_below_400(status: int, *, success: bool) -> None:
    found = await _reported(status)
    assert found.name == "web_request"
    assert found.properties == {"type": "HTTP", "target": "api.example", "success": success}
    assert found.measurements == {"duration": 2.0}


@pytest.mark.parametrize("error", [Unavailable("x"), Permanent("x"), KeyError("x"), asyncio.CancelledError()])
async def test_no_answer_is_no_success_whatever_the_error(error: BaseException) -> None:
    found = await _reported(error)
    assert found.properties["success"] is False
    assert found.properties["error"] == type(error).__name__


@pytest.mark.parametrize("url", ["", "no url", "http://[", "x" * 10_000])
async def test_what_is_no_url_is_reported_without_a_host(url: str) -> None:
    assert (await _reported(Permanent("x"), url)).properties["target"] == ""
