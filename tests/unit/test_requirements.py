"""Each installed package is pinned with its hashes, which pip checks."""

import re

import pytest

from playground.azurite import ROOT

NAMES = ("requirements.txt", "requirements-dev.txt", "requirements-node.txt")
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.+!]* \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def _pins(name):
    """Returns the hashes of each pin."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if PIN.fullmatch(line):
            hashes = found.setdefault(line.removesuffix(" \\"), set())
        elif HASH.fullmatch(line):
            hashes.add(line.split(":")[1].removesuffix(" \\"))
        else:
            assert not line or line.startswith("# "), line
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_pin_has_its_hashes_and_no_line_names_an_index(name):
    pins = _pins(name)
    assert pins
    assert [pin for pin, hashes in pins.items() if not hashes] == []
    assert not re.search(r"://|--(index|extra-index|find-links|trusted)", (ROOT / name).read_text())
    assert (ROOT / name).stat().st_size < 1_000_000


def test_the_hashes_are_those_of_all_platforms():
    """Machines with other systems or processors install from the same files."""
    pins = {pin.partition("==")[0]: hashes for pin, hashes in _pins("requirements.txt").items()}
    for name, least in (
        ("numpy", 20),
        ("pillow", 20),
        ("lxml", 20),
        ("aiohttp", 20),
        ("opencv-python-headless", 6),
    ):
        assert len(pins[name]) >= least, name


def test_what_is_deployed_is_what_was_tested():
    tested = _pins("requirements-dev.txt")
    for pin, hashes in _pins("requirements.txt").items():
        assert tested[pin] == hashes


def test_hashes_are_made_and_checked_by_the_makefile():
    makefile = (ROOT / "Makefile").read_text()
    lines = [line for line in makefile.splitlines() if not line.startswith("#")]
    installs = [line for line in lines if "$(INSTALL)" in line or "pip install" in line]
    assert len(installs) == 4  # the command, where it is used, and the client with its oldest Python
    assert all("--require-hashes -r " in line for line in installs if not line.startswith("INSTALL :="))
    assert "--generate-hashes" in makefile[makefile.index("COMPILE :=") : makefile.index("INSTALL :=")]
