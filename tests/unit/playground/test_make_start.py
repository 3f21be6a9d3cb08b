"""`make start` refuses wrong ports and settings before it starts anything, and its storage has fixed ports."""

import socket
import subprocess
import sys

import pytest

from playground.azurite import ROOT, Ports, free_port, ports_beside
from playground.samples import samples_port
from playground.start import _port_problem


def _start(port, *flags, **options):
    command = [sys.executable, "-m", "playground.start", "--port", str(port), *flags]
    return subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False, **options
    )


def _refused(ended, port):
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    assert not (ROOT / ".local" / "start" / str(port)).exists()
    return ended.stderr


def test_a_port_in_use_is_refused_before_anything_is_started():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert f"port {port} is in use" in _refused(_start(port), port)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_storage_port_in_use_is_refused_before_anything_is_started(number):
    port = free_port()
    while _port_problem(port, ports_beside(port)):
        port = free_port()
    storage = ports_beside(port)
    taken = (storage.blob, storage.queue, storage.table)[number]
    with socket.create_server(("127.0.0.1", taken)):
        shown = _refused(_start(port), port)
    assert f"port {taken}, which the storage needs with PORT={port}, is in use" in shown
    assert f"PORT={port + 1 if port < 65_535 else port - 1} uses other ports" in shown


def test_a_port_of_the_samples_in_use_is_refused_before_anything_is_started():
    port = free_port()
    while _port_problem(port, ports_beside(port), samples_port(port)):
        port = free_port()
    with socket.create_server(("127.0.0.1", samples_port(port))):
        shown = _refused(_start(port, "--samples"), port)
    assert f"port {samples_port(port)}, which the sample photos need with PORT={port}, is in use" in shown


def test_the_samples_never_have_a_port_of_the_host_or_its_storage():
    for port in range(1, 65_536):
        storage = ports_beside(port)
        assert samples_port(port) not in {port, storage.blob, storage.queue, storage.table}
        assert 8_000 <= samples_port(port) < 10_000


def test_the_storage_has_the_same_ports_at_each_start_and_other_ports_than_those_of_other_hosts():
    assert ports_beside(7071) == Ports(11_213, 11_214, 11_215)
    seen: dict[int, int] = {}
    for port in range(7000, 14_000):
        found = ports_beside(port)
        own = {found.blob, found.queue, found.table}
        assert len(own) == 3
        for each in own:
            assert seen.setdefault(each, port) in {port, port - 1, port + 1}
    assert len(seen) > 20_990


def test_the_storage_never_has_the_hosts_own_port():
    for port in range(1, 65_536):
        found = ports_beside(port)
        assert port not in {found.blob, found.queue, found.table}
        assert found.queue - found.blob == found.table - found.queue == 1
        assert 11_000 <= found.blob < found.table < 32_768


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http"])
def test_an_invalid_port_is_refused_by_its_value_and_its_rule(port):
    ended = _start(port)
    assert ended.returncode == 2
    assert f"the port is {port!r}; it must be a whole number from 1 to 65535" in ended.stderr


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("CHUNK_SIZE", "abc", "CHUNK_SIZE is 'abc'; it must be a whole number"),
        ("STEP_BUDGET_SECONDS", "481", "STEP_BUDGET_SECONDS is '481'; it must be at most 480"),
        (
            "FUNCTIONS_WORKER_PROCESS_COUNT",
            "99",
            "FUNCTIONS_WORKER_PROCESS_COUNT is '99'; it must be 1 to 10",
        ),
    ],
)
def test_a_wrong_setting_gives_a_message_and_no_traceback(monkeypatch, setting, value, message):
    monkeypatch.setenv(setting, value)
    port = free_port()
    while _port_problem(port, ports_beside(port)):
        port = free_port()
    assert message in _refused(_start(port), port)
