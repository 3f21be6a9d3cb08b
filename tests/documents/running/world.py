"""What the blocks of all pages meet: a local stack with the web around it, a user, and a finished dataset."""

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.storage.blob import BlobServiceClient

from pixcrawler import Client
from playground.gallery import default_photos
from playground.stack import Stack, running
from tests.documents.running.services import Services, services

CONTAINER = "pixcrawler-datasets"
_SETTINGS = {"CRAWL_ALLOW_PRIVATE_NETWORKS": "true", "ADDRESS_REQUESTS_PER_MINUTE": "100000"}


@dataclass(frozen=True, slots=True)
class World:
    """The addresses, keys and ids that blocks use. `folder` is for what the pages share."""

    folder: Path
    stack: Stack
    services: Services
    key: str
    dataset_id: str
    webhook_secret: str

    @property
    def example_org(self) -> str:
        """What stands for https://example.org."""
        return self.services.example_org

    @property
    def connection_string(self) -> str:
        """The connection string of the storage."""
        return self.stack.azurite.connection_string

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Calls the API, and returns the answer."""
        return _call(self.stack.url, method, path, body, key or self.key)


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """Runs the world during the block."""
    with services(folder) as web, running(_stack(folder, web)) as stack:
        _store_pictures(stack.azurite.connection_string)
        user = _call(stack.url, "POST", "/api/v1/users", {"name": "Ann", "tier": "enterprise"}, stack.api_key)
        scopes = {"name": "documents", "scopes": ["read", "submit"]}
        key = _call(stack.url, "POST", f"/api/v1/users/{user['id']}/keys", scopes, stack.api_key)["key"]
        secret = _call(stack.url, "GET", "/api/v1/users/me/webhook-secret", None, key)["secret"]
        yield World(folder, stack, web, key, _dataset(stack.url, key, web), secret)


def _stack(folder: Path, web: Services) -> Stack:
    return Stack(folder / "stack", settings={**_SETTINGS, **web.settings()})


def _dataset(url: str, key: str, web: Services) -> str:
    """Makes a dataset, and returns its id."""
    spec = {
        "name": "pets",
        "labels": {"cat": ["cat"], "dog": ["dog"]},
        "max_images_per_label": 20,
        "splits": {"train": 0.8, "test": 0.2},
        "webhook_url": f"{web.example_org}/hook",
    }
    with Client(url, key) as client:
        job = client.submit(spec)
        for seen in client.follow(job.id):
            job = seen
    assert job.state == "completed", job
    return job.id


def _call(url: str, method: str, path: str, body: Any, key: str) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"X-API-Key": key, "Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data, headers, method=method)  # noqa: S310 - the stack on loopback
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - likewise
        return json.loads(answer.read() or b"null")


def _store_pictures(connection_string: str) -> None:
    """Stores the images that examples find in storage."""
    photos = default_photos()
    with BlobServiceClient.from_connection_string(connection_string) as blobs:
        for name, photo in {"inputs/cats/1.jpg": "rocket.jpg", "inputs/x.png": "chelsea.png"}.items():
            blobs.get_blob_client(CONTAINER, name).upload_blob((photos / photo).read_bytes())
