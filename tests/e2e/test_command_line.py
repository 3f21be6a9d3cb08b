"""Every command of the command line as a process of its own, against the running host."""

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from pixcrawler import Client
from playground.azurite import ROOT, free_port
from tests.client.all_commands import all_commands
from tests.client.hub import running_hub


class Terminal:
    """Runs commands, and remembers which."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.ran: set[str] = set()
        self.environment = {
            "PYTHONPATH": str(ROOT / "client" / "src"),
            "PIXCRAWLER_CONFIG": str(folder / "config" / "login.json"),
        }

    async def run(
        self, *arguments: str, code: int = 0, or_code: int | None = None, stdin: str = "", key: str = ""
    ) -> str:
        """Runs a command, which must end with one of these codes, and returns its output."""
        environment = {**self.environment, **({"PIXCRAWLER_API_KEY": key} if key else {})}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "pixcrawler", *arguments,
            env=environment, cwd=self.folder, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate(stdin.encode())
        assert process.returncode in {code, or_code}, (
            arguments,
            process.returncode,
            out.decode(),
            err.decode(),
        )
        words = [word for word in arguments[:2] if not word.startswith("-")]
        groups = {"users", "keys", "lists", "optouts", "local"}
        self.ran.add(" ".join(words) if words[0] in groups else words[0])
        return out.decode() if code in {0, 1} else err.decode()

    async def read(self, *arguments: str, key: str = "") -> Any:
        """Runs a command with `--json`, and returns what it prints."""
        return json.loads(await self.run(*arguments, "--json", key=key))


@pytest.mark.timeout(480)
async def test_every_command_does_what_it_says_and_ends_with_its_code(make_stack, gallery, tmp_path):
    stack = make_stack(OPENVERSE_BASE_URL=gallery)
    terminal = Terminal(tmp_path, stack.url)
    await _sign_in(terminal, stack.api_key)
    user = await _become_a_user(terminal, stack.api_key)
    job_id = await _make_a_dataset(terminal, gallery)
    await _download(terminal, job_id)
    await _refresh(terminal, job_id)
    await _push_to_a_hub(terminal, job_id)
    await _look_at_images(terminal, job_id)
    await _stop_retry_and_delete(terminal, job_id)
    await _opt_out(terminal, stack.api_key)
    await _manage_users(terminal, user, stack.api_key)
    await _run_a_stack_of_its_own(terminal)
    # a new command needs a call above
    assert terminal.ran == set(all_commands())


async def _sign_in(terminal: Terminal, api_key: str) -> None:
    await terminal.run("jobs", code=2)
    await terminal.run("login", terminal.url, stdin="wrong\n", code=3)
    await terminal.run("login", "http://127.0.0.1:9", stdin="wrong\n", code=4)
    await terminal.run("login", "http://example.org", stdin="wrong\n", code=2)
    await terminal.run("login", terminal.url, stdin=f"{api_key}\n")
    stored = terminal.folder / "config" / "login.json"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert (await terminal.read("health"))["status"] == "healthy"
    assert "jobs_completed" in await terminal.run("insights")
    assert "Ask the operator" in await terminal.run("insights", "jobs_completed", code=3)


async def _become_a_user(terminal: Terminal, admin_key: str) -> str:
    user = (await terminal.read("users", "add", "Ann", "--tier", "pro"))["id"]
    key = (await terminal.run("keys", "add", "laptop", "--user", user)).strip()
    assert "Ann" in await terminal.run("users", "list")
    assert (await terminal.read("users", "show", user))["name"] == "Ann"
    await terminal.run("logout")
    await terminal.run("login", terminal.url, key=key)
    assert (await terminal.read("users", "me"))["id"] == user
    assert "scope" in await terminal.run("users", "list", code=3)
    assert "Ann" in await terminal.run("users", "list", key=admin_key)
    [listed] = await terminal.read("keys", "list")
    assert key.startswith(listed["prefix"])
    second = await terminal.read("keys", "add", "second", "--scope", "read")
    await terminal.run("keys", "revoke", second["id"], "--yes")
    await terminal.run("jobs", code=3, key=second["key"])
    return str(user)


async def _make_a_dataset(terminal: Terminal, gallery: str) -> str:
    assert "Name keywords" in await terminal.run("submit", code=2)
    assert "max_images_per_label" in await terminal.run("submit", "cat", "--max-images", "2000000", code=3)
    assert (await terminal.read("submit", "cat", "--check"))["accepted"] is True
    rows = "".join(f"{gallery}/photos/cat/{number}.jpg\n" for number in range(3))
    (terminal.folder / "cats.txt").write_text(rows)
    blob = (await terminal.run("lists", "upload", "cats.txt")).strip()
    [listed] = await terminal.read("lists", "list")
    assert listed["blob"] == blob
    await terminal.run("lists", "delete", listed["id"], "--yes")
    spec = "labels:\n  cat: [cat]\nmax_images_per_label: 5\nname: pets\n"
    seen = await terminal.run("submit", "--spec", "-", "--wait", "--json", stdin=spec)
    job = json.loads(seen.splitlines()[-1])
    assert (job["state"], job["name"]) == ("completed", "pets")
    job_id = str(job["id"])
    assert job_id in await terminal.run("jobs", "--state", "completed")
    assert "cat" in await terminal.run("show", job_id)
    shown = await terminal.run("watch", job_id)
    assert "The dataset is ready" in shown
    assert f"/#/datasets/{job_id}" in shown
    records = [json.loads(line) for line in (await terminal.run("records", job_id, "--json")).splitlines()]
    assert len(records) == job["progress"]["found"]
    await terminal.run("show", "absent", code=3)
    return job_id


async def _download(terminal: Terminal, job_id: str) -> None:
    assert job_id in await terminal.run("datasets")
    dataset = await terminal.read("datasets", job_id)
    stored = await terminal.read("download", job_id, "--to", "here", "--unpack")
    [zip_path], [folder] = stored["files"], stored["folders"]
    assert (terminal.folder / zip_path).stat().st_size == dataset["size_bytes"]
    images = list((terminal.folder / folder).glob("*/*/*.jpg"))
    assert len(images) == dataset["image_count"]
    streamed = await asyncio.to_thread(_stream, terminal, job_id)
    assert sorted(streamed) == sorted(path.read_bytes() for path in images)
    # again: the file is there, and is checked
    assert (await terminal.read("download", job_id, "--to", "here"))["files"] == [zip_path]
    (terminal.folder / zip_path).write_bytes(b"other")
    assert "another file" in await terminal.run("download", job_id, "--to", "here", code=2)
    assert (await terminal.read("rehydrate", job_id, "--days", "3"))["keeping"]["online_until"] is not None


async def _refresh(terminal: Terminal, job_id: str) -> None:
    before = await terminal.read("datasets", job_id)
    shown = await terminal.run("refresh", job_id, "--check", "--wait")
    assert "The dataset is ready" in shown
    after = await terminal.read("datasets", job_id)
    assert (after["revision"], after["image_count"]) == (2, before["image_count"])
    assert after["diff"]["unchanged"] == before["image_count"]
    await terminal.run("refresh", "absent", code=3)


async def _push_to_a_hub(terminal: Terminal, job_id: str) -> None:
    with running_hub() as hub:
        of_the_hub = {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(terminal.folder / "hub"),
            "HF_HUB_DISABLE_XET": "1",
        }
        terminal.environment |= {**of_the_hub, "HF_TOKEN": hub.token}
        pushed = await terminal.read("push-to-hub", job_id, "me/pets", "--to", "pushed")
        for name in (*of_the_hub, "HF_TOKEN"):
            del terminal.environment[name]
    assert pushed["url"] == f"{hub.url}/datasets/me/pets"
    folder = terminal.folder / "pushed" / "pets"
    assert hub.files == {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert {"README.md", "croissant.json", "train/metadata.parquet"} <= set(hub.files)
    assert b"license: other" in hub.files["README.md"]


async def _look_at_images(terminal: Terminal, job_id: str) -> None:
    images = await terminal.read("images", job_id, "--label", "cat", "--sort", "largest")
    assert [image["label"] for image in images] == ["cat"] * len(images)
    pixels = [image["width"] * image["height"] for image in images]
    assert pixels == sorted(pixels, reverse=True)
    assert await terminal.read("images", job_id, "--label", "bird") == []
    saved = (await terminal.read("images", job_id, "--save", "some", "--limit", "2"))["files"]
    assert [len((terminal.folder / path).read_bytes()) for path in saved] == [
        image["size_bytes"] for image in await terminal.read("images", job_id, "--limit", "2")
    ]
    [small] = (await terminal.read("images", job_id, "--save", "small", "--width", "64", "--limit", "1"))[
        "files"
    ]
    assert (terminal.folder / small).read_bytes().startswith(b"\xff\xd8")
    assert await terminal.read("images", job_id, "--job", "--limit", "1") != []
    await terminal.run("images", job_id, "--sort", "prettiest", code=3)
    await terminal.run("images", "absent", code=3)


async def _opt_out(terminal: Terminal, admin_key: str) -> None:
    assert "scope" in await terminal.run("optouts", "list", code=3)
    optout = (await terminal.read("optouts", "add", "host", "artist.example.org", key=admin_key))["id"]
    assert [each["id"] for each in await terminal.read("optouts", "list", key=admin_key)] == [optout]
    assert await terminal.read("optouts", "datasets", optout, key=admin_key) == []
    await terminal.run("optouts", "delete", optout, "--yes", key=admin_key)
    await terminal.run("optouts", "datasets", optout, code=3, key=admin_key)


async def _run_a_stack_of_its_own(terminal: Terminal) -> None:
    await terminal.run("local", "up", code=2)
    port = str(free_port())
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pixcrawler", "local", "up", "--port", port, "--no-setup", "--login", "--samples",
        "--json",
        cwd=ROOT, env={**terminal.environment, "PATH": os.environ["PATH"]},  # noqa: TID251 - where make is
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        answer = json.loads(await process.stdout.readline())
        assert answer["url"] == f"http://localhost:{port}"
        assert (await terminal.read("health"))["checks"] is not None
        await terminal.read("users", "list")
    finally:
        process.send_signal(signal.SIGINT)
        code = await process.wait()
    assert code == 0
    await terminal.run("health", code=4)


def _stream(terminal: Terminal, dataset_id: str) -> list[bytes]:
    login = json.loads((terminal.folder / "config" / "login.json").read_text())
    with Client(login["url"], login["api_key"]) as client:
        return [image.data for image in client.load_dataset(dataset_id, shuffle_seed=1)]


async def _stop_retry_and_delete(terminal: Terminal, done: str) -> None:
    assert "completed" in await terminal.run("cancel", done, code=3)
    await terminal.run("retry", done, code=3)
    # connections to it are made, and never answered
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        await _stop_and_retry(terminal, f"http://127.0.0.1:{silent.getsockname()[1]}")
    await terminal.run("delete", done, "--dataset-only", "--yes")
    await terminal.run("datasets", done, code=3)
    await terminal.run("delete", done, "--with-dataset", "--yes")


async def _stop_and_retry(terminal: Terminal, silent: str) -> None:
    spec = {"sources": [{"type": "urls", "items": [f"{silent}/{number}.jpg" for number in range(5)]}]}
    (terminal.folder / "spec.json").write_text(json.dumps(spec))
    started = (await terminal.read("submit", "--spec", "spec.json"))["id"]
    assert (await terminal.read("cancel", started))["state"] == "cancelled"
    assert "cancelled" in await terminal.run("watch", started, code=1)
    assert (await terminal.read("retry", started))["state"] == "queued"
    # the retry may have ended by now
    await terminal.run("cancel", started, or_code=3)
    await terminal.run("delete", started, "--yes")
    await terminal.run("show", started, code=3)


async def _manage_users(terminal: Terminal, user: str, admin_key: str) -> None:
    assert (await terminal.read("users", "change", user, "--tier", "free", key=admin_key))["tier"] == "free"
    await terminal.run("users", "change", user, code=2, key=admin_key)
    deleted = await terminal.read("users", "delete", user, "--datasets", "delete", "--yes", key=admin_key)
    assert deleted["status"] == "deleting"
