"""Stands in for `npm install`: each package must be one that the project installs for its tests."""

import json
import sys

from tests.documents.stand_ins.refuse import ROOT, refuse


def main() -> None:
    """Checks all packages of a call."""
    project = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    known = project["dependencies"] | project["devDependencies"]
    if sys.argv[1:2] != ["install"] or not sys.argv[2:] or not set(sys.argv[2:]) <= known.keys():
        refuse(f"only 'npm install' of {sorted(known)} is tried by a test")


if __name__ == "__main__":
    main()
