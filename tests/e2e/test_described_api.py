"""The running app keeps to its description: generated calls with valid keys get no answer that is not described."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode, SerializationContext
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from devhost.web.routes import parse_route
from playground.client import ApiClient
from playground.stack import Stack

CHECKS: list[CheckFunction] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NOT_SET_UP = {"get_insight", "get_job_log"}
"""Azure's log service is not there, so reports and logs may answer 503."""
STEPS = ("discover_job", "crawl_chunk", "archive_dataset", "send_webhook")
"""The functions that would call the addresses in generated specs."""
EXAMPLES = 8
SECONDS = 40.0

PARQUET = "application/vnd.apache.parquet"
LISTS = ("text/csv", "text/tab-separated-values", "application/x-ndjson", "application/jsonl", PARQUET)
"""The types of bodies that schemathesis cannot write by itself. They are texts to it, also Parquet files."""

type Operation = APIOperation[Any, Any, Any, Any]


@schemathesis.serializer(*LISTS)
def _as_text(context: SerializationContext, value: object) -> bytes:
    del context
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@dataclass(slots=True)
class Examiner:
    """Makes generated calls, valid and invalid, and collects what is wrong with the answers.

    After `ends`, only the first call of each kind is made, so that a slow machine does not take too long.
    """

    url: str
    key: str
    job_id: str
    ends: float
    answers: dict[str, set[int]] = field(default_factory=dict)
    flaws: list[str] = field(default_factory=list)

    def examine(self) -> None:
        schema = schemathesis.openapi.from_url(f"{self.url}/openapi.json")
        # what deletes the job and its dataset comes last, so that the other calls find them
        for operation in sorted(_operations(schema), key=_deletes):
            self.answers[_name(operation)] = set()
            for mode in GenerationMode:
                self._examine(operation, operation.as_strategy(mode))
                ids = self._ids(operation.path)
                if ids:
                    self._examine(operation, operation.as_strategy(mode, path_parameters=ids))
            content = operation.definition.raw.get("requestBody", {}).get("content", {})
            for media_type, each in content.items():
                ids = self._ids(operation.path)
                self._examine(
                    operation,
                    operation.as_strategy(
                        path_parameters=ids or None, body=each["example"], media_type=media_type
                    ),
                )

    def _ids(self, path: str) -> dict[str, Any]:
        """Returns ids of what there is, so that not every call ends with 404. Users are new ones."""
        ids = {"id": self.job_id, "report": "jobs_completed"}
        if "/users/{id}" in path:
            user = self._post("users", {"name": "Ada"})
            key = self._post(f"users/{user['id']}/keys", {"name": "laptop", "scopes": ["read"]})
            ids = {"id": user["id"], "key_id": key["id"]}
        if "/lists/{id}" in path:
            ids = {"id": self._post("lists?format=json", {"images": []})["id"]}
        return {name: value for name, value in ids.items() if f"{{{name}}}" in path}

    def _examine(self, operation: Operation, cases: SearchStrategy[Case[Any]]) -> None:
        name = _name(operation)
        route = parse_route(operation.path)
        checks = CHECKS if name in NOT_SET_UP else [not_a_server_error, *CHECKS]

        called = False

        def call(case: Case[Any]) -> None:
            nonlocal called
            if called and time.monotonic() > self.ends:
                return
            called = True
            case.headers["X-API-Key"] = self.key
            response = case.call(base_url=self.url, timeout=30, allow_redirects=False)
            path = urlsplit(str(response.request.url)).path
            if route.match(path.strip("/")) is None:
                # the host itself answers, as no function has such a path
                assert response.status_code == 404
                return
            self.answers[name].add(response.status_code)
            try:
                case.validate_response(response, checks=checks)
            except FailureGroup as failures:
                self.flaws.append(str(failures))

        generated = given(case=cases)(call)
        settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )(generated)()

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = requests.post(
            f"{self.url}/api/v1/{path}", json=body, headers={"X-API-Key": self.key}, timeout=30
        )
        found: dict[str, Any] = response.json()
        return found


def _operations(schema: BaseSchema) -> Iterator[Operation]:
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def _deletes(operation: Operation) -> bool:
    return operation.method.upper() == "DELETE"


def _name(operation: Operation) -> str:
    return str(operation.definition.raw["operationId"])


async def test_generated_calls_get_no_answer_that_is_not_described(
    make_stack: Callable[..., Stack], gallery: str, session: aiohttp.ClientSession
) -> None:
    stack = make_stack(OPENVERSE_BASE_URL=gallery)
    api = ApiClient(session, stack.url, stack.api_key)
    job = await api.submit({"keywords": ["cat"], "max_images_per_label": 3})
    async for seen in api.follow(job["id"], every_seconds=0.5):
        job = seen
    stack.kill_host()
    stack._settings |= {f"AzureWebJobs.{step}.Disabled": "true" for step in STEPS}
    stack.start_host()

    examiner = Examiner(stack.url, stack.api_key, job["id"], time.monotonic() + SECONDS)
    await asyncio.to_thread(examiner.examine)
    assert not examiner.flaws, "\n".join(examiner.flaws[:5])
    assert all(examiner.answers.values()), examiner.answers
    assert {201, 400} <= examiner.answers["submit_job"]
    for name in ("get_job", "get_dataset", "download_dataset", "download_records", "get_user", "revoke_key"):
        assert {200, 404} <= examiner.answers[name], name
