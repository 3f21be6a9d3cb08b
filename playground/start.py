"""`make start`: runs Azurite and the Functions host in the foreground until Ctrl-C."""

import argparse
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time

from devhost.settings import StartError
from devhost.settings import load_settings as read_host_settings
from playground.azurite import ROOT, Ports, die_with_parent, is_taken, ports_beside
from playground.host import is_ready
from playground.samples import samples_port, serving_samples
from playground.stack import Stack
from shared.settings import SettingsError, load_settings

_FOLDER = ROOT / ".local" / "start"
_LOOK_SECONDS = 0.2


def main() -> int:
    """Runs until Ctrl-C, and then returns 0.

    If the host ends on its own, its exit status is returned, and 1 if nothing was started.
    """
    parser = argparse.ArgumentParser(prog="playground.start", description=__doc__)
    parser.add_argument("--port", type=_port, default=7071, help="the port of the API")
    parser.add_argument("--samples", action="store_true", help="search sample photos, not Openverse")
    options = parser.parse_args()
    storage = ports_beside(options.port)
    samples = samples_port(options.port) if options.samples else None
    problem = _port_problem(options.port, storage, samples)
    if problem is not None:
        print(f"make start: {problem}", file=sys.stderr)
        return 1
    # each port has its own folder, so that several can run at the same time
    folder = _FOLDER / str(options.port)
    with contextlib.ExitStack() as block:
        settings = block.enter_context(serving_samples(samples)) if samples is not None else {}
        return _run(Stack(folder, port=options.port, storage_ports=storage, settings=settings), options.port)


def _run(stack: Stack, port: int) -> int:
    stack.api_key = os.environ.get("ADMIN_API_KEY") or _stored_key()
    # all checks come first: an Azurite that is running may use the folder
    problem = _settings_problem(stack)
    if problem is not None:
        print(f"make start: {problem}", file=sys.stderr)
        return 1
    stack.folder.mkdir(parents=True, exist_ok=True)
    try:
        stack.start_storage()
    except RuntimeError as error:
        print(f"make start: {error}", file=sys.stderr)
        return 1
    host = _start_host(stack, port)
    # the host lists its functions when it starts, and what people need must not scroll away
    threading.Thread(target=_greet_when_ready, args=(stack,), daemon=True).start()
    # a shell that starts this in the background makes it ignore SIGINT
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        return host.wait()
    except KeyboardInterrupt:
        # Ctrl-C has reached the host, too, but a signal to this process alone has not
        host.terminate()
        try:
            host.wait(20)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            host.kill()
            host.wait()
        return 0
    finally:
        stack.azurite.stop()


def _start_host(stack: Stack, port: int) -> subprocess.Popen[bytes]:
    """Starts the real host if it is installed, otherwise devhost."""
    command = (
        ["func", "start", "--port", str(port)]
        if shutil.which("func")
        else [sys.executable, "-m", "devhost", "--port", str(port), "--message-lease", "30"]
    )
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=stack.environment(),
        preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl call, safe between fork and exec
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise argparse.ArgumentTypeError(f"the port is {text!r}; it must be a whole number from 1 to 65535")
    return int(text)


def _port_problem(port: int, storage: Ports, samples: int | None = None) -> str | None:
    """Returns the problem with the ports. None means that they are free."""
    other = f"PORT={port + 1 if port < 65_535 else port - 1} uses other ports."
    if is_taken(port):
        return f"port {port} is in use, maybe by another 'make start'. {other}"
    if storage.taken:
        return f"port {storage.taken[0]}, which the storage needs with PORT={port}, is in use. {other}"
    if samples is not None and is_taken(samples):
        return f"port {samples}, which the sample photos need with PORT={port}, is in use. {other}"
    return None


def _settings_problem(stack: Stack) -> str | None:
    """Returns the problem with the app's settings as the host reads them. None means that they are valid."""
    try:
        values = read_host_settings(ROOT).environment
        os.environ.update({**values, **stack.environment()})
        load_settings()
    except (StartError, SettingsError) as error:
        return str(error)
    return None


def _stored_key() -> str:
    """Returns the API key of this working copy, which is the same at each start."""
    path = ROOT / ".local" / "api-key"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text().strip()


def _greet_when_ready(stack: Stack) -> None:
    while not is_ready(stack.url):
        time.sleep(_LOOK_SECONDS)
    print(f"\nDashboard  {stack.url}")
    print(f"API key    {stack.api_key}")
    print(f"Storage    {stack.azurite.connection_string}")
    print("\nA first job:\n")
    print(
        f"curl -s {stack.url}/api/v1/jobs -H 'X-API-Key: {stack.api_key}' -H 'Content-Type: application/json' \\"
    )
    print("""  -d '{"keywords": ["lighthouse", "red panda"], "max_images_per_label": 20}'\n""", flush=True)


if __name__ == "__main__":
    sys.exit(main())
