"""Stands in for `git clone`: the folder of the clone is the working folder itself, so that nothing is copied."""

import re
import sys
from pathlib import Path

from tests.documents.stand_ins.refuse import refuse

_ADDRESS = re.compile(r"https://github\.com/[\w-]+/(?P<name>[\w-]+)")


def main() -> None:
    """Makes the folder."""
    found = _ADDRESS.fullmatch(sys.argv[2]) if len(sys.argv) == 3 and sys.argv[1] == "clone" else None
    if found is None:
        refuse("documents only use 'git clone https://github.com/OWNER/NAME'")
    Path(found["name"]).symlink_to(".", target_is_directory=True)


if __name__ == "__main__":
    main()
