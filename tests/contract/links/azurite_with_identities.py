"""Azurite's blob service over TLS, which takes the tokens of identities and gives user delegation keys for them."""

import base64
import contextlib
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from azure.core.credentials import AccessToken

from playground.azurite import ROOT, die_with_parent, free_port
from tests.certificate import write_certificate

ACCOUNT = "devstoreaccount1"
_SCRIPT = ROOT / "node_modules" / "azurite" / "dist" / "src" / "blob" / "main.js"
_START_SECONDS = 30.0


@dataclass(frozen=True)
class SecureAzurite:
    """A running Azurite. `certificate` is the file of the authority that a client has to trust."""

    port: int
    certificate: Path

    @property
    def blob_uri(self) -> str:
        return f"https://127.0.0.1:{self.port}/{ACCOUNT}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


class LoopbackIdentity:
    """A credential whose tokens have the claims that Azurite checks. It does not check the signature."""

    def __init__(self) -> None:
        self.tokens = 0
        self.refused = False

    async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        assert scopes == ("https://storage.azure.com/.default",)
        if self.refused:
            return AccessToken("no token", int(time.time()) + 3600)
        self.tokens += 1
        now = int(time.time())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/11111111-1111-1111-1111-111111111111/",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
            "oid": "22222222-2222-2222-2222-222222222222",
            "tid": "11111111-1111-1111-1111-111111111111",
        }
        parts = (_encoded({"alg": "RS256", "typ": "JWT"}), _encoded(claims), "c2lnbmF0dXJl")
        return AccessToken(".".join(parts), now + 3600)

    async def close(self) -> None:
        pass

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def secure_azurite(folder: Path) -> Iterator[SecureAzurite]:
    """Runs it during the block, with its data in the folder."""
    certificate = folder / "certificate.pem"
    write_certificate(certificate)
    # another process may take a free port before Azurite does
    for _ in range(5):
        running = SecureAzurite(free_port(), certificate)
        process = _spawn(folder, running)
        try:
            if _answers(running, process):
                yield running
                return
        finally:
            process.terminate()
            process.wait(10)
    raise RuntimeError("Azurite does not start with TLS")


def _spawn(folder: Path, running: SecureAzurite) -> "subprocess.Popen[bytes]":
    certificate = str(running.certificate)
    command = ["node", str(_SCRIPT), "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    command += ["--oauth", "basic", "--cert", certificate, "--key", certificate]
    command += ["--location", str(folder), "--blobHost", "127.0.0.1", "--blobPort", str(running.port)]
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
    )


def _answers(running: SecureAzurite, process: "subprocess.Popen[bytes]") -> bool:
    """Returns whether Azurite answers before its time is over, and has not ended before."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", running.port), 2) as plain,
            running.trust.wrap_socket(plain, server_hostname="127.0.0.1"),
        ):
            return True
        time.sleep(0.05)
    return False


def _encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
