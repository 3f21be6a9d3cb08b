"""API9:2023 Improper Inventory Management: what the host serves is declared, described, documented and versioned."""

import re
from pathlib import Path

import functions
from functions.http.modules import MODULES
from tests.unit.functions.http.description.described import DOCUMENT, operations
from tests.unit.functions.http.http_calls import DECLARED

ROOT = Path(functions.__file__).parents[1]
UNVERSIONED = {"health", "health/live", "health/ready", "openapi.json"}
PAGES = re.compile(r"|docs|redoc|report|pages/\{file\}|dashboard/\{digest\}/\{folder\}/\{name\}")


def test_api9_every_route_is_declared_in_a_listed_module_and_described():
    listed = {name for endpoints in MODULES.values() for name in endpoints.declared}
    assert listed == DECLARED.keys()
    assert {operation["operationId"] for _, _, operation in operations()} == listed


def test_api9_every_route_is_in_the_documents():
    documented = (ROOT / "docs" / "reference" / "api.md").read_text()
    for declared in DECLARED.values():
        assert f"`{declared.method} /{declared.path}" in documented, declared.path


def test_api9_the_documents_and_the_description_have_no_route_that_is_not_served():
    served = {(declared.method, f"/{declared.path}") for declared in DECLARED.values()}
    documented = (ROOT / "docs" / "reference" / "api.md").read_text()
    rows = re.findall(r"^\| `([A-Z]+) (/\S+?)`", documented, re.MULTILINE)
    assert rows
    assert {(method, path.partition("?")[0]) for method, path in rows} <= served
    described = {
        (method.upper(), path)
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
        if method in {"get", "post", "put", "patch", "delete"}
    }
    assert described == served


def test_api9_every_route_has_the_version_of_the_api_but_health_and_the_description():
    others = {declared.path for declared in DECLARED.values() if not declared.path.startswith("api/v1/")}
    assert {path for path in others if not PAGES.fullmatch(path)} == UNVERSIONED


def test_api9_only_what_serves_declarations_and_what_answers_the_rest_register_routes():
    registering = {
        path.name
        for path in (ROOT / "functions").rglob("*.py")
        if re.search(r"\.(blueprint|route|function_name)\(|blueprint\.route\(", path.read_text())
        and "func." in path.read_text()
        and "auth_level" in path.read_text()
    }
    assert registering == {"endpoint.py", "unmatched.py"}
