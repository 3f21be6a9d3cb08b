"""The roles of the app's identity are exactly those that its calls need."""

import ast
import inspect
from pathlib import Path

import azure.data.tables.aio as tables
import azure.monitor.query.aio as logs
import azure.storage.blob.aio as blobs
import azure.storage.queue.aio as queues
import pytest

from infra.roles import BLOB_CONTRIBUTOR, BLOB_OWNER, CALLS, OF_THE_PLATFORM, ROLES, SECRETS_USER, VISION_USER
from tests.unit.documents.markdown import rows_of, section_of
from tests.unit.infra.bicep.deployments import EVERYTHING, deployed

ROOT = Path(__file__).parents[3]
ADAPTERS = [*(ROOT / "shared/storage/azure").glob("*.py"), ROOT / "shared/insights/azure_logs.py"]
CLIENTS = [
    client
    for module in (blobs, queues, tables, logs)
    for name, client in vars(module).items()
    if inspect.isclass(client) and name.endswith("Client")
]
# they make clients and end connections, without a call
LOCAL = {
    "close",
    "from_connection_string",
    *(f"get_{kind}_client" for kind in ("blob", "container", "queue", "table")),
}
NEEDED = {permission for needed in (*CALLS.values(), *OF_THE_PLATFORM.values()) for permission in needed}


def sdk_methods() -> set[str]:
    """Returns the names of all methods of Azure's clients."""
    return {
        name
        for client in CLIENTS
        for name, _ in inspect.getmembers(client, callable)
        if not name.startswith("_")
    } - LOCAL


def names_in(path: Path) -> set[str]:
    """Returns the attributes that a module reads of other objects than `self`."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "account"})
    }


def test_the_table_has_each_call_of_the_adapters_and_no_other() -> None:
    assert set().union(*map(names_in, ADAPTERS)) & sdk_methods() == CALLS.keys()


@pytest.mark.parametrize("call", [*CALLS, *OF_THE_PLATFORM])
def test_a_role_allows_what_a_call_needs(call: str) -> None:
    needed = CALLS.get(call) or OF_THE_PLATFORM[call]
    assert [p for p in needed if not any(role.allows(p) for role in ROLES)] == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_without_a_role_a_call_fails(role) -> None:
    others = [other for other in ROLES if other != role]
    assert [p for p in NEEDED if not any(other.allows(p) for other in others)]


def test_the_smaller_role_for_blobs_is_not_enough() -> None:
    refused = {p for p in NEEDED if BLOB_OWNER.allows(p) and not BLOB_CONTRIBUTOR.allows(p)}
    assert {p.partition("/blobs/")[2] for p in refused} == {"tags/write", "filter/action"}


@pytest.mark.parametrize(("vault", "vision"), [(True, True), (True, False), (False, True), (False, False)])
def test_the_deployment_assigns_these_roles_and_no_others(vault, vision) -> None:
    made = deployed(useKeyVault=vault, useAzureVision=vision)
    optional = {SECRETS_USER: vault, VISION_USER: vision}
    assignments = made.of("Microsoft.Authorization/roleAssignments")
    found = {
        (assignment.body["scope"].type, assignment.body["properties"]["roleDefinitionId"].rpartition("/")[2])
        for assignment in assignments
    }
    assert found == {(role.scope, role.id) for role in ROLES if optional.get(role, True)}
    assert len(found) == len(assignments)
    identity = made.only("Microsoft.ManagedIdentity/userAssignedIdentities")
    for assignment in assignments:
        properties = assignment.body["properties"]
        assert properties["principalId"] == str(identity.member("properties").member("principalId"))
        assert properties["principalType"] == "ServicePrincipal"


def test_each_assignment_has_a_name_of_its_own() -> None:
    names = [made.name for made in deployed(**EVERYTHING).of("Microsoft.Authorization/roleAssignments")]
    assert len(set(names)) == len(names) == len(ROLES)


def test_the_page_has_the_roles() -> None:
    rows = rows_of(section_of("docs/reference/deployment.md", "Roles"))
    assert [row[0] for row in rows][: len(ROLES)] == [role.name for role in ROLES]
