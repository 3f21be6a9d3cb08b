"""Calls Azure AI Vision: with a token, within limits of time and bytes, and again if the service is busy."""

import logging
from collections.abc import Mapping
from typing import Final

from shared.clock import Deadline
from shared.errors import Permanent, Unavailable
from shared.scoring.azure_vision.pace import CallPace, Timing
from shared.scoring.azure_vision.tokens import Tokens
from shared.text.error_codes import error_codes
from shared.text.retry_after import retry_after_seconds
from shared.web.http.client import WebClient, WebRequest, WebResponse

NAME: Final = "Azure AI Vision"

# a vector of 1,024 numbers takes about 15 kB
_MAX_ANSWER_BYTES = 200_000
_ANSWER_SECONDS = 20.0
_TRIES = 5
_FIRST_PAUSE_SECONDS = 1.0
_DEFAULT_WAIT_SECONDS = 5.0
_MIN_WAIT_SECONDS, _MAX_WAIT_SECONDS = 1.0, 60.0
# no try begins later than this after the call was wanted
_PATIENCE_SECONDS = 90.0

_log = logging.getLogger(__name__)


class PictureRefused(Exception):
    """The service takes calls, but not with this picture."""


class VisionCalls:
    """Makes calls of the service at one endpoint. Many tasks of one event loop may make them at the same time.

    A call is tried five times within a minute and a half. If the service asks for a wait, all calls wait.
    """

    def __init__(
        self, endpoint: str, calls_per_second: float, tokens: Tokens, web: WebClient, timing: Timing
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._tokens = tokens
        self._web = web
        self._clock = timing.clock
        self._sleep = timing.sleep
        self._pace = CallPace(calls_per_second, timing)

    async def post(self, path: str, params: Mapping[str, str], content_type: str, body: bytes) -> bytes:
        """Returns the body of the answer, whose status is 200.

        Raises:
            PictureRefused: the service does not take the picture.
            Permanent: the service takes no call like this one. The text says what its operator can do.
            Unavailable: the service is busy, or did not answer.
        """
        patience = Deadline.after(self._clock, _PATIENCE_SECONDS)
        url, renewed = f"{self._endpoint}{path}", False
        for number in range(_TRIES):
            if not await self._pace.wait(patience):
                break
            token = await self._tokens.get()
            headers = {"authorization": f"Bearer {token}", "content-type": content_type}
            response = await self._send(url, params, headers, body)
            status = response.status if response is not None else None
            if status == 401 and not renewed:
                self._tokens.forget(token)
                renewed = True
            elif response is not None and not _is_transient(response.status):
                return _checked(response)
            elif response is not None and status == 429:
                self._pace.pause(self._wait_seconds(response))
            elif number < _TRIES - 1:
                await self._sleep(_FIRST_PAUSE_SECONDS * 2**number)
        raise Unavailable(f"{NAME} is busy, or did not answer.")

    async def _send(
        self, url: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> WebResponse | None:
        """Returns the answer, whatever its status, or None if there was none."""
        request = WebRequest(
            url,
            "POST",
            params=params,
            headers=headers,
            body=body,
            max_bytes=_MAX_ANSWER_BYTES,
            timeout_seconds=_ANSWER_SECONDS,
            follow_redirects=False,
        )
        try:
            return await self._web.send(request)
        except Unavailable:
            return None
        except Permanent as error:
            raise Permanent(f"{NAME}: {error.detail} Check AZURE_VISION_ENDPOINT.") from None

    def _wait_seconds(self, response: WebResponse) -> float:
        asked = retry_after_seconds(response.headers.get("retry-after", ""), self._clock.now())
        return min(
            _MAX_WAIT_SECONDS, max(_MIN_WAIT_SECONDS, _DEFAULT_WAIT_SECONDS if asked is None else asked)
        )


def _is_transient(status: int) -> bool:
    return status in {408, 429} or status >= 500


def _checked(response: WebResponse) -> bytes:
    """Returns the body of a good answer.

    Raises:
        PictureRefused: the service does not take the picture.
        Permanent: the service refuses the call for another reason.
    """
    status = response.status
    if status == 200:
        return response.body
    codes = error_codes(response.body)
    _log.warning("%s answered with status %d, codes %s", NAME, status, codes)
    # such as InvalidImageSize and InvalidImageFormat
    if status == 400 and any("image" in code.lower() for code in codes):
        raise PictureRefused
    raise Permanent(_WHY.get(status, f"{NAME} refused a call with status {status}."))


_WHY: Mapping[int, str] = {
    401: f"{NAME} does not accept the app's identity. AZURE_VISION_ENDPOINT must be the resource's own address, "
    "such as https://NAME.cognitiveservices.azure.com, not that of a region.",
    403: f"{NAME} does not let the app in. Give its identity the role Cognitive Services User on the resource, and "
    "let the network of the resource take its calls. A new role takes effect within some minutes.",
    404: f"{NAME} has no multimodal embeddings at AZURE_VISION_ENDPOINT. Check the address, and whether the region "
    "of the resource offers them.",
}
