"""Keys, paths and headers that no client sends by mistake, over the wire, to a running host."""

import asyncio
from urllib.parse import urlsplit

from playground.client import ApiClient

HOSTILE_KEYS = {
    "not UTF-8": b"pxc_\xff\xfe\xfd",
    "UTF-8": "pxc_\U0001f511é".encode(),
    "full width": "\uff50xc_".encode() * 20,
    "a tab": b"pxc_\tabc",
    "long": b"pxc_" + b"0" * 6_000,
    "too long": b"k" * 100_000,
    "NUL": b"pxc_\x00",
}
HOSTILE_PATHS = [
    "/api/v1/jobs/..%2f..%2fusers",
    "/api/v1/jobs/%2e%2e/%2e%2e/users",
    "/api/v1/jobs/%00",
    "/api/v1/jobs/%ff%fe",
    "/api/v1/jobs/~work",
    "/api/v1/users/~users",
    "/api/v1/users/me%2fkeys",
    "/api/v1/users/..;/keys",
    "/api/v1/jobs/" + "x" * 5_000,
    "/pages/..%2f..%2flocal.settings.json",
    "/pages/%2e%2e%2ffunction_app.py",
    "/dashboard/0123456789abcdef/..%2f..%2f../assets.py",
    "//api/v1/users",
    "/API/V1/USERS",
]
HOSTILE_HEADERS = [
    b"X-MS-CLIENT-PRINCIPAL: e30=",
    b"Authorization: Bearer x",
    b"Cookie: AppServiceAuthSession=x",
    b"X-Forwarded-For: \xff, ::1%eth0, " + b"1.1.1.1," * 900,
    b"If-None-Match: " + b'"a",' * 1500,
    b"traceparent: \xff",
    b"Origin: \xff",
    b"X-Correlation-ID: \xff",
]


async def _status(url: str, path: str, *headers: bytes) -> int:
    """Returns the status of a call as it is written here, or 0 if the host closes the connection."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        head = [f"GET {path} HTTP/1.1".encode(), b"Host: localhost", b"Connection: close", *headers]
        writer.write(b"\r\n".join([*head, b"", b""]))
        line = await asyncio.wait_for(reader.readline(), 20)
        return int(line.split()[1]) if line else 0
    except ConnectionError:
        return 0
    finally:
        writer.close()


async def test_hostile_keys_paths_and_headers_get_neither_data_nor_an_error_of_the_server(
    make_stack, gallery, session
):
    stack = make_stack(OPENVERSE_BASE_URL=gallery)
    admin = ApiClient(session, stack.url, stack.api_key)
    user = await admin._call("POST", "/api/v1/users", {"name": "Bob"})
    body = {"name": "key", "scopes": ["read", "submit"]}
    made = await admin._call("POST", f"{user['links']['self']}/keys", body)
    key = b"X-API-Key: " + made["key"].encode()

    for name, hostile in HOSTILE_KEYS.items():
        header = b"X-API-Key: " + hostile
        # the host itself refuses headers that are too long or no text
        assert await _status(stack.url, "/api/v1/jobs", header) in {400, 401}, name
        assert await _status(stack.url, "/health", header) in {200, 400}, name
    for path in HOSTILE_PATHS:
        assert await _status(stack.url, path, key) in {403, 404}, path
    for header in HOSTILE_HEADERS:
        assert await _status(stack.url, "/api/v1/jobs", header) == 401, header
        assert await _status(stack.url, "/api/v1/jobs", key, header) == 200, header
    for two in ((key, b"X-API-Key: wrong"), (b"X-API-Key: wrong", key)):
        assert await _status(stack.url, "/api/v1/jobs", *two) == 401
