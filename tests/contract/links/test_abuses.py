"""What a link is not good for. Each abuse is tried with a link of either signature, and is refused as the table says.

The requests are sent as they stand here: no client makes their paths or queries normal.
"""

import asyncio
import http.client
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from playground.azurite import Azurite
from shared.storage.azure.account import StorageAccount
from shared.storage.azure.blobs import AzureBlobs
from tests.contract.links.conftest import Linked
from tests.unit.manual_clock import ManualClock

MINE = "datasets/job_1/shards/00001.tar"
LIST = "inputs/me/new.csv"
OTHERS = {
    "sibling": "datasets/job_1/shards/00002.tar",
    "records": "datasets/job_1/records.jsonl.gz",
    "dataset": "datasets/job_2/dataset.zip",
    "list": "inputs/you/list.csv",
    "longer": f"{MINE}.old",
}
SECRET = b"another blob"
BLOB = {"x-ms-blob-type": "BlockBlob"}


@dataclass(frozen=True)
class Abuse:
    """A request. `{…}` in the path stands for a name; `changes` replace parts of the link's query."""

    name: str
    method: str = "GET"
    path: str = "/{container}/{mine}"
    more: str = ""
    changes: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    statuses: frozenset[int] = frozenset({403})

    def __str__(self) -> str:
        return self.name


