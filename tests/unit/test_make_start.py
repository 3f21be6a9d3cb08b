import socket
import subprocess
import sys

from playground.azurite import ROOT


def test_a_port_in_use_is_refused_before_anything_is_started():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
        command = [sys.executable, "-m", "playground.start", "--port", port]
        ended = subprocess.run(  # noqa: S603 - our own command
            command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"port {port} is in use" in ended.stderr
    assert not (ROOT / ".local" / "start" / port).exists()
