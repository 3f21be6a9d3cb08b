"""The package stands alone: the app is not installed where it runs, and it is not deployed with the app."""

import ast
import sys
import tomllib

import pytest

import pixcrawler
from pixcrawler.terminal.exit_codes import ExitCode
from playground.azurite import ROOT
from tests.client.all_commands import all_commands

SOURCE = ROOT / "client" / "src" / "pixcrawler"
# on a line of 80 characters, beside the longest name
_SUMMARY_CHARACTERS = 63
DOCUMENT = (ROOT / "docs" / "reference" / "client.md").read_text()


def _imports(folder):
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield (node.module or "").partition(".")[0]


def test_the_client_imports_what_it_declares_and_nothing_of_the_app():
    project = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
    declared = {
        each.partition(">")[0].replace("-", "_").replace("pyyaml", "yaml") for each in project["dependencies"]
    }
    # an extra names what is imported first; pillow is used by `datasets` alone
    declared |= {needs[0].partition(">")[0] for needs in project["optional-dependencies"].values()}
    assert set(_imports(SOURCE)) - sys.stdlib_module_names - {"pixcrawler"} == declared


@pytest.mark.parametrize("package", ["functions", "shared", "devhost", "playground", "infra", "bench"])
def test_the_app_does_not_import_the_client(package):
    assert "pixcrawler" not in set(_imports(ROOT / package))


def test_each_public_name_is_there():
    for name in pixcrawler.__all__:
        assert getattr(pixcrawler, name).__name__ == name
    with pytest.raises(AttributeError):
        pixcrawler.absent  # noqa: B018 - reading it is the test
    assert (SOURCE / "py.typed").exists()


@pytest.mark.parametrize(("name", "command"), list(all_commands().items()), ids=str)
def test_the_document_has_each_command_with_its_options(name, command):
    [row] = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{name}")]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    shared = {"--json", "--url", "--yes", "--help"}
    assert {option for option in options - shared if option not in row} == set()
    assert command.help
    # the list of commands has room for the whole sentence
    assert not command.get_short_help_str(_SUMMARY_CHARACTERS).endswith("...")
    # no command is left out of scripts
    assert "--json" in options
    assert "--url" in options or name in {"login", "logout", "local up"}


def test_the_document_has_each_exit_code():
    for code in ExitCode:
        assert f"\n| {code.value} |" in DOCUMENT