NOWHERE = frozenset({400, 403, 404})
READING = [
    Abuse("another file of the dataset", path="/{container}/{sibling}"),
    Abuse("the records beside it", path="/{container}/{records}"),
    Abuse("another dataset", path="/{container}/{dataset}"),
    Abuse("another user's list", path="/{container}/{list}"),
    Abuse("a name that begins in the same way", path="/{container}/{longer}"),
    Abuse("the head of another file", "HEAD", "/{container}/{sibling}"),
    Abuse("another container", path="/other-container/{mine}", statuses=NOWHERE),
    Abuse("the list of the container", path="/{container}", more="restype=container&comp=list"),
    Abuse(
        "the list below a prefix", path="/{container}", more="restype=container&comp=list&prefix=datasets/"
    ),
    Abuse("the list of containers", path="/", more="comp=list", statuses=NOWHERE),
    Abuse("the properties of the container", path="/{container}", more="restype=container"),
    Abuse(
        "the properties of the service", path="/", more="restype=service&comp=properties", statuses=NOWHERE
    ),
    Abuse(
        "a key for more links", "POST", "/", more="restype=service&comp=userdelegationkey", statuses=NOWHERE
    ),
    Abuse("a search by tags", path="/{container}", more="restype=container&comp=blobs", statuses=NOWHERE),
    Abuse("the tags", more="comp=tags"),
    Abuse("overwriting it", "PUT", headers=BLOB),
    Abuse("staging a block", "PUT", more="comp=block&blockid=MDAwMDAwMDE%3D"),
    Abuse("committing no blocks", "PUT", more="comp=blocklist"),
    Abuse("its metadata", "PUT", more="comp=metadata"),
    Abuse("its headers", "PUT", more="comp=properties", headers={"x-ms-blob-content-type": "text/html"}),
    Abuse("its tier", "PUT", more="comp=tier", headers={"x-ms-access-tier": "Archive"}),
    Abuse(
        "a lease",
        "PUT",
        more="comp=lease",
        headers={"x-ms-lease-action": "acquire", "x-ms-lease-duration": "-1"},
    ),
    Abuse("a snapshot of it", "PUT", more="comp=snapshot"),
    Abuse("deleting it", "DELETE"),
    Abuse("deleting another file", "DELETE", "/{container}/{sibling}"),
    Abuse("a new blob", "PUT", "/{container}/inputs/me/planted.csv", headers=BLOB),
    Abuse("an earlier snapshot", more="snapshot=2026-01-01T00:00:00.0000000Z", statuses=NOWHERE),
    # the emulator keeps no versions, and answers the file itself
    Abuse(
        "an earlier version",
        more="versionid=2026-01-01T00:00:00.0000000Z",
        statuses=NOWHERE | {200},
    ),
    Abuse("more permissions", changes={"sp": "racwdxltmeop"}),
    Abuse("a later end", changes={"se": "2099-01-01T00%3A00%3A00Z"}),
    Abuse("an earlier start", changes={"st": "2020-01-01T00%3A00%3A00Z"}),
    Abuse("no start", changes={"st": ""}),
    Abuse("the whole container", changes={"sr": "c"}, path="/{container}/{sibling}"),
    Abuse("a directory", changes={"sr": "d"}, more="sdd=1", path="/{container}/{sibling}", statuses=NOWHERE),
    Abuse("another protocol", more="spr=https%2Chttp"),
    Abuse("an older format", changes={"sv": "2018-11-09"}),
    Abuse("another file name", changes={"rscd": "attachment%3B%20filename%3D%22evil.exe%22"}),
    Abuse("a page in place of a file", more="rsct=text%2Fhtml"),
    Abuse("another signature", changes={"sig": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA%3D"}),
    Abuse("no signature", changes={"sig": ""}, statuses=NOWHERE),
    Abuse(
        "no query", changes=dict.fromkeys(("sv", "st", "se", "sr", "sp", "rscd", "sig"), ""), statuses=NOWHERE
    ),
    Abuse("a stored policy", more="si=policy"),
    Abuse("a longer key", changes={"ske": "2099-01-01T00%3A00%3A00Z"}),
    Abuse("dots in the path", path="/{container}/{mine}/../00002.tar", statuses=NOWHERE),
    Abuse("encoded dots", path="/{container}/{mine}/%2e%2e/00002.tar", statuses=NOWHERE),
    Abuse("dots encoded twice", path="/{container}/{mine}/%252e%252e/00002.tar", statuses=NOWHERE),
    Abuse("encoded slashes and dots", path="/{container}/{mine}%2F..%2F00002.tar", statuses=NOWHERE),
    Abuse("backslashes", path="/{container}/{mine}%5C..%5C00002.tar", statuses=NOWHERE),
    Abuse("a byte of zero", path="/{container}/{sibling}%00{mine}", statuses=NOWHERE),
    Abuse("the root container", path="/{mine}", statuses=NOWHERE),
    Abuse("another account", path="/../devstoreaccount2/{container}/{sibling}", statuses=NOWHERE),
]
UPLOADING = [
    Abuse("reading", statuses=NOWHERE),
    Abuse("another name", "PUT", "/{container}/inputs/me/other.csv", headers=BLOB),
    Abuse("another user's folder", "PUT", "/{container}/inputs/you/new.csv", headers=BLOB),
    Abuse("a list of another user", "PUT", "/{container}/{list}", headers=BLOB),
    Abuse("a dataset", "PUT", "/{container}/{dataset}", headers=BLOB),
    Abuse(
        "dots in the path", "PUT", "/{container}/inputs/me/../you/list.csv", headers=BLOB, statuses=NOWHERE
    ),
    Abuse("blocks without an end", "PUT", more="comp=block&blockid=MDAwMDAwMDE%3D"),
    Abuse("listing", path="/{container}", more="restype=container&comp=list"),
    Abuse("reading a dataset", path="/{container}/{dataset}"),
    Abuse("deleting", "DELETE", statuses=NOWHERE),
    Abuse("more permissions", changes={"sp": "rcwd"}),
    Abuse("a later end", "PUT", changes={"se": "2099-01-01T00%3A00%3A00Z"}, headers=BLOB),
]


@pytest.fixture
async def stored(linked: Linked) -> AsyncIterator[Linked]:
    await linked.blobs.put(MINE, b"mine")
    for name in OTHERS.values():
        await linked.blobs.put(name, SECRET)
    yield linked
    assert await linked.blobs.get(MINE) == b"mine"
    found = {info.name: info async for info in linked.blobs.list("")}
    assert found.keys() == {MINE, *OTHERS.values()}
    assert all([await linked.blobs.get(name) == SECRET for name in OTHERS.values()])


@pytest.mark.parametrize("abuse", READING, ids=str)
async def test_a_link_to_a_file_opens_nothing_else(stored, abuse):
    link = await stored.blobs.sign(MINE, lifetime_seconds=60, filename="00001.tar")
    await _is_refused(stored, link.url, abuse, MINE)


@pytest.mark.parametrize("abuse", UPLOADING, ids=str)
async def test_an_upload_link_makes_one_blob_and_nothing_else(stored, abuse):
    link = await stored.blobs.sign_upload(LIST, lifetime_seconds=60)
    await _is_refused(stored, link.url, abuse, LIST)


@pytest.mark.parametrize("hours", [-1, 1], ids=["after its end", "before its start"])
async def test_a_link_opens_nothing_at_another_time(azurite, stored, hours):
    clock = ManualClock(datetime.now(UTC) + timedelta(hours=hours))
    early = AzureBlobs(StorageAccount(azurite.connection_string), "box", clock)
    await early.put("a", SECRET)
    link = await early.sign("a", lifetime_seconds=60, filename="a")
    async with stored.session.get(link.url, ssl=True) as answer:
        assert answer.status == 403
    await early.close()


@pytest.mark.parametrize("service", ["queue", "table"])
async def test_a_link_opens_no_other_service(azurite: Azurite, stored, service):
    link = await stored.blobs.sign(MINE, lifetime_seconds=60, filename="00001.tar")
    port = getattr(azurite.ports, service)
    query = urlsplit(link.url).query
    for path in ("?comp=list&", "jobs?", "Tables?", "crawl-jobs/messages?"):
        url = f"http://127.0.0.1:{port}/devstoreaccount1/{path}{query}"
        async with stored.session.get(url, ssl=True) as answer:
            assert 400 <= answer.status < 500


async def _is_refused(stored: Linked, url: str, abuse: Abuse, mine: str) -> None:
    names = {**OTHERS, "mine": mine, "container": stored.container}
    pairs = dict(part.split("=", 1) for part in urlsplit(url).query.split("&"))
    pairs |= abuse.changes
    query = "&".join(f"{name}={value}" for name, value in pairs.items() if value)
    target = f"{urlsplit(stored.root).path}{abuse.path.format_map(names)}?{abuse.more}&{query}"
    status, body = await asyncio.to_thread(_send, stored, abuse, target)
    assert status in abuse.statuses, body
    assert SECRET not in body


def _send(stored: Linked, abuse: Abuse, target: str) -> tuple[int, bytes]:
    host = urlsplit(stored.root)
    connection: http.client.HTTPConnection
    if stored.trust is None:
        connection = http.client.HTTPConnection(host.netloc, timeout=30)
    else:
        connection = http.client.HTTPSConnection(host.netloc, timeout=30, context=stored.trust)
    try:
        body = b"planted" if abuse.method == "PUT" else None
        connection.request(abuse.method, target, body, dict(abuse.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()
