"""`make package`: builds the zip of the app with its dependencies, and prints its size."""

import argparse
import sys

from infra.package.build import PackageError, build_package
from infra.package.report import print_report


def main() -> int:
    """Builds the package. Returns 1 if it cannot be built, or if it is larger than its ceiling."""
    parser = argparse.ArgumentParser(prog="infra.package", description=__doc__)
    parser.add_argument(
        "--extra",
        action="append",
        default=[],
        metavar="NAME",
        help="add an optional dependency of pyproject.toml, such as parquet (repeatable)",
    )
    options = parser.parse_args()
    try:
        package = build_package(tuple(options.extra))
    except PackageError as error:
        print(f"make package: {error}", file=sys.stderr)
        return 1
    return 0 if print_report(package) else 1


if __name__ == "__main__":
    sys.exit(main())
