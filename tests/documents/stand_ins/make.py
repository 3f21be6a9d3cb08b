"""Stands in for `make`: make itself checks the targets without running them, and the names of variables are checked.

The tests do not run these targets here, because they take minutes or would run the tests in themselves.
"""

import os
import re
import shutil
import subprocess
import sys

from tests.documents.stand_ins.refuse import ROOT, refuse

RUN_BY = {
    "bench": ("tests/unit/bench", "from bench"),
    "catalogue": ("tests/unit/documents/test_telemetry.py", "infra.catalogue"),
    "chaos": ("tests/e2e/test_killed_host.py", "kill_host"),
    "check": (".github/workflows/deploy.yml", "make check test"),
    "demo": ("tests/e2e/test_demo.py", "playground.demo"),
    "package": ("tests/e2e/test_package.py", "build_package()"),
    "screenshots": ("tests/e2e/dashboard/test_screenshots.py", "--screenshots"),
    "settings": ("tests/unit/documents/test_settings.py", "infra.settings_documents"),
    "start": ("tests/e2e/test_make_start.py", "playground.start"),
    "telemetry-demo": ("tests/unit/playground/test_telemetry_demo.py", "playground.telemetry_demo"),
    "test": (".github/workflows/deploy.yml", "make check test"),
    "workbook": ("tests/unit/infra", "infra.workbook"),
}
"""What runs the targets that documents name: a file or a folder, and a text that it contains."""

_VARIABLE = re.compile(r"^([A-Z]+) \?=", re.MULTILINE)


def main() -> int:
    """Returns the exit status of make."""
    variables = {word.partition("=")[0] for word in sys.argv[1:] if "=" in word}
    targets = [word for word in sys.argv[1:] if "=" not in word]
    known = set(_VARIABLE.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    if not targets or not set(targets) <= RUN_BY.keys():
        refuse(f"only these targets have a test that runs them: {sorted(RUN_BY)}")
    if not variables <= known:
        refuse(f"the Makefile has only the variables {sorted(known)}")
    # the folder of the stand-ins is the first on the path
    make = shutil.which("make", path=os.environ["PATH"].partition(os.pathsep)[2])  # noqa: TID251 - of the page
    command = [make or "make", "--dry-run", "--silent", "--directory", str(ROOT), *sys.argv[1:]]
    return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode  # noqa: S603 - nothing is run


if __name__ == "__main__":
    sys.exit(main())
