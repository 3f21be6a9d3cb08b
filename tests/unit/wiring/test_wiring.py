"""The composition root can make all objects, and libraries log no more than the settings say."""

import subprocess
import sys
import textwrap
from functools import cached_property
from pathlib import Path

import pytest

from shared.settings import Settings
from shared.wiring import App

ROOT = Path(__file__).parents[3]


def test_the_libraries_lines_are_silenced_by_the_app(monkeypatch: pytest.MonkeyPatch):
    """The worker's root logger lets INFO pass."""
    program = """
        import logging
        logging.basicConfig(level=logging.INFO)
        import function_app
        names = ("azure.core.pipeline.policies.http_logging_policy", "azure.identity.aio", "azure.storage.blob",
                 "opencensus.ext.azure.common.transport", "urllib3.connectionpool", "functions.http.endpoint",
                 "shared.jobs.crawl")
        print(*[int(logging.getLogger(name).isEnabledFor(logging.INFO)) for name in names])
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    for level, ours in (("INFO", "1 1"), ("WARNING", "0 0"), ("", "1 1")):
        monkeypatch.setenv("LOG_LEVEL", level)
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this very Python
        assert run.stdout.split() == ["0"] * 5 + ours.split()


async def test_everything_can_be_made_out_of_the_settings(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    app = App(Settings())
    parts = [
        name for kind in App.__mro__ for name, part in vars(kind).items() if isinstance(part, cached_property)
    ]
    assert {"blobs", "entities", "queues", "intake", "task_queue", "health"} <= set(parts)
    for name in parts:
        assert getattr(app, name) is getattr(app, name)
