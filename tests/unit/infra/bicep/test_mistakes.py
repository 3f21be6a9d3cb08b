"""The checks of the Bicep files find mistakes: each of these is made in a copy of the files."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.infra.bicep import test_bicep as checks
from tests.unit.infra.bicep.bicep_deployment import deploy
from tests.unit.infra.bicep.bicep_file import INFRA
from tests.unit.infra.bicep.deployments import EVERYTHING, KEY

MISTAKES: list[tuple[str, str, str, Callable[[Path], None]]] = [
    ("main.bicep", "scope: group", "scope: [group", checks.test_a_file_can_be_parsed),
    ("main.bicep", "params: {", "params {", checks.test_a_file_can_be_parsed),
    (
        "main.bicep",
        "module roles 'modules/roles.bicep' = {",
        "module roles 'modules/roles.bicep' {",
        checks.test_a_file_can_be_parsed,
    ),
    (
        "main.bicep",
        "scope: group",
        "scope: resourceGroup_",
        checks.test_each_name_is_declared_and_each_declaration_is_used,
    ),
    (
        "main.bicep",
        "dependsOn: [roles]",
        "dependsOn: [role]",
        checks.test_each_name_is_declared_and_each_declaration_is_used,
    ),
    (
        "main.bicep",
        "userAgent: userAgent",
        "userAgent: ''",
        checks.test_each_name_is_declared_and_each_declaration_is_used,
    ),
    ("main.bicep", "var datasetsContainer", "var token", checks.test_a_file_can_be_parsed),
    ("main.bicep", "uniqueString(", "unique(", checks.test_each_function_and_decorator_exists),
    ("main.bicep", "@secure()", "@secret()", checks.test_each_function_and_decorator_exists),
    ("main.bicep", "    sku: storageSku\n", "", checks.test_a_module_gets_the_parameters_that_it_declares),
    (
        "main.bicep",
        "    sku: storageSku\n",
        "    sku: storageSku\n    kind: storageSku\n",
        checks.test_a_module_gets_the_parameters_that_it_declares,
    ),
    (
        "main.bicep",
        "storage.outputs.name",
        "storage.outputs.names",
        checks.test_a_read_output_of_a_module_is_one_of_its_outputs,
    ),
    (
        "main.bicep",
        "network!.outputs.appSubnetId",
        "network!.outputs.subnetId",
        checks.test_a_read_output_of_a_module_is_one_of_its_outputs,
    ),
    (
        "modules/network.bicep",
        "zones[index].id",
        "zones[place].id",
        checks.test_each_name_is_declared_and_each_declaration_is_used,
    ),
    (
        "modules/app.bicep",
        "setting => setting.key",
        "setting => item.key",
        checks.test_each_name_is_declared_and_each_declaration_is_used,
    ),
    (
        "modules/storage.bicep",
        "parent: blobs",
        "parent: blob",
        checks.test_each_name_is_declared_and_each_declaration_is_used,
    ),
]


@pytest.mark.parametrize(("file", "right", "wrong", "check"), MISTAKES)
def test_a_mistake_is_found(tmp_path, file, right, wrong, check) -> None:
    path = changed(tmp_path, file, right, wrong)
    with pytest.raises(AssertionError):
        check(path)


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("modules/monitoring.bicep", "workbook/pixcrawler", "workbooks/pixcrawler"),
        ("modules/alerts.bicep", "alerts/poison.kql", "alerts/poisons.kql"),
        ("main.bicep", "modules/vault.bicep", "modules/vaults.bicep"),
        ("modules/network.bicep", "network::appSubnet", "network::apSubnet"),
        ("modules/app.bicep", "environment().authentication", "environment().authentications"),
    ],
)
def test_what_does_not_exist_stops_a_deployment(tmp_path, file, right, wrong) -> None:
    changed(tmp_path, file, right, wrong)
    needed = {"environmentName": "a", "location": "b", "adminApiKey": KEY}
    with pytest.raises((FileNotFoundError, KeyError)):
        deploy(tmp_path / "infra/main.bicep", EVERYTHING | needed)


def changed(folder: Path, file: str, right: str, wrong: str) -> Path:
    """Copies the files, and replaces a text that one of them has."""
    shutil.copytree(INFRA, folder / "infra", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    path = folder / "infra" / file
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    return path
