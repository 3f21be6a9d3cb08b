"""The programs that stand in for others refuse what the others would refuse."""

import subprocess

import pytest

from playground.azurite import ROOT
from tests.documents.stand_ins.install import install
from tests.documents.stand_ins.make import RUN_BY


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bin")
    install(folder)

    def run(command):
        words = command.split("|")
        path = f"{folder}:/usr/bin:/bin"
        return subprocess.run(  # noqa: S603 - our own command
            [str(folder / words[0]), *words[1:]],
            env={"PATH": path},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).returncode

    return run


@pytest.mark.parametrize(
    "command",
    [
        "make|demo|KEYWORDS=a,b|LIVE=1",
        "pip|install|azure-storage-queue",
        "azd|env|get-value|AZURE_RESOURCE_GROUP",
        "azd|env|set|ALERT_EMAIL|a@example.org",
        "az|group|show|--name|g|--query|id|--output|tsv",
    ],
)
def test_what_exists_is_accepted(run, command):
    assert run(command) == 0


@pytest.mark.parametrize(
    "command",
    [
        "make|absent",
        "make|clean",
        "make|demo|ABSENT=1",
        "pip|install|no-such-package-is-installed",
        "pip|uninstall|azure-storage-queue",
        "npm|install|no-such-package",
        "npm|publish",
        "git|push",
        "git|clone|ftp://example.org/x",
        "azd|env|get-value|ABSENT",
        "azd|env|set|AZURE_RESOURCE_GROUP|g",
        "azd|absent",
        "az|absent|show",
        "az|group|show|--absent|g",
        "az|group|show|--name",
        "az|group|show|--name|",
        "az|monitor|log-analytics|query|--workspace|w|--analytics-query|@absent.kql",
        "az|role|assignment|create|--role|Absent|--assignee|a|--scope|b",
    ],
)
def test_what_does_not_exist_is_refused(run, command):
    assert run(command) != 0


@pytest.mark.parametrize("target", RUN_BY)
def test_a_target_that_documents_name_is_run_by_a_test(target):
    place, text = RUN_BY[target]
    path = ROOT / place
    files = [path] if path.is_file() else list(path.rglob("*.py"))
    assert any(text in file.read_text(encoding="utf-8") for file in files)
