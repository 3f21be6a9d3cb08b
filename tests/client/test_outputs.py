"""What commands print for people, on a terminal and elsewhere."""

import io
import json

import pytest

from pixcrawler.plain_text import file_name, json_text
from pixcrawler.spec_files import name_of
from pixcrawler.terminal.output import console, print_fields, print_table, size_text
from tests.client.conftest import HOSTILE, JOB, UNSAFE, Answer, StoredFile, links, problem

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
    "links": {"self": "/api/v1/datasets/a1"},
}  # fmt: skip
LIST = {"id": "l1", "name": HOSTILE, "blob": "b", "state": "stored", "size_bytes": 3, "created_at": TIME}
OPTOUT = {
    "id": "o1", "kind": "host", "value": HOSTILE, "distance": 0, "created_at": TIME, "created_by": "admin",
}  # fmt: skip
HOLDING = {
    "user_id": "u1", "dataset_id": "a1", "name": HOSTILE, "revision": 3, "images": 2, "indices": [0, 4],
    "complete": False, "links": {},
}  # fmt: skip
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
        "jobs/a1/retry": Answer(JOB, 202), "optouts": page(OPTOUT), "optouts/o1": Answer(OPTOUT),
        "optouts/o1/datasets": page(HOLDING),
    }.items():  # fmt: skip
        app.on(f"{API}/{path}", answer)
    return app


@pytest.mark.parametrize(("command", "words"), [
    ("users list", "u1 active pro"), ("users show u1", "u1 pro active"), ("users me", "Ann pro jobs_open"),
    ("users change u1 --tier pro", "u1"), ("users delete u1 --datasets keep -y", "u1 is active"),
    ("keys list", "k1 pxc_ read"), ("keys revoke k1 -y", "Revoked k1"), ("datasets", "a1 2 1.2 MB hot"),
    ("datasets a1", "a1 revision 1.2 MB zip train cat"), ("rehydrate a1 --days 3", "a1 hot"),
    ("lists list", "l1 stored 3 bytes b"),
    ("lists delete l1 -y", "Deleted l1"), ("insights", "jobs_completed Jobs"), ("cancel a1", "a1 is completed"),
    ("optouts list", "o1 host admin"), ("optouts delete o1 -y", "Deleted o1"), ("optouts datasets o1", "a1 u1 3 2"),
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


def test_an_optout_is_added_with_a_distance_only_if_one_is_given(served, run):
    served.on(f"{API}/optouts", Answer(OPTOUT, 201))
    assert "optouts datasets o1" in run("optouts", "add", "host", "artist.example.org").output
    run("optouts", "add", "perceptual_hash", "f0c5f01da3dbcc24", "--distance", "0")
    assert [json.loads(asked.body) for asked in served.asked] == [
        {"kind": "host", "value": "artist.example.org"},
        {"kind": "perceptual_hash", "value": "f0c5f01da3dbcc24", "distance": 0},
    ]


@pytest.mark.usefixtures("served")
def test_a_dataset_whose_records_were_not_read_to_the_end_is_named(run):
    assert "records of a1 could not be read" in run("optouts", "datasets", "o1").stderr


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


def test_a_check_says_what_a_spec_would_do(app, run):
    estimate = {
        "prices": {"currency": "USD"}, "candidates": 2_200, "size_bytes": {"amount": 3e8}, "job_cost": 0.5,
        "duration_seconds": {"amount": 7_200.0},
    }  # fmt: skip
    outlook = {"accepted": True, "images_max": 1000, "warnings": [], "refusals": [], "estimate": estimate}
    warned = {
        **outlook,
        "warnings": [{"field": "labels", "message": HOSTILE}],
        "estimate": {"job_cost": 0.001},
    }
    app.on(f"{API}/specs/validate", Answer(outlook), Answer(warned))
    assert run("submit", "cat", "--check").output.splitlines() == [
        "The spec would be accepted.",
        "images         at most 1,000",
        "candidates     about 2,200",
        "size           about 300.0 MB",
        "duration       about 2 hours",
        "cost on Azure  about 0.50 USD",
    ]
    out = run("submit", "cat", "--check").output
    assert "! labels [red]" in out
    assert "cost on Azure  under 0.01" in out
    assert not UNSAFE & set(out)
    endless = {
        "job_cost": 10**400,
        "size_bytes": {"amount": 10**400},
        "duration_seconds": {"amount": float("nan")},
    }
    app.on(f"{API}/specs/validate", Answer({**outlook, "estimate": endless}))
    assert "size" not in run("submit", "cat", "--check").output


def test_a_check_says_why_a_spec_would_be_refused(app, run):
    refusal = {
        "detail": "The app is not set up.",
        "errors": [{"field": "sources.0", "message": "needs a key"}],
    }
    outlook = {"accepted": False, "images_max": 0, "warnings": [], "refusals": [refusal], "estimate": {}}
    app.on(f"{API}/specs/validate", Answer(outlook))
    assert run("submit", "cat", "--check", code=3).output.splitlines() == [
        "The spec would be refused:",
        "  The app is not set up.",
        "    sources.0 needs a key",
    ]
    assert json.loads(run("submit", "cat", "--check", "--json", code=3).output) == outlook


def test_a_whole_spec_goes_to_the_app_also_if_it_lacks_keywords(app, run):
    app.on(f"{API}/jobs", problem(400, "invalid_request", "The job's spec is not valid."))
    assert "is not valid" in run("submit", "--spec", "-", stdin="keyword: [cat]", code=3).output
    assert "Name keywords" in run("submit", "--name", "cats", code=2).output


def test_times_have_one_form_and_long_values_are_whole(app, run, monkeypatch):
    app.on(f"{API}/users/u1", Answer({**USER, "created_at": "2026-01-02T03:04:05.678900Z"}))
    assert "created  2026-01-02 03:04:05 UTC" in run("users", "show", "u1").output
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr("sys.stdout", terminal)
    print_table(("name", "blob"), [("list", "inputs/user/uploaded/" + "a" * 60)])
    assert terminal.getvalue().count("a") == 62


def test_the_administrator_of_the_settings_has_scopes_only(served, run):
    profile = {**PROFILE, "name": "Administrator", "tier": None, "usage": None, "limits": None}
    served.on(f"{API}/users/profile", Answer(profile))
    assert run("users", "me").output == "id      u1\nname    Administrator\nscopes  read\n"


@pytest.mark.parametrize(("labels", "name"), [
    (["red  panda"], "red-panda"), ([], "dataset"), ([" "], "dataset"), (["cat"] * 4, "cat-cat-cat-cat"),
    (["a", "b", "c", "d", "e", "f"], "a-b-c-d-and-2-more"), (["x" * 300], "x" * 40),
])  # fmt: skip
def test_a_dataset_without_a_name_is_named_by_its_labels(labels, name):
    assert name_of(labels) == name


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
    # file systems count bytes
    assert file_name("\u732b" * 100) == "\u732b" * 66
