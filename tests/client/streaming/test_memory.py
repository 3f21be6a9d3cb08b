"""The memory of a process that reads a dataset."""

import subprocess
import sys

from tests.client.conftest import KEY
from tests.client.streaming.served import make, records_of, serve

_MEASURE = """
import sys
from pathlib import Path
from pixcrawler import Client
with Client(sys.argv[1], sys.argv[2]) as client:
    count = sum(1 for image in client.load_dataset("a1", shuffle_seed=1) if image.data)
# the largest resident size; that of getrusage counts that of the parent, too
status = Path("/proc/self/status").read_text()
print(count, status.partition("VmHWM:")[2].split()[0])
"""


def test_five_thousand_images_are_read_in_less_than_200_mb(app):
    content, lines = make(5_000, 100_000)
    serve(app, content, records_of(lines))
    done = subprocess.run(  # noqa: S603 - our own interpreter and program
        [sys.executable, "-c", _MEASURE, app.url, KEY],
        check=True, capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    count, kilobytes = map(int, done.stdout.split())
    assert count == 5_000
    assert kilobytes < 200_000, kilobytes
    print(len(content), kilobytes)  # noqa: T201
