"""The hooks of azd check what would fail late, set what has to stay, and wait until the app is ready."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest
import yaml

from tests.unit.infra.bicep.bicep_file import INFRA, read_bicep

ROOT = INFRA.parent
HOOKS = sorted((INFRA / "hooks").iterdir())
AZD = {"AZURE_LOCATION": "swedencentral"}
URI = {"SERVICE_API_URI": "https://app.example.org", "READY_PAUSE_SECONDS": "0"}
TOOLS = ("cat", "date", "grep", "od", "sh", "sleep", "tr")
DEFAULT_AZ = """case "$*" in
  "account show"*) ;;
  "functionapp list-flexconsumption-runtimes"*) printf '3.12\\n3.13\\n' ;;
  "provider show"*) echo Registered ;;
  *) exit 9 ;;
esac"""


class Shell:
    """Runs hooks with programs in place of az, azd and curl, which write down their calls."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls"
        self.log.touch()
        # only these: a machine may have az, azd or curl
        for tool in TOOLS:
            (folder / tool).symlink_to(str(shutil.which(tool)))
        self.program("az", DEFAULT_AZ)
        self.program("azd", "")

    def program(self, name: str, script: str) -> None:
        path = self.folder / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.log}"\n{script}\n')
        path.chmod(0o755)

    def run(self, hook: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own file
            [INFRA / "hooks" / hook],
            cwd=self.folder,
            env={"PATH": str(self.folder), **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    def calls(self, program: str) -> list[str]:
        return [
            line.removeprefix(f"{program} ")
            for line in self.log.read_text().splitlines()
            if line.startswith(f"{program} ")
        ]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook.name)
def test_a_hook_is_an_executable_script_without_syntax_errors(hook) -> None:
    assert os.access(hook, os.X_OK)
    assert hook.read_text().startswith("#!/bin/sh\n")
    checked = subprocess.run(["/bin/sh", "-n", hook], capture_output=True, check=False)  # noqa: S603 - our own file
    assert (checked.returncode, checked.stderr) == (0, b"")


def test_azd_runs_each_hook() -> None:
    config = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert config["services"]["api"] == {"project": ".", "language": "python", "host": "function"}
    assert sorted(ROOT / hook["run"] for hook in config["hooks"].values()) == HOOKS
    assert {hook["shell"] for hook in config["hooks"].values()} == {"sh"}


def test_before_the_first_deployment_a_key_and_the_month_of_the_budget_are_set(shell) -> None:
    done = shell.run("preprovision.sh", **AZD)
    assert (done.returncode, done.stderr) == (0, "")
    key, month = shell.calls("azd")
    assert key.startswith("env set ADMIN_API_KEY ")
    secret = key.rpartition(" ")[2]
    assert len(secret) == 64
    assert set(secret) <= set("0123456789abcdef")
    assert month.startswith("env set BUDGET_START ")
    assert month.endswith("-01")
    assert secret not in done.stdout


def test_each_key_is_another_one(shell) -> None:
    for _ in range(2):
        shell.run("preprovision.sh", **AZD, BUDGET_START="2026-01-01")
    assert len(set(shell.calls("azd"))) == 2


def test_what_is_set_stays(shell) -> None:
    done = shell.run("preprovision.sh", **AZD, ADMIN_API_KEY="k" * 32, BUDGET_START="2026-01-01")
    assert done.returncode == 0
    assert shell.calls("azd") == []


def test_a_key_that_could_be_guessed_is_refused(shell) -> None:
    done = shell.run("preprovision.sh", **AZD, ADMIN_API_KEY="k" * 31)
    assert done.returncode == 1
    assert "ADMIN_API_KEY has 31 characters; it must have at least 32" in done.stderr
    assert "kkk" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "odd", ['"', "'", " ", "\\", "\n", "$(touch made)", "`touch made`", "${HOME}", "é", "*"]
)
def test_a_key_that_would_change_the_parameters_or_a_command_is_refused(shell, odd) -> None:
    done = shell.run("preprovision.sh", ADMIN_API_KEY="k" * 32 + odd, **AZD)
    assert done.returncode == 1
    assert "only letters" in done.stderr
    assert "kkk" not in done.stderr
    assert not (shell.folder / "made").exists()
    assert shell.calls("azd") == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("echo 3.12", "offers Python 3.12, not 3.13: choose another"),
        ("printf '3.130\\n13.13\\n'", "offers Python 3.130 13.13, not 3.13"),
        ("true", "offers Python , not 3.13"),
        ("exit 1", "does not offer Flex Consumption"),
    ],
)
def test_a_region_without_the_runtime_is_refused(shell, answer, problem) -> None:
    shell.program("az", f'case "$*" in "functionapp "*) {answer} ;; esac')
    done = shell.run("preprovision.sh", **AZD)
    assert done.returncode == 1
    assert f"the region swedencentral {problem}" in done.stderr
    assert shell.calls("azd") == []


def test_the_runtime_is_the_one_of_the_app() -> None:
    text = (INFRA / "modules/app.bicep").read_text()
    assert "version: '3.13'" in text
    assert "python=3.13\n" in (INFRA / "hooks/preprovision.sh").read_text()


def test_without_azure_cli_or_a_sign_in_nothing_is_deployed(shell) -> None:
    shell.program("az", "echo 'Please run az login' >&2; exit 1")
    done = shell.run("preprovision.sh", **AZD)
    assert done.returncode == 1
    assert "run 'az login'" in done.stderr
    (shell.folder / "az").unlink()
    done = shell.run("preprovision.sh", **AZD)
    assert done.returncode == 1
    assert "the Azure CLI (az) is not installed" in done.stderr


