"""Makes the folder in which the blocks of a page run."""

import gzip
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from playground.azurite import ROOT
from tests.documents.running.names import Names
from tests.documents.running.world import World
from tests.documents.stand_ins.install import install

_PACKAGES = str(Path(__file__).parents[1] / "stand_ins" / "packages")


def make_clone(world: World, clone: Path, folder: Path, *, has_torch: bool) -> Mapping[str, str]:
    """Makes the folder of the clone and the stand-ins, and returns the environment of the sessions.

    With `has_torch` programs find the stand-in of PyTorch. Other libraries would take it for the whole of PyTorch.
    """
    clone.mkdir()
    for path in ROOT.iterdir():
        if not path.name.startswith("."):
            (clone / path.name).symlink_to(path)
    (folder / "bin").mkdir()
    install(folder / "bin")
    (clone / "list.csv").write_text(f"image,photographer\n{world.example_org}/1.jpg,Jane\n", encoding="utf-8")
    (clone / "list.csv.gz").write_bytes(gzip.compress((clone / "list.csv").read_bytes()))
    (folder / "login.json").write_text(
        json.dumps({"url": world.stack.url, "api_key": world.key}), encoding="utf-8"
    )
    (folder / "login.json").chmod(0o600)
    (folder / "answers").write_text(f"{world.key}\n")
    (folder / ".curlrc").write_text("fail-with-body\n")
    return {
        "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),  # noqa: TID251 - programs of this machine
        "HOME": str(folder),
        "CURL_HOME": str(folder),
        "LANG": "C.UTF-8",
        "NO_PROXY": "*",
        "ANSWERS": str(folder / "answers"),
        "TRIED": str(world.folder),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "client" / "src"), *([_PACKAGES] if has_torch else [])]),
        # the library `datasets` would take the stand-in of PyTorch for the whole of it
        "USE_TORCH": "0",
        "PIXCRAWLER_CONFIG": str(folder / "login.json"),
        **Names(world).of_environment(),
    }
