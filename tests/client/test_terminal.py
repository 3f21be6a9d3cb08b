"""What a shell and a terminal expect of a command: completion, colours, and an environment that is set."""

import os
import pty
import signal
import subprocess
import sys

import pytest

from tests.client.conftest import JOB, KEY, Answer, problem

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
    # the shell is named, for the tests may run without one
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = _run("--install-completion", "bash", HOME=str(tmp_path), SHELL="/bin/bash", **named)
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


@pytest.mark.parametrize("encoding", ["latin-1", "cp437"])
def test_an_encoding_without_a_character_prints_an_escape_sequence_of_it(app, encoding):
    app.on("/api/v1/jobs/a1", Answer({**JOB, "name": "\u732b"}))
    app.on("/api/v1/jobs/x", problem(400, "invalid", "\u732b"))
    environment = {"PIXCRAWLER_URL": app.url, "PIXCRAWLER_API_KEY": KEY, "PYTHONIOENCODING": encoding}
    done, refused = (_run("show", job, **environment) for job in ("a1", "x"))
    assert (done.returncode, refused.returncode) == (0, 3)
    assert "\\u732b" in done.stdout
    assert "\\u732b" in refused.stderr


@pytest.mark.parametrize("arguments", [
    ("show", "\udcff"), ("jobs", "--name", "\udcff"), ("submit", "cat", "--idempotency-key", "schl\xfcssel"),
    ("submit", "cat", "--idempotency-key", "a\nb"),
])  # fmt: skip
def test_an_argument_that_cannot_be_sent_is_refused(app, run, arguments):
    run(*arguments, code=2)
    assert app.asked == []


@pytest.mark.parametrize(
    ("output", "code"), [("| true", 141), ("| head -c 1 >/dev/null", 141), ("> /dev/full", 2)]
)
def test_an_output_that_cannot_be_written_ends_the_command_without_a_traceback(app, output, code):
    items = [{**JOB, "id": str(number) * 50} for number in range(2_000)]
    app.on("/api/v1/jobs", Answer({"items": items, "next": None}))
    command = f'"$PYTHON" -m pixcrawler jobs --limit 2000 {output}; exit ${{PIPESTATUS[0]}}'
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        ["/bin/bash", "-c", command], check=False, capture_output=True, text=True, timeout=60,
        env={
            "PYTHON": sys.executable, "PYTHONPATH": _SOURCE, "PATH": os.defpath, "PIXCRAWLER_URL": app.url,
            "PIXCRAWLER_API_KEY": KEY,
        },
    )  # fmt: skip
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert ("No space left" in done.stderr) is (code == 2)


def test_an_interruption_while_the_command_begins_has_its_exit_code():
    program = (
        "import builtins, pixcrawler.__main__ as begun\n"
        "before = builtins.__import__\n"
        "def interrupt(name, *rest):\n"
        "    if name == 'typer': raise KeyboardInterrupt\n"
        "    return before(name, *rest)\n"
        "builtins.__import__ = interrupt\n"
        "begun.main()"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=60,
        env={"PYTHONPATH": _SOURCE},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_interruption_at_a_question_is_no_answer_of_no(app):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pixcrawler", "delete", "a1"], stdin=theirs, stdout=subprocess.PIPE,
        env={"PYTHONPATH": _SOURCE, "PIXCRAWLER_URL": app.url, "PIXCRAWLER_API_KEY": KEY},
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.read(6) == b"Delete"
        # the question is printed as a whole, and the answer is waited for
        while b"]" not in process.stdout.read(1):
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    os.close(ours)
    os.close(theirs)
    assert app.asked == []
