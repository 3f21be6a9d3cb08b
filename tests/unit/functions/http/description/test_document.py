"""The description of the API is valid, complete, and says what is declared."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from functions.http import endpoint
from functions.http.declared import PUBLIC
from functions.http.description import document
from functions.http.description.document import describe
from functions.http.modules import MODULES
from functions.http.problems import problem_of
from shared.users.caller import Scope
from tests.unit.functions.http.description.described import DOCUMENT, flaws, operations, resolved
from tests.unit.functions.http.http_calls import DECLARED, Caller, memory_app
from tests.unit.known_sources import KINDS

ROOT = Path(__file__).parents[5]
OPERATIONS = list(operations())
_PROBLEM = "application/problem+json"


def test_the_description_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


async def test_everybody_may_read_it(caller: Caller) -> None:
    answered = await Caller(caller.app, "").get("/openapi.json")
    assert (answered.status, answered.body["openapi"]) == (200, "3.1.1")
    assert answered.body["paths"] == json.loads(json.dumps(DOCUMENT["paths"]))
    again = await caller.get("/openapi.json")
    assert again.text == answered.text


def test_a_person_who_has_signed_in_may_call_what_needs_no_administrator() -> None:
    described = describe(MODULES, KINDS, "1.2.3", has_sign_in=True)
    OpenAPIV31SpecValidator(described).validate()
    assert described["components"]["securitySchemes"].keys() == {"ApiKey", "SignIn"}
    for name, declared in DECLARED.items():
        operation = described["paths"][f"/{declared.path}"][declared.method.lower()]
        signed_in = {"SignIn": []} in operation["security"]
        assert signed_in == (declared.scope in {Scope.READ, Scope.SUBMIT}), name
    assert DOCUMENT["components"]["securitySchemes"].keys() == {"ApiKey"}


async def test_the_description_names_the_sign_in_if_the_settings_switch_it_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = memory_app(app_service_sign_in=True, website_auth_enabled=True)
    monkeypatch.setattr(endpoint, "app", lambda: app)
    answered = await Caller(app, "").get("/openapi.json")
    assert "SignIn" in answered.body["components"]["securitySchemes"]


async def test_callers_at_the_same_time_wait_for_one_description(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def slow(*arguments: Any, **named: Any) -> dict[str, Any]:
        made.append(describe(*arguments, **named))
        return made[-1]

    monkeypatch.setattr(document, "describe", slow)
    answers = await asyncio.gather(*(caller.get("/openapi.json") for _ in range(5)))
    assert (len(made), {answered.status for answered in answers}) == (1, {200})


def test_every_http_function_of_the_app_is_declared_and_described() -> None:
    """The app itself is asked, in a process of its own, for the functions that it registers."""
    program = """
        import function_app
        for function in function_app.app.get_functions():
            trigger = function.get_trigger().get_dict_repr()
            if trigger["type"] == "httpTrigger":
                print(function.get_function_name(), *[method.value for method in trigger["methods"]], trigger["route"])
    """
    run = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-c", "\n".join(line.removeprefix(" " * 8) for line in program.splitlines())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    functions = sorted(line.split() for line in run.stdout.splitlines())
    # what no endpoint takes goes to a function that is none
    assert functions.pop()[0] == "zz_unmatched"
    registered = sorted([part for part in function if part != "HEAD"] for function in functions)
    assert registered == sorted([name, d.method, d.path or "/"] for name, d in DECLARED.items())
    assert all(("HEAD" in function) == ("GET" in function) for function in functions)
    described = [
        [op["operationId"], method, path.removeprefix("/") or "/"] for method, path, op in OPERATIONS
    ]
    assert registered == sorted(described)


def test_operations_are_grouped_by_modules_that_say_what_they_are_for() -> None:
    assert [tag["name"] for tag in DOCUMENT["tags"]] == list(MODULES)
    assert all(tag["description"].endswith(".") for tag in DOCUMENT["tags"])
    assert {tag for _, _, operation in OPERATIONS for tag in operation["tags"]} == set(MODULES)
    assert all(operation["summary"] for _, _, operation in OPERATIONS)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_says_who_may_call_and_what_can_go_wrong(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    declared = DECLARED[operation["operationId"]]
    scopes = [scope for way in operation["security"] for scope in way.get("ApiKey", ())]
    assert scopes == ([] if declared.scope is PUBLIC else [declared.scope])
    statuses = {int(status) for status in operation["responses"]}
    errors = {problem_of(error)[0] for error in declared.all_errors}
    assert statuses == {*declared.replies, *errors, 500}, (method, path)
    for status in errors:
        response = resolved(operation["responses"][str(status)])
        codes = {problem_of(error)[1] for error in declared.all_errors if problem_of(error)[0] == status}
        assert response["content"][_PROBLEM]["examples"].keys() == codes
        assert "X-Correlation-ID" in response["headers"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_an_operation_has_the_parameters_and_headers_that_are_declared(
    method: str, path: str, operation: dict[str, Any]
) -> None:
    declared = DECLARED[operation["operationId"]]
    parameters = [resolved(parameter) for parameter in operation["parameters"]]
    found = {(parameter["in"], parameter["name"]) for parameter in parameters}
    expected = {("query", name) for name in declared.query} | {
        ("header", name) for name in declared.all_headers
    }
    in_path = {("path", part[1:-1]) for part in path.split("/") if part.startswith("{")}
    assert found == expected | in_path | {("header", "X-Correlation-ID")}, (method, path)
    for status, reply in declared.replies.items():
        headers = resolved(operation["responses"][str(status)])["headers"]
        assert {"X-Correlation-ID", *reply.headers} <= headers.keys()


def test_the_headers_of_problems_are_described() -> None:
    responses = DOCUMENT["components"]["responses"]
    assert "WWW-Authenticate" in responses["unauthenticated"]["headers"]
    assert "Retry-After" in responses["unavailable"]["headers"]
    assert "Retry-After" not in responses["not_found"]["headers"]


def test_every_example_is_valid_by_its_schema() -> None:
    contents = [
        content
        for _, _, operation in OPERATIONS
        for part in (operation.get("requestBody", {}), *map(resolved, operation["responses"].values()))
        for content in part.get("content", {}).values()
    ]
    examples = [(content["schema"], content["example"]) for content in contents if "example" in content]
    examples += [
        (content["schema"], example["value"])
        for content in contents
        for example in content.get("examples", {}).values()
    ]
    assert len(examples) > len(OPERATIONS)
    for schema, example in examples:
        assert flaws(example, schema) == []


def test_every_body_has_an_example() -> None:
    for method, path, operation in OPERATIONS:
        if "requestBody" in operation:
            assert "example" in operation["requestBody"]["content"]["application/json"], (method, path)
