"""Says which role the app's identity needs for which call. infra/modules/roles.bicep assigns the roles.

The permissions of roles and calls are from Microsoft's documentation:
https://learn.microsoft.com/azure/role-based-access-control/built-in-roles and
https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"
_BLOBS = f"{_CONTAINERS}/blobs"
_DELEGATION_KEY = "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action"
_QUEUES = "Microsoft.Storage/storageAccounts/queueServices/queues"
_TABLES = "Microsoft.Storage/storageAccounts/tableServices/tables"


@dataclass(frozen=True, slots=True)
class Role:
    """A built-in role: its name, its id, the type of the resource that it is assigned on, and what it allows there."""

    name: str
    id: str
    scope: str
    permissions: tuple[str, ...]

    def allows(self, permission: str) -> bool:
        """Returns whether the role has a permission. The permissions of a role may have wildcards."""
        return any(fnmatch(permission, pattern) for pattern in self.permissions)


BLOB_OWNER = Role(
    "Storage Blob Data Owner",
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Microsoft.Storage/storageAccounts",
    (f"{_CONTAINERS}/*", _DELEGATION_KEY),
)
QUEUE_CONTRIBUTOR = Role(
    "Storage Queue Data Contributor",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Microsoft.Storage/storageAccounts",
    (
        *(f"{_QUEUES}/{action}" for action in ("delete", "read", "write")),
        *(f"{_QUEUES}/messages/{action}" for action in ("delete", "read", "write", "process/action")),
    ),
)
TABLE_CONTRIBUTOR = Role(
    "Storage Table Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Microsoft.Storage/storageAccounts",
    (
        *(f"{_TABLES}/{action}" for action in ("read", "write", "delete")),
        *(
            f"{_TABLES}/entities/{action}"
            for action in ("read", "write", "delete", "add/action", "update/action")
        ),
    ),
)
METRICS_PUBLISHER = Role(
    "Monitoring Metrics Publisher",
    "3913510d-42f4-4e42-8a64-420c390055eb",
    "Microsoft.Insights/components",
    ("Microsoft.Insights/Metrics/Write", "Microsoft.Insights/Telemetry/Write"),
)
LOG_READER = Role(
    "Log Analytics Reader",
    "73c42c96-874c-492b-b04d-ab87d138a893",
    "Microsoft.OperationalInsights/workspaces",
    ("*/read", "Microsoft.OperationalInsights/workspaces/analytics/query/action"),
)
SECRETS_USER = Role(
    "Key Vault Secrets User",
    "4633458b-17de-408a-b874-0445c86b69e6",
    "Microsoft.KeyVault/vaults",
    ("Microsoft.KeyVault/vaults/secrets/getSecret/action",),
)
VISION_USER = Role(
    "Cognitive Services User",
    "a97b65f3-24c7-4388-baec-2e87135dc908",
    "Microsoft.CognitiveServices/accounts",
    ("Microsoft.CognitiveServices/*",),
)
ROLES = (
    BLOB_OWNER,
    QUEUE_CONTRIBUTOR,
    TABLE_CONTRIBUTOR,
    METRICS_PUBLISHER,
    LOG_READER,
    SECRETS_USER,
    VISION_USER,
)
"""All roles of the app's identity. The last two are assigned only if there is a Key Vault, and Azure AI Vision."""

BLOB_CONTRIBUTOR = Role(
    "Storage Blob Data Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Microsoft.Storage/storageAccounts",
    (
        *(f"{_CONTAINERS}/{action}" for action in ("delete", "read", "write")),
        *(f"{_BLOBS}/{action}" for action in ("delete", "read", "write", "move/action", "add/action")),
        _DELEGATION_KEY,
    ),
)
"""The smaller role for blobs. It is not enough, because it allows no tags."""

CALLS: Mapping[str, tuple[str, ...]] = {
    # blobs; the app writes them with tags, and finds them by tags
    "create_container": (f"{_CONTAINERS}/write",),
    "exists": (f"{_CONTAINERS}/read",),
    "list_blobs": (f"{_BLOBS}/read",),
    "find_blobs_by_tags": (f"{_BLOBS}/filter/action",),
    "upload_blob": (f"{_BLOBS}/write", f"{_BLOBS}/tags/write"),
    "stage_block": (f"{_BLOBS}/write",),
    "commit_block_list": (f"{_BLOBS}/write", f"{_BLOBS}/tags/write"),
    "get_block_list": (f"{_BLOBS}/read",),
    "get_blob_properties": (f"{_BLOBS}/read",),
    "download_blob": (f"{_BLOBS}/read",),
    "delete_blob": (f"{_BLOBS}/delete",),
    "set_standard_blob_tier": (f"{_BLOBS}/write",),
    "get_user_delegation_key": (_DELEGATION_KEY,),
    # queues
    "create_queue": (f"{_QUEUES}/write",),
    "list_queues": (f"{_QUEUES}/read",),
    "get_queue_properties": (f"{_QUEUES}/read",),
    "send_message": (f"{_QUEUES}/messages/write",),
    # tables
    "create_table": (f"{_TABLES}/write",),
    "list_tables": (f"{_TABLES}/read",),
    "get_entity": (f"{_TABLES}/entities/read",),
    "query_entities": (f"{_TABLES}/entities/read",),
    "create_entity": (f"{_TABLES}/entities/add/action",),
    "upsert_entity": (f"{_TABLES}/entities/write",),
    "delete_entity": (f"{_TABLES}/entities/delete",),
    "submit_transaction": tuple(
        f"{_TABLES}/entities/{action}" for action in ("write", "delete", "add/action", "update/action")
    ),
    # logs
    "query_workspace": ("Microsoft.OperationalInsights/workspaces/analytics/query/action",),
    "query_resource": ("Microsoft.OperationalInsights/workspaces/analytics/query/action",),
}
"""The permissions that each call of Azure's libraries in the app needs."""

OF_THE_PLATFORM: Mapping[str, tuple[str, ...]] = {
    "the host runs queue functions": (
        f"{_QUEUES}/messages/read",
        f"{_QUEUES}/messages/process/action",
        f"{_QUEUES}/messages/delete",
        f"{_QUEUES}/write",
    ),
    "the host keeps locks, timers and function keys": (f"{_CONTAINERS}/write", f"{_BLOBS}/write"),
    "the platform reads the package of the app": (f"{_BLOBS}/read",),
    "the host and the app send telemetry": ("Microsoft.Insights/Telemetry/Write",),
    "the platform reads the secret behind a setting": ("Microsoft.KeyVault/vaults/secrets/getSecret/action",),
    # the documentation names the role, but not the permission of this call
    "the app asks for embeddings": (
        "Microsoft.CognitiveServices/accounts/ComputerVision/retrieval:vectorizeImage",
    ),
}
"""The permissions that the platform needs, and those of calls that are made without Azure's libraries."""
