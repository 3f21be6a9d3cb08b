"""Stands in for `python3`: an environment that it makes is that of the tests. Everything else runs as it is."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Makes an environment, or runs Python."""
    if sys.argv[1:3] != ["-m", "venv"]:
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606 - what the page runs
    folder = Path(sys.argv[3]) / "bin"
    folder.mkdir(parents=True)
    (folder / "activate").write_text("# the programs of the tests stay on the path\n", encoding="utf-8")


if __name__ == "__main__":
    main()
