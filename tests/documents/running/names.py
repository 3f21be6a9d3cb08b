"""Puts real values in place of what pages leave to their readers: addresses, keys, ids."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from shared.jobs.webhooks.signature import signed_headers
from shared.jobs.webhooks.signing_secrets import SigningKeys, SigningSecret
from tests.documents.running.world import World

_ASSIGNED = re.compile(r"\b([A-Z][A-Z_]+)=…")
_EXAMPLE_ID = "d4f64fa2a4556629f9d99c1c"


class Names:
    """The values of one page. Texts with an ellipsis get the values that earlier outputs of the page had."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._learned: dict[str, str] = {}

    def learn(self, values: Mapping[str, str]) -> None:
        """Remembers the values of texts that an output has shown with an ellipsis."""
        self._learned |= values

    def in_output(self, text: str) -> str:
        """Returns a shown output with the values of earlier outputs, and with the address of the server of pictures."""
        return self._with_learned(text).replace("https://example.org", self._world.example_org)

    def in_command(self, text: str) -> str:
        """Returns a command with real values. `ID` stands for a dataset, `NAME=…` for a variable that readers set."""
        environment = self.of_environment()
        text = _ASSIGNED.sub(lambda found: f"{found[1]}={environment[found[1]]}", text)
        return self.in_code(re.sub(r"(?<![$\w{=])ID\b(?!=)", self._world.dataset_id, text))

    def in_code(self, text: str) -> str:
        """Returns a program with real values."""
        text = self._with_learned(text)
        world = self._world
        host = world.stack.url.removeprefix("http://")
        for name, value in {
            "localhost:7071": host,
            "https://example.org": world.example_org,
            _EXAMPLE_ID: world.dataset_id,
            "d4f6…": world.dataset_id,
            "whsec_…": world.webhook_secret,
        }.items():
            text = text.replace(name, value)
        return text

    def of_environment(self) -> Mapping[str, str]:
        """Returns the variables that pages use in commands."""
        world = self._world
        return {
            "KEY": world.key,
            "ADMIN_API_KEY": world.stack.api_key,
            "ID": world.dataset_id,
            "SERVICE_API_URI": world.stack.url,
            "CONNECTION_STRING": world.connection_string,
            "PRODUCER": "00000000-0000-0000-0000-000000000001",
            "PRINCIPAL_ID": "00000000-0000-0000-0000-000000000002",
            "WORKSPACE_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/workspaces/w",
            "APPINSIGHTS_RESOURCE_ID": "/subscriptions/s/resourceGroups/g/components/c",
        }

    def of_python(self) -> Mapping[str, object]:
        """Returns the variables that programs on pages use without a definition."""
        return {
            "api_key": self._world.key,
            "connection_string": self._world.connection_string,
            "account_name": "devstoreaccount1",
            **self._webhook(),
        }

    def _webhook(self) -> Mapping[str, object]:
        """Returns the body and the headers of a webhook that the app has signed."""
        body, now = b'{"type": "job.completed"}', datetime.now(UTC)
        keys = SigningKeys(SigningSecret(self._world.webhook_secret, now))
        return {"body": body, "headers": dict(signed_headers(keys, "evt_1", now, body))}

    def of_javascript(self) -> str:
        """Returns a module that defines the variables that programs on pages use without a definition."""
        return f"globalThis.connectionString = {json.dumps(self._world.connection_string)};\n"

    def _with_learned(self, text: str) -> str:
        for name in sorted(self._learned, key=len, reverse=True):
            text = text.replace(name, self._learned[name])
        return text
