"""The synchronous and the asynchronous client have the same methods, which make the same calls."""

import inspect

import pytest

from pixcrawler import AsyncClient, BadAnswer, Client, NotConfigured, PixCrawlerError
from pixcrawler.config import Login, store
from pixcrawler.exchange import MAX_ANSWER_BYTES
from tests.client.conftest import JOB, KEY, Answer
from tests.client.downloads.test_images import entry
from tests.client.streaming.served import make, records_of, serve
from tests.client.test_outputs import DATASET, LIST

LINKS: dict[str, object] = {
    "expires_at": "2026-01-01T00:00:00Z",
    "files": [],
    "records": None,
    "notice": None,
}
OUTLOOK: dict[str, object] = {"accepted": True, "images_max": 5, "warnings": [], "refusals": []}
ANSWERS = {
    "jobs": {**JOB, "items": [JOB], "next": None}, "jobs/a1": JOB, "jobs/a1/cancel": JOB, "jobs/a1/retry": JOB,
    "jobs/a1/records": {"items": [], "next": None}, "datasets": {"items": [DATASET], "next": None},
    "datasets/a1": DATASET, "datasets/a1/download": LINKS, "specs/validate": OUTLOOK,
    "datasets/a1/rehydrate": DATASET, "datasets/a1/refresh": JOB,
    "datasets/a1/images": {"items": [entry(1)], "next": None}, "datasets/a1/images/r1-1": b"image",
}  # fmt: skip
CALLS = {
    "submit": ({"keywords": ["cat"]},), "validate": ({"keywords": ["cat"]},), "job": ("a1",), "jobs": (),
    "follow": ("a1",), "records": ("a1",), "cancel": ("a1",), "retry": ("a1",), "delete_job": ("a1",),
    "datasets": (), "dataset": ("a1",), "delete_dataset": ("a1",), "links": ("a1",), "rehydrate": ("a1",),
    "refresh": ("a1",), "images": ("a1",), "image": ("a1", "r1-1"),
}  # fmt: skip
BY_THREADS = {"download", "load_dataset", "upload_list"}


@pytest.fixture
def served(app):
    for path, body in ANSWERS.items():
        app.on(f"/api/v1/{path}", Answer(body))
    return app


def test_all_methods_are_compared_here():
    def public(kind):
        return {name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)
    assert public(AsyncClient) - BY_THREADS - {"close", "from_login", "do", "pages", "send"} == CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
async def test_a_method_makes_the_same_call_and_gives_the_same_answer(served, client, name):
    found = getattr(client, name)(*CALLS[name])
    one = list(found) if inspect.isgenerator(found) else found
    async with AsyncClient(served.url, KEY) as other:
        coming = getattr(other, name)(*CALLS[name])
        two = [each async for each in coming] if inspect.isasyncgen(coming) else await coming
    assert one == two
    first, second = served.asked
    assert (first.method, first.path, first.body) == (second.method, second.path, second.body)


@pytest.mark.parametrize("answer", [Answer(b"<"), Answer(b"x" * (MAX_ANSWER_BYTES + 1)), Answer(b"", 204)])
async def test_the_asynchronous_client_refuses_what_is_no_answer(app, answer):
    app.on("/api/v1/jobs/a1", answer)
    async with AsyncClient(app.url, KEY) as client:
        with pytest.raises(BadAnswer):
            await client.job("a1")
        with pytest.raises(PixCrawlerError):
            [job async for job in client.follow("a1")]


async def test_both_clients_take_the_url_and_the_key_of_the_login(app, config, monkeypatch):
    monkeypatch.setenv("PIXCRAWLER_CONFIG", str(config))
    monkeypatch.delenv("PIXCRAWLER_URL", raising=False)
    monkeypatch.delenv("PIXCRAWLER_API_KEY", raising=False)
    with pytest.raises(NotConfigured, match="pixcrawler login"):
        Client.from_login()
    store(Login(app.url, KEY))
    app.on("/api/v1/jobs/a1", Answer(JOB))
    with Client.from_login() as client:
        one = client.job("a1")
    async with AsyncClient.from_login() as other:
        assert await other.job("a1") == one
    assert [asked.headers["x-api-key"] for asked in app.asked] == [KEY, KEY]


async def test_the_asynchronous_client_loads_datasets_and_stores_lists(app, tmp_path):
    content, lines = make(20, 200)
    serve(app, content, records_of(lines))
    app.on("/api/v1/lists", Answer(LIST, 201))
    (tmp_path / "list.txt").write_text("https://example.org/1.jpg\n")
    async with AsyncClient(app.url, KEY) as client:
        dataset = await client.load_dataset("a1", label="dog")
        assert (await client.upload_list(tmp_path / "list.txt")).id == "l1"
    assert [image.label for image in dataset] == ["dog"] * 7
