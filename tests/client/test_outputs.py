"""What commands print for people, on a terminal and elsewhere."""

import io

import pytest

from pixcrawler.plain_text import file_name, json_text
from pixcrawler.terminal.output import console, print_fields, print_table, size_text
from tests.client.conftest import HOSTILE, JOB, UNSAFE, Answer, StoredFile, links

TIME = "2026-01-01T00:00:00Z"
USER = {"id": "u1", "name": HOSTILE, "tier": "pro", "status": "active", "created_at": TIME, "links": {}}
KEY = {
    "id": "k1", "name": HOSTILE, "prefix": "pxc_", "scopes": ["read"], "created_at": TIME, "expires_at": None,
    "last_used_at": TIME,
}  # fmt: skip
DATASET = {
    "id": "a1", "name": HOSTILE, "revision": 1, "image_count": 2, "size_bytes": 1_234_567, "tier": "hot",
    "format": "zip", "created_at": TIME, "labels": JOB["labels"], "splits": {"train": 2}, "sha256": "0" * 64,
    "keeping": {"moving_to": None, "online_until": TIME},
}  # fmt: skip
LIST = {"id": "l1", "name": HOSTILE, "blob": "b", "state": "stored", "size_bytes": 3, "created_at": TIME}
PROFILE = {
    "id": "u1",
    "name": "Ann",
    "tier": "pro",
    "scopes": ["read"],
    "usage": {"jobs_open": 1},
    "limits": {},
}
API = "/api/v1"


@pytest.fixture
def served(app):
    """An app with one of each."""

    def page(item):
        return Answer({"items": [item], "next": None})

    for path, answer in {
        "users": page(USER), "users/u1": Answer(USER), "users/profile": Answer(PROFILE), "users/me/keys": page(KEY),
        "users/me/keys/k1": Answer(b"", 204), "datasets": page(DATASET), "datasets/a1": Answer(DATASET),
        "datasets/a1/rehydrate": Answer(DATASET, 202), "lists": page(LIST), "lists/l1": Answer(LIST),
        "insights": page({"name": "jobs_completed", "title": "Jobs"}), "jobs/a1/cancel": Answer(JOB),
        "jobs/a1/retry": Answer(JOB, 202),
    }.items():  # fmt: skip
        app.on(f"{API}/{path}", answer)
    return app


@pytest.mark.parametrize(("command", "words"), [
    ("users list", "u1 active pro"), ("users show u1", "u1 pro active"), ("users me", "Ann pro jobs_open"),
    ("users change u1 --tier pro", "u1"), ("users delete u1 --datasets keep -y", "u1 is active"),
    ("keys list", "k1 pxc_ read"), ("keys revoke k1 -y", "Revoked k1"), ("datasets", "a1 2 1.2 MB hot"),
    ("datasets a1", "a1 1.2 MB zip train cat"), ("rehydrate a1 --days 3", "a1 hot"),
    ("lists list", "l1 stored 3 bytes b"),
    ("lists delete l1 -y", "Deleted l1"), ("insights", "jobs_completed Jobs"), ("cancel a1", "a1 is completed"),
    ("retry a1", "a1 is completed"), ("delete a1 --dataset-only -y", "Deleted the dataset a1"),
])  # fmt: skip
@pytest.mark.usefixtures("served")
def test_each_command_prints_what_it_has_read_in_plain_text(run, command, words):
    out = run(*command.split()).output
    assert [word for word in words.split() if word not in out] == []
    assert not UNSAFE & set(out)
    assert not UNSAFE & set(run(*command.split(), "--json").output)


def test_keys_and_users_are_made(served, run):
    served.on(f"{API}/users", Answer(USER, 201))
    served.on(f"{API}/users/me/keys", Answer({**KEY, "key": "pxc_secret"}, 201))
    assert "u1" in run("users", "add", "Ann").output
    assert "pxc_secret" in run("keys", "add", "laptop", "--scope", "read", "--expires", TIME).output
    assert all("idempotency-key" in asked.headers for asked in served.asked)


def test_a_terminal_gets_a_table_without_the_markup_of_a_hostile_server(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("sys.stdout", terminal)
    print_table(("name", "none"), [(HOSTILE, None)])
    print_fields({"name": HOSTILE, "left out": None})
    console().print("[red]x")
    assert "[red]" in terminal.getvalue()
    assert not (UNSAFE - {"\x1b"}) & set(terminal.getvalue())
    assert "\x1b]0" not in terminal.getvalue()
    assert "\x1b[2J" not in terminal.getvalue()


def test_progress_of_a_download_is_shown_on_a_terminal(app, run, tmp_path, monkeypatch):
    monkeypatch.setattr("pixcrawler.commands.datasets._is_terminal", lambda: True)
    app.on("/blob", StoredFile(b"content"))
    app.on(f"{API}/datasets/a1/download", links(app, b"content"))
    assert "pets.zip" in run("download", "a1", "--to", str(tmp_path)).output


def test_sizes_names_and_json_are_plain():
    sizes = [size_text(size) for size in (0, 999, 1_000, 10**9, 10**15)]
    assert sizes == ["0 bytes", "999 bytes", "1.0 kB", "1.0 GB", "1000.0 TB"]
    assert json_text("\x7f\x1b\u202e") == '"\\u007f\\u001b\\u202e"'
    assert [file_name(name) for name in ("nul", "a/b", ".hidden", "x" * 300)] == [
        "_nul",
        "a_b",
        "hidden",
        "x" * 200,
    ]
