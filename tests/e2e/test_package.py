"""The zip that a deployment uploads runs with nothing but Microsoft's worker library beside it."""

import importlib
import os
import shutil
import venv
import zipfile
from pathlib import Path

import pytest

from infra.package.build import build_package
from infra.package.report import print_report
from playground.azurite import ROOT
from playground.client import ApiClient
from playground.host import Host, Place
from playground.stack import Stack
from playground.verify import verify_zip

# a busy machine takes a minute to build the package
pytestmark = pytest.mark.timeout(600)

# what the platform's worker brings along
_WORKER = ("azure_functions_runtime", "uvloop")


@pytest.fixture(scope="module")
def package():
    return build_package()


def _empty_environment(folder: Path) -> str:
    """Makes a virtual environment with the worker library alone, and returns its interpreter."""
    venv.create(folder)
    (site_packages,) = (folder / "lib").glob("python*/site-packages")
    for name in _WORKER:
        found = Path(str(importlib.import_module(name).__file__)).parent
        (site_packages / name).symlink_to(found)
    return str(folder / "bin" / "python")


def _app_settings(stack: Stack) -> dict[str, str]:
    """Returns the settings of the app, without what the host would inherit from this process."""
    inherited = os.environ  # noqa: TID251 - the names to leave out
    settings = stack.environment()
    given = {name: value for name, value in settings.items() if name == "PATH" or name not in inherited}
    # the app's folder cannot be written on Azure
    return {**given, "PYTHONDONTWRITEBYTECODE": "1"}


async def test_the_packed_app_runs_a_job_in_an_empty_environment(package, gallery, session, tmp_path):
    assert print_report(package)
    app, tools = tmp_path / "app", tmp_path / "tools"
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(app)
    shutil.copytree(ROOT / "devhost", tools / "devhost", ignore=shutil.ignore_patterns("__pycache__"))
    stack = Stack(
        tmp_path / "stack",
        settings={"CRAWL_ALLOW_PRIVATE_NETWORKS": "true", "OPENVERSE_BASE_URL": gallery},
    )
    stack.folder.mkdir()
    place = Place(app, _empty_environment(tmp_path / "empty"), tools)
    host = Host(tmp_path / "host.log", message_lease_seconds=4, place=place)
    try:
        stack.start_storage()
        host.start(_app_settings(stack))
        api = ApiClient(session, host.url, stack.api_key)
        job = await api.submit({"labels": {"cat": ["cat"]}, "max_images_per_label": 10})
        async for seen in api.follow(job["id"], every_seconds=0.5):
            job = seen
        assert job["state"] == "completed", (job, host.tail())
        dataset = await api.get(f"/api/v1/datasets/{job['id']}")
        path, sha256 = await api.download(job["id"], tmp_path)
        verify_zip(path, dataset, sha256)
        async with session.get(f"{host.url}/docs") as answer:
            assert answer.status == 200
        async with session.get(f"{host.url}/pages/swagger-ui-bundle.js") as answer:
            assert answer.status == 200
    finally:
        host.stop()
        stack.stop()


def test_a_package_has_the_bytecode_of_each_module(package):
    sources = {path.relative_to(package.folder) for path in package.folder.rglob("*.py")}
    compiled = {
        path.parent.parent.relative_to(package.folder) / f"{path.name.partition('.')[0]}.py"
        for path in package.folder.rglob("*.pyc")
    }
    assert sources == compiled
