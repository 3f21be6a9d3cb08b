"""A cold start does not import what only some calls need. A thread imports it a little later."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = (
    "PIL",
    "aiohttp",
    "azure.core",
    "azure.data",
    "azure.identity",
    "azure.monitor",
    "azure.storage",
    "cv2",
    "idna",
    "lxml",
    "msal",
    "numpy",
    "pydantic_settings",
    "opencensus",
    "pyarrow",
    "pyvips",
    "requests",
    "simplejpeg",
    "webencodings",
    "yarl",
)
"""Libraries that take a part of a second to import."""
LATER = (
    "functions.http.description",
    "shared.archiving",
    "shared.costs",
    "shared.crawling",
    "shared.datasets",
    "shared.insights.log_source",
    "shared.insights.reports",
    "shared.jobs.flow",
    "shared.jobs.ledger",
    "shared.jobs.spec.spec",
    "shared.jobs.submission",
    "shared.lifecycle",
    "shared.sources",
    "shared.storage.azure",
    "shared.storage.storage",
    "shared.web",
)
"""Packages of the app whose import takes long, in all."""
LATE = "from shared.wiring import ahead; ahead.import_ahead.__defaults__ = (600.0,)"
"""Lets the timer fire after everything that a program does, however busy the machine is."""


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Azure, telemetry is set up. Nobody listens at its address."""
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    connection = (
        "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://127.0.0.1:9/"
    )
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", connection)


def lines_of(program: str) -> list[str]:
    """Returns the lines that a program prints in a fresh interpreter."""
    command = [sys.executable, "-c", textwrap.dedent(program)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this very Python
    return run.stdout.splitlines()


def test_a_cold_start_imports_nothing_heavy():
    names = HEAVY + LATER
    [imported] = lines_of(
        f"{LATE}; import sys, function_app; print(*[name for name in {names} if name in sys.modules])"
    )
    assert not imported.split()


def test_what_the_services_are_made_of_is_imported_a_while_after_the_start():
    """The app's timer imports it. The identity is left out, because only an app without a connection string has one."""
    program = """
        import sys, threading
        from shared.wiring import ahead
        ahead._REST = 0
        import function_app
        from functools import cached_property
        from shared.wiring import App, app

        [timer] = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
        timer.join(60)
        print(*[name for name in ("aiohttp", "cv2", "shared.jobs.intake") if name in sys.modules])
        imported = set(sys.modules)
        for name in {name for kind in App.__mro__ for name, part in vars(kind).items()
                     if isinstance(part, cached_property)} - {"credential", "insights", "job_logs"}:
            getattr(app(), name)
        print(*[name for name in set(sys.modules) - imported if name.startswith("shared.")
                and not name.startswith("shared.telemetry.")])
    """
    assert lines_of(program) == ["aiohttp cv2 shared.jobs.intake", ""]


def test_an_instance_that_only_discovers_imports_no_library_for_images_or_archives():
    program = f"""
        {LATE}
        import sys, function_app
        from shared.wiring import app

        app().intake, app().discover
        names = ("PIL", "cv2", "numpy", "pyvips", "simplejpeg", "shared.crawling.worker", "shared.archiving.archiver")
        print(*[name for name in names if name in sys.modules])
    """
    assert lines_of(program) == [""]


def test_the_first_download_does_not_wait_for_the_libraries_for_images():
    program = f"""
        {LATE}
        import sys, function_app
        from shared.wiring import app

        import shared.jobs.crawl
        app().intake
        print(*[name for name in ("PIL", "cv2", "numpy", "pyvips", "simplejpeg") if name in sys.modules])
    """
    assert lines_of(program) == [""]
