"""The command line: exit codes, output for people and programs, and texts of a hostile server."""

import json
import stat
import subprocess
import sys

import pytest

from pixcrawler.commands.watch import _bars
from tests.client.conftest import HOSTILE, JOB, KEY, UNSAFE, Answer, StoredFile, links, problem


def test_login_stores_the_key_where_only_its_user_can_read_it(app, run, config, monkeypatch):
    app.on("/api/v1/jobs", Answer({"items": [], "next": None}))
    monkeypatch.delenv("PIXCRAWLER_API_KEY")
    monkeypatch.delenv("PIXCRAWLER_URL")
    run("jobs", code=2)
    out = run("login", app.url, stdin=f"{KEY}\n").output
    assert KEY not in out
    signed_in = json.loads(run("login", app.url, "--json", stdin=f"{KEY}\n").output)
    assert signed_in == {"url": app.url, "file": str(config)}
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert list(config.parent.iterdir()) == [config]
    run("jobs")
    assert app.asked[-1].headers["x-api-key"] == KEY
    config.chmod(0o644)
    assert "chmod 600" in run("jobs", code=2).output
    config.chmod(0o600)
    assert json.loads(run("logout", "--json").output) == {"signed_out": True}
    assert run("logout").output == "Nothing was stored.\n"
    run("jobs", code=2)


def test_a_stored_key_is_sent_to_its_own_app_only(app, run, monkeypatch):
    app.on("/api/v1/jobs", Answer({"items": [], "next": None}))
    run("login", app.url)
    monkeypatch.delenv("PIXCRAWLER_API_KEY")
    assert "No key for" in run("jobs", "--url", "http://127.0.0.1:9", code=2).output
    run("jobs", "--url", f"{app.url}/")


@pytest.mark.parametrize(("answer", "code"), [
    (problem(401, "unauthenticated", "No."), 3),
    (problem(403, "forbidden", "No."), 0),
])  # fmt: skip
def test_login_tries_the_key(app, run, config, answer, code):
    app.on("/api/v1/jobs", answer)
    run("login", app.url, code=code)
    assert config.exists() is (code == 0)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', "\xff"])
def test_a_damaged_file_of_the_login_is_reported(run, config, text, monkeypatch):
    monkeypatch.delenv("PIXCRAWLER_API_KEY")
    config.parent.mkdir()
    config.write_bytes(text.encode("latin-1"))
    config.chmod(0o600)
    assert "damaged" in run("jobs", code=2).output


@pytest.mark.parametrize(("arguments", "code"), [
    (("show", "absent"), 3), (("submit",), 2), (("show",), 2), (("unknown",), 2), (("submit", "--spec", "absent"), 2),
    (("health", "--url", "http://127.0.0.1:9"), 4), (("show", "strange"), 6), (("download", "archived"), 5),
    (("watch", "failed"), 1), (("health",), 1), (("delete", "a1", "--with-dataset", "--dataset-only"), 2),
    (("users", "delete", "u", "--datasets", "some"), 2), (("users", "change", "u"), 2),
    (("lists", "upload", "a.doc"), 2), (("submit", "--label", "=cat"), 2),
    (("submit", "--label", "a", "--label", "a"), 2),
])  # fmt: skip
def test_each_way_to_fail_has_its_exit_code(app, run, arguments, code):
    app.on("/api/v1/jobs/strange", Answer(b"<html>"))
    app.on(
        "/api/v1/jobs/failed",
        Answer({**JOB, "state": "failed", "error": {"code": "no_images", "detail": "None."}}),
    )
    app.on("/api/v1/datasets/archived/download", links(app, b"x", url=None))
    app.on("/health", Answer({"status": "unhealthy", "checks": {"tables": {"status": "unhealthy"}}}, 503))
    run(*arguments, code=code)