def test_without_a_region_nothing_is_deployed(shell) -> None:
    done = shell.run("preprovision.sh")
    assert done.returncode == 1
    assert "choose a region first: azd env set AZURE_LOCATION" in done.stderr
    assert shell.calls("az") == []


def test_before_the_app_is_packed_its_modules_are_compiled_again(shell) -> None:
    (shell.folder / "python3.13").symlink_to(sys.executable)
    modules = [
        shell.folder / name / "module.py" for name in ("functions", "pixcrawler_sources", "shared/wiring")
    ]
    for module in modules:
        module.parent.mkdir(parents=True)
        module.write_text("value = 1\n")
    done = shell.run("prepackage.sh")
    assert done.returncode == 0
    assert "bytecode" not in done.stderr
    for module in modules:
        compiled = Path(cache_from_source(str(module)))
        # the flags of bytecode that is checked by the hash of its source (PEP 552)
        assert compiled.read_bytes()[4:8] == b"\3\0\0\0"


@pytest.mark.parametrize("python", ["", "exit 1"])
def test_without_python_3_13_the_app_is_packed_without_bytecode(shell, python) -> None:
    if python:
        shell.program("python3", python)
    done = shell.run("prepackage.sh")
    assert done.returncode == 0
    assert "without Python 3.13, the app has no bytecode" in done.stderr


def test_without_the_address_of_the_app_nobody_waits_for_it(shell) -> None:
    done = shell.run("postdeploy.sh")
    assert done.returncode != 0
    assert "SERVICE_API_URI: run this with azd" in done.stderr


@pytest.mark.parametrize(("state", "registers"), [("NotRegistered", True), ("Registered", False)])
def test_a_network_needs_the_resource_provider_of_flex_consumption(shell, state, registers) -> None:
    shell.program("az", DEFAULT_AZ.replace("echo Registered", f"echo {state}").replace("exit 9", ""))
    done = shell.run("preprovision.sh", **AZD, USE_PRIVATE_NETWORK="true")
    assert done.returncode == 0
    registered = "provider register --namespace Microsoft.App --wait" in shell.calls("az")
    assert registered is registers


def test_a_resource_provider_that_cannot_be_registered_is_reported(shell) -> None:
    shell.program("az", DEFAULT_AZ.replace("echo Registered", "echo NotRegistered"))
    done = shell.run("preprovision.sh", **AZD, USE_PRIVATE_NETWORK="true")
    assert done.returncode == 1
    assert "Microsoft.App cannot be registered" in done.stderr


def test_after_a_deployment_the_app_is_asked_until_it_is_ready(shell) -> None:
    shell.program("curl", f'[ "$(grep -c ^curl "{shell.log}")" -ge 3 ] || exit 22\necho healthy')
    done = shell.run("postdeploy.sh", **URI)
    assert done.returncode == 0
    assert "healthy" in done.stdout
    assert len(shell.calls("curl")) == 3
    assert shell.calls("curl")[0].endswith("https://app.example.org/health/ready")
    assert "https://app.example.org/api/v1/users" in done.stdout
    assert "azd env get-value ADMIN_API_KEY" in done.stdout


def test_an_app_that_does_not_get_ready_is_reported_with_its_last_answer(shell) -> None:
    shell.program("curl", "echo 'the requested URL returned error: 503' >&2; exit 22")
    done = shell.run("postdeploy.sh", **URI, READY_ATTEMPTS="4")
    assert done.returncode == 1
    assert len(shell.calls("curl")) == 4
    assert "not ready after 4 attempts. The last answer: the requested URL returned error: 503" in done.stderr
    assert """--workspace "$(azd env get-value AZURE_LOG_ANALYTICS_WORKSPACE_ID)" \\\n""" in done.stderr


def test_the_variables_that_the_hooks_read_are_outputs_of_the_deployment() -> None:
    outputs = read_bicep(INFRA / "main.bicep").outputs.keys()
    text = (INFRA / "hooks/postdeploy.sh").read_text()
    named = set(re.findall(r"get-value (\w+)", text)) - {"ADMIN_API_KEY"}
    assert named
    assert named | {"SERVICE_API_URI"} <= outputs


def test_the_scripts_of_the_pages_are_copied_before_the_app_is_packed(shell) -> None:
    shell.program("npm", "")
    shell.program("python3", "")
    done = shell.run("prepackage.sh")
    assert (done.returncode, done.stderr) == (0, "")
    assert shell.calls("npm") == ["ci --silent --no-audit --no-fund --ignore-scripts"]
    assert shell.calls("python3")[-1] == "-m functions.http.pages.assets"


@pytest.mark.parametrize("program", ["npm", "python3"])
def test_without_npm_or_python_the_app_is_packed_without_these_scripts(shell, program) -> None:
    shell.program(program, "")
    done = shell.run("prepackage.sh")
    assert done.returncode == 0
    assert "/docs" in done.stderr
    assert "ci --silent --no-audit --no-fund --ignore-scripts" not in shell.calls("npm")
    assert "-m functions.http.pages.assets" not in shell.calls("python3")


def test_packages_that_cannot_be_installed_stop_azd(shell) -> None:
    shell.program("npm", "exit 1")
    shell.program("python3", "")
    assert shell.run("prepackage.sh").returncode != 0
