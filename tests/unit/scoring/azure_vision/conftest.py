"""A server with the true shape of Azure AI Vision's multimodal embeddings, and a scorer that calls it."""

import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from PIL import Image

from shared.scoring.azure_vision.calls import VisionCalls
from shared.scoring.azure_vision.pace import Timing
from shared.scoring.azure_vision.scorer import AzureVision
from shared.scoring.azure_vision.tokens import Tokens
from tests.unit.loopback import asking, serving
from tests.unit.manual_clock import ManualClock

DIMENSIONS = 1024
WANTED_QUERY = {"api-version": "2024-02-01", "model-version": "2023-04-15"}


def vector_of(seed: int) -> list[float]:
    return [float(number) for number in np.random.default_rng(seed).normal(size=DIMENSIONS)]


def refusal(code: str, inner: str = "") -> dict[str, Any]:
    """An error of the service, with words that no log and no error may repeat."""
    error: dict[str, Any] = {"code": code, "message": "secret words of the service"}
    return {"error": error | ({"innererror": {"code": inner, "message": "secret words"}} if inner else {})}


@dataclass(slots=True)
class VisionServer:
    """Answers calls as the service does, or by the next of the `answers`: a status, a body, and headers."""

    tokens: set[str] = field(default_factory=lambda: {"token 1"})
    answers: list[tuple[int, object, dict[str, str]]] = field(default_factory=list)
    asked: list[SimpleNamespace] = field(default_factory=list)

    def gives(self, status: int, body: object, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, body, named))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        kind = request.headers["content-type"]
        call = SimpleNamespace(path=request.path, headers=dict(request.headers), body=body)
        self.asked.append(call)
        if self.answers:
            status, text, headers = self.answers.pop(0)
            data = text if isinstance(text, bytes) else json.dumps(text).encode()
            return web.Response(status=status, body=data, headers=headers, content_type="application/json")
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return web.json_response(refusal("401"), status=401)
        assert request.method == "POST"
        assert dict(request.query) == WANTED_QUERY
        if request.path == "/computervision/retrieval:vectorizeImage":
            assert kind == "application/octet-stream"
            return _found(_seed_of(body))
        assert request.path == "/computervision/retrieval:vectorizeText"
        assert kind == "application/json"
        words = json.loads(body)["text"].split()
        if not 1 <= len(words) <= 70:
            return web.json_response(refusal("InvalidRequest", "InvalidText"), status=400)
        return _found(len(words))


def _seed_of(body: bytes) -> int:
    """Reads a picture within the limits of the service."""
    assert len(body) < 20_000_000
    with Image.open(io.BytesIO(body)) as image:
        assert image.format == "JPEG"
        assert min(image.size) > 10
        assert max(image.size) < 16_000
        return image.width


def _found(seed: int) -> web.Response:
    return web.json_response({"modelVersion": "2023-04-15", "vector": vector_of(seed)})


@dataclass(slots=True)
class Credential:
    """Gives one token after the other, each for an hour, as a credential of azure-identity does."""

    clock: ManualClock
    scopes: list[str] = field(default_factory=list)
    error: Exception | None = None

    async def get_token(self, *scopes: str, **_: Any) -> SimpleNamespace:
        self.scopes += scopes
        if self.error is not None:
            raise self.error
        ends = int(self.clock.now().timestamp()) + 3600
        return SimpleNamespace(token=f"token {len(self.scopes)}", expires_on=ends)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def server() -> VisionServer:
    return VisionServer()


@pytest.fixture
def credential(clock: ManualClock) -> Credential:
    return Credential(clock)


@pytest.fixture
async def vision(server: VisionServer, credential: Any, clock: ManualClock) -> AsyncIterator[AzureVision]:
    """The scorer. Its waits advance the clock, and take no time."""
    async with serving(server.answer) as endpoint, asking() as web_client:
        tokens, timing = Tokens(credential, clock), Timing(clock, clock.sleep)
        yield AzureVision(VisionCalls(f"{endpoint}/", 10, tokens, web_client, timing))
