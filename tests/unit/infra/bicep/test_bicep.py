"""The Bicep files can be parsed, every name in them leads somewhere, and nothing in them is unused."""

import json
from pathlib import Path

import pytest

from tests.unit.infra.bicep.bicep_deployment import FUNCTIONS, called_functions
from tests.unit.infra.bicep.bicep_file import (
    INFRA,
    bicep_files,
    properties_of,
    read_bicep,
    references,
    string_of,
    text_of,
    walk,
)
from tests.unit.infra.bicep.deployments import EVERYTHING, deployed

FILES = bicep_files()
DECORATORS = {"allowed", "description", "maxLength", "maxValue", "minLength", "minValue", "secure"}
PARAMETERS = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
MAIN = read_bicep(INFRA / "main.bicep")
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


@each_file
def test_a_file_can_be_parsed(path: Path) -> None:
    assert read_bicep(path).root.named_children


@each_file
def test_each_name_is_declared_and_each_declaration_is_used(path: Path) -> None:
    file = read_bicep(path)
    known = list(references(file))
    unknown = [
        (name, node.start_point.row + 1) for name, node, local in known if name not in file.symbols | local
    ]
    assert unknown == []
    assert {*file.parameters, *file.variables} - {name for name, _, _ in known} == set()


@each_file
def test_each_function_and_decorator_exists(path: Path) -> None:
    file = read_bicep(path)
    assert called_functions(file) - {"loadTextContent"} <= FUNCTIONS.keys()
    assert {name for p in file.parameters.values() for name in p.decorators} <= DECORATORS


@each_file
def test_a_module_gets_the_parameters_that_it_declares(path: Path) -> None:
    file = read_bicep(path)
    for module in file.modules.values():
        declared = file.module_file(module).parameters
        given = properties_of(properties_of(module.body)["params"]).keys()
        assert {name for name, p in declared.items() if p.default is None} <= given <= declared.keys()


@each_file
def test_a_read_output_of_a_module_is_one_of_its_outputs(path: Path) -> None:
    file = read_bicep(path)
    for node in walk(file.root):
        if node.type == "member_expression" and ".outputs." in text_of(node):
            symbol, _, output = text_of(node).replace("!", "").partition(".outputs.")
            assert output in file.module_file(file.modules[symbol]).outputs, text_of(node)


def test_each_file_is_used() -> None:
    used = {MAIN.path}
    for path in FILES:
        file = read_bicep(path)
        used |= {(path.parent / module.path).resolve() for module in file.modules.values()}
        loads = [node for node in walk(file.root) if node.type == "call_expression"]
        used |= {
            (path.parent / string_of(call.named_children[1].named_children[0])).resolve()
            for call in loads
            if text_of(call.named_children[0]) == "loadTextContent"
        }
    kinds = ("*.bicep", "*.kql", "*.workbook")
    assert used == {path.resolve() for kind in kinds for path in INFRA.rglob(kind)}


@pytest.mark.parametrize("parameters", [{}, EVERYTHING, {"usePrivateNetwork": True}, {"softDeleteDays": 0}])
def test_a_deployment_can_be_evaluated(parameters) -> None:
    made = deployed(**parameters)
    assert len(made.resources) > 30
    assert {"AZURE_FUNCTION_APP_NAME", "AZURE_RESOURCE_GROUP", "SERVICE_API_URI"} <= made.outputs.keys()


def test_a_secret_stays_a_secret_on_its_way_through_the_modules() -> None:
    secrets = {
        (path.name, name)
        for path in FILES
        for name, parameter in read_bicep(path).parameters.items()
        if "secure" in parameter.decorators
    }
    named = {"adminApiKey", "extraSettings"}
    assert secrets == {
        (path.name, name) for path in FILES for name in named & read_bicep(path).parameters.keys()
    }
    assert not {output for path in FILES for output in read_bicep(path).outputs} & named


def test_the_file_of_parameters_has_each_parameter_with_the_default_of_the_main_file() -> None:
    assert PARAMETERS.keys() == MAIN.parameters.keys()
    for name, parameter in MAIN.parameters.items():
        value = PARAMETERS[name]["value"]
        if parameter.default is None or name in {"budgetStart", "extraSettings"}:
            continue
        variable, _, default = value.removeprefix("${").removesuffix("}").partition("=")
        assert variable.isupper()
        assert default == text_of(parameter.default).strip("'")


def test_the_page_has_each_variable_of_the_parameters() -> None:
    page = (INFRA.parent / "docs/reference/deployment.md").read_text(encoding="utf-8")
    variables = {
        str(found["value"]).removeprefix("${").partition("=")[0].removesuffix("}")
        for name, found in PARAMETERS.items()
        if name != "extraSettings"
    } - {"AZURE_ENV_NAME", "AZURE_LOCATION"}
    assert {name for name in variables if f"`{name}`" not in page} == set()
