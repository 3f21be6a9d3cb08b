"""The benchmark of costs counts requests as Azure's price lists do."""

import pytest

from bench.suites.costs import kinds_of

BLOB = "/devstoreaccount1/pixcrawler-datasets/work/job_a/shards/1"
QUEUE = "/devstoreaccount1/crawl-chunks/messages"


@pytest.mark.parametrize(
    ("method", "path", "kinds"),
    [
        ("GET", BLOB, ["blob reads"]),
        ("PUT", BLOB, ["blob writes"]),
        ("PUT", f"{BLOB}?comp=block&blockid=MDAwMDAwMDE%3D", ["blob writes"]),
        ("PUT", f"{BLOB}?comp=blocklist", ["blob writes"]),
        ("PUT", f"{BLOB}?comp=tier", ["blob writes"]),
        ("PUT", f"{BLOB}?comp=metadata", ["other blob calls"]),
        ("HEAD", BLOB, ["other blob calls"]),
        ("GET", f"{BLOB}?comp=blocklist&blocklisttype=uncommitted", ["other blob calls"]),
        ("DELETE", BLOB, []),
        (
            "GET",
            "/devstoreaccount1/pixcrawler-datasets?restype=container&comp=list&prefix=work",
            ["lists of blobs"],
        ),
        ("POST", QUEUE, ["queue calls"]),
        ("GET", f"{QUEUE}?numofmessages=2", []),
        ("PUT", f"{QUEUE}/1?popreceipt=x&visibilitytimeout=30", ["queue calls"]),
        ("DELETE", f"{QUEUE}/1?popreceipt=x", ["queue calls", "queue calls", "executions"]),
        ("GET", "/devstoreaccount1/jobs(PartitionKey='admin',RowKey='a')", ["table calls"]),
        ("GET", "/devstoreaccount1/chunks()?$filter=x", ["table calls"]),
        ("POST", "/devstoreaccount1/$batch", ["table calls"]),
    ],
)
def test_a_request_counts_as_its_kind(method, path, kinds):
    assert list(kinds_of(method, path)) == kinds
