"""The workflow of GitHub runs what exists, with the fewest permissions; the dev container has its tools."""

import json
import re

import yaml

from tests.unit.documents.markdown import text_of
from tests.unit.infra.bicep.bicep_file import INFRA, read_bicep

ROOT = INFRA.parent
# YAML 1.1 reads the key `on` as true
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/deploy.yml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
STEPS = [(name, step) for name, job in WORKFLOW["jobs"].items() for step in job["steps"]]
COMMANDS = [step["run"] for _, step in STEPS if "run" in step]


def test_each_step_runs_a_command_or_an_action_of_a_fixed_version() -> None:
    for _, step in STEPS:
        assert ("run" in step) != ("uses" in step)
        if "uses" in step:
            assert re.fullmatch(r"(actions|azure)/[a-z-]+@(v\d+|[0-9a-f]{40})", step["uses"])


def test_each_target_of_make_exists() -> None:
    called = {
        word
        for command in COMMANDS
        if command.startswith("make ")
        for word in command.split()[1:]
        if "=" not in word
    }
    assert {"check", "test", "test-client", "demo", "package"} == called
    assert called <= TARGETS


def test_the_tests_are_those_of_a_local_run() -> None:
    local = {line for line in (ROOT / ".ci/run").read_text().splitlines() if line.startswith("make ")}
    ran = [step["run"] for name, step in STEPS if name == "test" and "run" in step]
    assert set(ran) == local


def test_only_the_deployment_may_sign_in_and_only_after_the_tests_of_main() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    jobs = WORKFLOW["jobs"]
    assert {name for name, job in jobs.items() if "permissions" in job} == {"deploy"}
    assert jobs["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}
    assert set(jobs["deploy"]["needs"]) == jobs.keys() - {"deploy"}
    assert "refs/heads/main" in jobs["deploy"]["if"]
    assert "pull_request_target" not in WORKFLOW[True]
    assert all("timeout-minutes" in job for job in jobs.values())


def test_no_text_of_others_becomes_a_part_of_a_command_and_no_secret_is_needed() -> None:
    assert [command for command in COMMANDS if "${{" in command] == []
    assert "secrets." not in (ROOT / ".github/workflows/deploy.yml").read_text()
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout")]
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}] * len(checkouts)


def test_the_deployment_uses_files_and_outputs_that_exist() -> None:
    deploy = WORKFLOW["jobs"]["deploy"]
    outputs = read_bicep(INFRA / "main.bicep").outputs.keys()
    named = set(re.findall(r"vars\.(\w+)", json.dumps(deploy)))
    assert named - {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"} <= outputs
    page = text_of("docs/how-to/deployment.md")
    assert [name for name in named if name not in page] == []
    assert (ROOT / "infra/hooks/postdeploy.sh").exists()
    assert any("--src .local/package/pixcrawler.zip --build-remote false" in command for command in COMMANDS)


def test_the_dev_container_has_what_the_makefile_needs() -> None:
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert container["image"].endswith("/python:3.13")
    assert container["postCreateCommand"].removeprefix("make ") in TARGETS
    features = " ".join(container["features"])
    assert all(name in features for name in ("node", "azure-cli", "azd"))
    assert int(re.findall(r"^PORT \?= (\d+)$", MAKEFILE, re.MULTILINE)[0]) in container["forwardPorts"]
