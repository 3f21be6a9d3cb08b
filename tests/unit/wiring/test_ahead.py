"""The imports that a process makes in a thread after it has started."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared.wiring import ahead
from shared.wiring.ahead import import_ahead

ROOT = Path(__file__).parents[3]
MODULES = ("imported_ahead_first", "imported_ahead_broken", "imported_ahead_last")
IN_A_NEW_PROCESS = """
import sys
from shared.wiring import ahead
from shared.wiring.ahead import _FOR_A_NEW_JOB, _FOR_OTHER_WORK, import_ahead
ahead._REST = 0
names = _FOR_A_NEW_JOB + _FOR_OTHER_WORK
early = [name for name in names if name in sys.modules]
import_ahead(0.0).join()
late = [name for name in names if name not in sys.modules]
print(early, late)
"""


@pytest.fixture
def modules(monkeypatch, tmp_path):
    """Three modules, the second of which cannot be imported."""
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text("raise OSError('no disk')" if "broken" in name else "")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(ahead, "_FOR_A_NEW_JOB", MODULES[:1])
    monkeypatch.setattr(ahead, "_FOR_OTHER_WORK", MODULES[1:])
    yield MODULES
    for name in MODULES:
        sys.modules.pop(name, None)


def test_a_module_that_fails_is_logged_and_the_others_are_imported(modules, caplog):
    with caplog.at_level(logging.WARNING):
        import_ahead(0.0).join(30)
    assert [name for name in modules if name in sys.modules] == [modules[0], modules[2]]
    [logged] = caplog.records
    assert logged.getMessage() == "imported_ahead_broken cannot be imported ahead of time"
    assert logged.exc_info is not None
    assert isinstance(logged.exc_info[1], OSError)


def test_nothing_is_imported_before_the_delay_and_the_end_of_the_process_waits_for_nothing(modules):
    thread = import_ahead(600.0)
    try:
        assert thread.is_alive()
        assert thread.daemon
        assert not [name for name in modules if name in sys.modules]
    finally:
        assert isinstance(thread, threading.Timer)
        thread.cancel()
        thread.join(30)
    assert not [name for name in modules if name in sys.modules]


def test_a_new_process_has_none_of_the_modules_before_and_all_of_them_after():
    command = [sys.executable, "-W", "error", "-c", IN_A_NEW_PROCESS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert (done.stdout.strip(), done.stderr) == ("[] []", "")