def test_an_interrupted_command_has_its_exit_code(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pixcrawler.client.Client.job", interrupt)
    run("show", "a1", code=130)


def test_who_stops_watching_reads_that_the_job_goes_on(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pixcrawler.client.Client.follow", interrupt)
    assert run("watch", "a1", code=130).output == "The job goes on. Watch it with: pixcrawler watch a1\n"


def test_a_deletion_is_asked_about(app, run):
    app.on("/api/v1/jobs/a1", Answer(b"", 204))
    run("delete", "a1", stdin="n\n", code=1)
    assert app.asked == []
    run("delete", "a1", "--with-dataset", stdin="y\n")
    assert app.asked[0].path == "/api/v1/jobs/a1?dataset=delete"


def test_flags_and_a_spec_become_one_spec(app, run, tmp_path):
    app.on("/api/v1/jobs", Answer(JOB, 201))
    spec = tmp_path / "spec.yaml"
    spec.write_text("labels: {cat: [cat]}\nfilters: {min_width: 9}\nsplits: {train: 1.0}\n")
    run(
        "submit",
        "--spec",
        str(spec),
        "--license",
        "cc0",
        "--name",
        "mine",
        "--max-images",
        "7",
        "--format",
        "zip",
    )
    run("submit", "cat", "dog", "--source", "openverse", "--idempotency-key", "k")
    run("submit", "--label", "cat=cat, kitten", "--label", "dog", "--json")
    run("submit", "--spec", "-", stdin='{"keywords": ["cat"]}')
    bodies = [json.loads(asked.body) for asked in app.asked]
    assert bodies[0] == {
        "labels": {"cat": ["cat"]}, "filters": {"min_width": 9, "licenses": ["cc0"]}, "splits": {"train": 1.0},
        "name": "mine", "max_images_per_label": 7, "output": {"format": "zip"},
    }  # fmt: skip
    assert bodies[1] == {"keywords": ["cat", "dog"], "sources": [{"type": "openverse"}], "name": "cat-dog"}
    assert app.asked[1].headers["idempotency-key"] == "k"
    assert bodies[2] == {"labels": {"cat": ["cat", "kitten"], "dog": ["dog"]}, "name": "cat-dog"}
    assert bodies[3] == {"keywords": ["cat"]}


@pytest.mark.parametrize("text", [
    "a: &a [1]\nlabels: [*a, *a]", "- cat", "name: 2026-01-01", "a: .nan", "a: !!python/object/apply:os.system [ls]",
    "{", "[" * 100_000, "\x00", "a: b: c",
])  # fmt: skip
def test_a_spec_that_is_none_is_refused_before_anything_is_sent(app, run, tmp_path, text):
    spec = tmp_path / "spec.yaml"
    spec.write_text(text)
    assert "is no spec" in run("submit", "--spec", str(spec), code=2).output
    assert app.asked == []


def test_a_hostile_server_cannot_act_on_the_terminal(app, run):
    hostile = {
        **JOB, "name": HOSTILE, "notice": HOSTILE, "state": HOSTILE, "problems": [HOSTILE],
        "labels": {HOSTILE: JOB["labels"]["cat"]}, "rejections": {HOSTILE: 1},
        "error": {"code": HOSTILE, "detail": HOSTILE},
    }  # fmt: skip
    app.on("/api/v1/jobs/a1", Answer(hostile))
    app.on("/api/v1/jobs", Answer({"items": [hostile], "next": None}))
    app.on("/api/v1/jobs/x", problem(400, HOSTILE, HOSTILE, errors=[{"field": HOSTILE, "message": HOSTILE}]))
    record = {"index": 1, "label": HOSTILE, "url": HOSTILE, "outcome": "kept", "new": HOSTILE}
    app.on("/api/v1/jobs/a1/records", Answer({"items": [record], "next": None}))
    app.on("/api/v1/insights/r", Answer({
        "name": "r", "title": "", "columns": [{"name": HOSTILE}], "rows": [{HOSTILE: HOSTILE}], "notice": HOSTILE,
    }))  # fmt: skip
    printed = [
        run(*arguments, code=code).output
        for arguments, code in (
            (("show", "a1"), 0), (("show", "a1", "--json"), 0), (("jobs",), 0), (("jobs", "--json"), 0),
            (("records", "a1"), 0), (("records", "a1", "--json"), 0), (("show", "x"), 3), (("insights", "r"), 0),
        )
    ]  # fmt: skip
    for text in printed:
        assert not UNSAFE & set(text)
        assert "evil" in text
    assert json.loads(printed[1])["name"] == HOSTILE


def test_bars_show_each_label_without_the_markup_of_a_hostile_server():
    from io import StringIO

    from rich.console import Console

    from pixcrawler.answers import Job

    labels = {f"{HOSTILE}{number}": JOB["labels"]["cat"] for number in range(50)}
    job = Job.model_validate({**JOB, "labels": labels, "notice": HOSTILE})
    out = StringIO()
    Console(file=out, width=120, height=20, markup=False).print(_bars(job, 20))
    assert not UNSAFE & set(out.getvalue())
    assert "[red]" in out.getvalue()
    assert "and 38 more labels" in out.getvalue()
    assert out.getvalue().count("\n") <= 20


def test_watching_prints_each_change_once(app, run):
    running = {**JOB, "state": "crawling"}
    again = {"Retry-After": "0"}
    app.on("/api/v1/jobs/a1", Answer(running, headers=again), Answer(running, headers=again), Answer(JOB))
    assert run("watch", "a1").output.splitlines()[:2] == [
        "crawling  found 3  kept 2  rejected 1",
        "completed  found 3  kept 2  rejected 1",
    ]
    app.on("/api/v1/jobs/a1", Answer(running, headers=again), Answer(JOB))
    lines = run("watch", "a1", "--json").output.splitlines()
    assert [json.loads(line)["state"] for line in lines] == ["crawling", "completed"]


def test_a_large_list_goes_to_storage_without_the_key(app, run, tmp_path, monkeypatch):
    monkeypatch.setattr("pixcrawler.uploads.lists._MAX_BODY_BYTES", 10)
    stored = {
        "id": "l1", "name": "n", "blob": "inputs/u/uploaded/l1.csv", "state": "stored", "size_bytes": 30,
        "created_at": "2026-01-01T00:00:00Z", "upload": None,
    }  # fmt: skip
    link = {"method": "PUT", "url": f"{app.url}/put", "headers": {"x-ms-blob-type": "BlockBlob"}}
    app.on("/api/v1/lists", Answer({**stored, "state": "awaiting_upload", "upload": link}, 201))
    app.on("/api/v1/lists/l1", Answer(stored))
    app.on("/put", Answer(b"", 201))
    path = tmp_path / "list.csv"
    path.write_bytes(b"url\nhttps://example.org/1.jpg\n")
    assert run("lists", "upload", str(path)).output.strip() == stored["blob"]
    put = next(asked for asked in app.asked if asked.path == "/put")
    assert put.body == path.read_bytes()
    assert put.headers["x-ms-blob-type"] == "BlockBlob"
    assert "x-api-key" not in put.headers
    app.on("/put", Answer(b"", 403))
    run("lists", "upload", str(path), code=5)
    path.write_bytes(b"")
    assert "0 bytes" in run("lists", "upload", str(path), code=2).output


def test_a_download_prints_where_the_files_are(app, run, tmp_path):
    app.on("/blob", StoredFile(b"content"))
    app.on("/api/v1/datasets/a1/download", links(app, b"content"))
    out = run("download", "a1", "--to", str(tmp_path), "--json").output
    assert json.loads(out) == {"files": [str(tmp_path / "pets.zip")], "folders": []}
    assert "damaged" in run("download", "a1", "--to", str(tmp_path), "--unpack", code=5).output


def test_a_refresh_that_its_administrator_cannot_watch_is_said_to_have_begun(app, run):
    app.on("/api/v1/datasets/a1/refresh", Answer(JOB, 202))
    out = run("refresh", "a1", "--wait", code=3).stderr
    assert out.splitlines()[0] == "The refresh of a1 has begun. Only the owner of the dataset can watch it."


def test_shards_are_not_unpacked_as_loaders_read_them_as_they_are(app, run, tmp_path):
    app.on("/blob", StoredFile(b"content"))
    app.on("/api/v1/datasets/a1/download", links(app, b"content", filename="train-00001.tar"))
    out = run("download", "a1", "--to", str(tmp_path), "--unpack", "--json").output
    assert json.loads(out) == {"files": [str(tmp_path / "train-00001.tar")], "folders": []}


def test_help_and_completion_import_nothing_heavy():
    program = (
        "import sys; from pixcrawler.commands.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx', 'pydantic', 'rich', 'yaml', 'asyncio', 'zipfile'} & set(sys.modules)\n"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    environment = {"PYTHONPATH": _SOURCE}
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage:" in done.stdout


_SOURCE = next(path for path in sys.path if path.endswith("client/src"))


def test_a_spec_is_checked_or_waited_for(app, run):
    outlook = {"accepted": False, "images_max": 5, "warnings": [], "refusals": []}
    app.on("/api/v1/specs/validate", Answer(outlook), Answer({**outlook, "accepted": True}))
    run("submit", "cat", "--check", code=3)
    run("submit", "cat", "--check")
    app.on("/api/v1/jobs", Answer(JOB, 201))
    app.on(
        "/api/v1/jobs/a1",
        Answer({**JOB, "state": "failed", "error": {"code": "no_images", "detail": "None."}}),
    )
    assert "no_images: None." in run("submit", "cat", "--wait", code=1).output
