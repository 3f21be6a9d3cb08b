"""Prints the size of a package, and compares it with its ceiling."""

import zipfile
from collections import Counter
from typing import Final

from infra.package.build import SITE_PACKAGES, Package

CEILING_MB: Final = 140
"""The largest zip, in MB of 1,000,000 bytes, without extras. A larger one costs time at each start of an instance."""

_SHOWN = 10
_MB = 1_000_000


def sizes(package: Package) -> tuple[Counter[str], Counter[str]]:
    """Returns the bytes of each dependency and of the app's folders: as stored in the zip, and unpacked.

    Folders of one distribution, such as `numpy` and `numpy.libs`, count together.
    """
    packed, unpacked = Counter[str](), Counter[str]()
    with zipfile.ZipFile(package.path) as archive:
        for entry in archive.infolist():
            name = _owner(entry.filename)
            packed[name] += entry.compress_size
            unpacked[name] += entry.file_size
    return packed, unpacked


def print_report(package: Package) -> bool:
    """Prints the sizes of the package and its ten largest parts. Returns whether it is within its ceiling."""
    packed, unpacked = sizes(package)
    zipped = package.path.stat().st_size / _MB
    print(f"{package.path}: {zipped:.1f} MB zipped, {unpacked.total() / _MB:.1f} MB unpacked")
    print(f"{'part':<28}{'MB zipped':>10}{'MB unpacked':>13}")
    for name, size in packed.most_common(_SHOWN):
        print(f"{name:<28}{size / _MB:>10.1f}{unpacked[name] / _MB:>13.1f}")
    if package.extras:
        print(
            f"It has the extra {', '.join(package.extras)}, so the ceiling of {CEILING_MB} MB does not count."
        )
        return True
    if zipped > CEILING_MB:
        print(f"It is larger than its ceiling of {CEILING_MB} MB.")
        return False
    return True


def _owner(name: str) -> str:
    if not name.startswith(f"{SITE_PACKAGES}/"):
        return "the app"
    top = name.removeprefix(f"{SITE_PACKAGES}/").partition("/")[0]
    top = top.partition(".")[0].partition("-")[0]
    return {"cv2": "opencv_python_headless", "PIL": "pillow", "pyvips_binary": "pyvips"}.get(top, top)
