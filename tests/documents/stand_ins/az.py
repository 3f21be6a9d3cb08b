"""Stands in for `az`, which needs Azure: it knows the commands that documents use, with their parameters.

Source: https://learn.microsoft.com/cli/azure/reference-index. A message and a blob really go to the local storage.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.documents.stand_ins.refuse import refuse

_SHOW = {"--name", "--resource-group"}
_SIGN_IN = {"--auth-mode", "--account-name", "--connection-string"}
COMMANDS: Mapping[str, set[str]] = {
    "login": set(),
    "bicep build": {"--file", "--stdout"},
    "functionapp config appsettings set": {"--settings", *_SHOW},
    "functionapp config appsettings delete": {"--setting-names", *_SHOW},
    "functionapp deployment source config-zip": {"--src", "--build-remote", "--timeout", *_SHOW},
    "functionapp show": _SHOW,
    "group show": {"--name"},
    "identity create": _SHOW,
    "identity show": _SHOW,
    "identity federated-credential create": {
        "--identity-name", "--issuer", "--audiences", "--subject", *_SHOW,
    },
    "monitor log-analytics query": {"--workspace", "--analytics-query", "--timespan"},
    "role assignment create": {"--role", "--assignee", "--scope"},
    "storage account show": _SHOW,
    "storage blob upload": {"--container-name", "--name", "--file", *_SIGN_IN},
    "storage message put": {"--queue-name", "--content", *_SIGN_IN},
}  # fmt: skip
ROLES = frozenset(
    {
        "Log Analytics Reader",
        "Monitoring Metrics Publisher",
        "Reader",
        "Storage Blob Data Contributor",
        "Storage Queue Data Message Sender",
        "Website Contributor",
    }
)
"""Built-in roles: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles."""
_OF_ALL = {"--query", "--output", "--only-show-errors"}
_FLAGS = {"--stdout", "--only-show-errors"}


def main() -> None:
    """Does what a call asks for, or refuses it."""
    words = sys.argv[1:]
    count = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
    name = " ".join(words[:count])
    if name not in COMMANDS:
        refuse(f"the stand-in does not know 'az {name}'")
    values = _values(words[count:], COMMANDS[name] | _OF_ALL)
    if values.get("--role", "Reader") not in ROLES:
        refuse(f"there is no built-in role {values['--role']!r}")
    if name == "storage message put":
        _send(values)
    elif name == "storage blob upload":
        _upload(values)
    elif "--query" in values:
        print(f"/the/{values['--query']}/of/{values.get('--name', name)}")  # noqa: T201 - as the program does


def _values(words: list[str], known: set[str]) -> Mapping[str, str]:
    values: dict[str, str] = {}
    waiting = list(words)
    while waiting:
        name = waiting.pop(0)
        if name not in known:
            refuse(f"the parameter is {name}; known are {sorted(known)}")
        if name not in _FLAGS and not (waiting and waiting[0].strip()):
            refuse(f"{name} has no value")
        values[name] = "" if name in _FLAGS else waiting.pop(0)
        if values[name].startswith("@") and not Path(values[name][1:]).is_file():
            refuse(f"{name} names a file that does not exist")
    return values


def _send(values: Mapping[str, str]) -> None:
    from azure.storage.queue import QueueClient

    with QueueClient.from_connection_string(_connection_string(), values["--queue-name"]) as queue:
        queue.send_message(values["--content"])


def _upload(values: Mapping[str, str]) -> None:
    from azure.storage.blob import BlobClient

    container, name = values["--container-name"], values["--name"]
    with BlobClient.from_connection_string(_connection_string(), container, name) as blob:
        blob.upload_blob(Path(values["--file"]).read_bytes(), overwrite=True)


def _connection_string() -> str:
    return os.environ["CONNECTION_STRING"]  # noqa: TID251 - of the page


if __name__ == "__main__":
    main()
