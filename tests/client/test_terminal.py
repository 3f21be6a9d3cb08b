"""What a shell and a terminal expect of a command: completion, colours, and an environment that is set."""

import os
import subprocess
import sys

import pytest

_SOURCE = next(path for path in sys.path if path.endswith("client/src"))


def _run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", "from pixcrawler.commands.app import main; main()", *arguments],
        check=False, capture_output=True, text=True, timeout=60,
        env={"PYTHONPATH": _SOURCE, "PATH": os.defpath, **environment},
    )  # fmt: skip


@pytest.mark.parametrize(("typed", "expected"), [
    ("pixcrawler im", ["images"]), ("pixcrawler users ", ["add", "delete", "me"]),
    ("pixcrawler images --so", ["--sort"]),
    ("pixcrawler local ", ["up"]),
])  # fmt: skip
def test_the_shell_completes_commands_and_options(typed, expected):
    count = len(typed.split(" ")) - 1
    done = _run(_PIXCRAWLER_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=str(count))
    assert done.returncode == 0
    assert set(expected) <= {line.strip() for line in done.stdout.splitlines()}


def test_completion_is_installed_in_the_files_of_the_shell(tmp_path):
    done = _run("--install-completion", "bash", HOME=str(tmp_path), SHELL="/bin/bash")
    assert done.returncode == 0, done.stderr
    assert "complete" in "".join(
        path.read_text() for path in tmp_path.rglob("*") if path.is_file() and "completion" in str(path)
    )


def test_no_color_is_obeyed_and_help_has_no_escape_sequences():
    for environment in ({}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1", "NO_COLOR": "1"}):
        done = _run("--help", **environment)
        assert (done.returncode, "\x1b" in done.stdout) == (0, False)


def test_the_key_is_in_no_error_and_in_no_list_of_processes():
    done = _run("jobs", PIXCRAWLER_URL="http://127.0.0.1:9", PIXCRAWLER_API_KEY="pxc_secret")
    assert done.returncode == 4
    assert "pxc_secret" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    # no option takes a key, since others can read the arguments of a process
    assert "--key" not in _run("login", "--help").stdout
