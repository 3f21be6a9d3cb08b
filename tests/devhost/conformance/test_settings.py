"""Settings, connections, and the table of the contract itself."""

import ast
import json
import re
from pathlib import Path

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.identity.aio import DefaultAzureCredential

from devhost.connections import Connections
from devhost.settings import StartError, load_settings, seconds_of
from playground.azurite import ROOT

PRINT = """
    @app.route(route="env/{name}")
    def env(req: func.HttpRequest) -> str:
        return os.environ.get(req.route_params["name"], "none")
"""


def test_values_of_local_settings_become_environment_variables(app, hosts):
    """S5: Values of local.settings.json become environment variables; existing ones win."""
    local = {"Values": {"FROM_FILE": "file", "FROM_BOTH": "file", "NUMBER": 7}}
    host = hosts(app(PRINT, local=local), FROM_BOTH="environment").start()
    names = ("FROM_FILE", "FROM_BOTH", "NUMBER", "AZURE_FUNCTIONS_ENVIRONMENT", "NOTHING")
    assert [host.get(f"/api/env/{name}")[1] for name in names] == [
        "file",
        "environment",
        "7",
        "Development",
        "none",
    ]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "host.json is missing"),
        ({"host.json": "{"}, "host.json is not JSON"),
        ({"host.json": "[]"}, "must hold an object"),
        ({"host.json": '{"version": "1.0"}'}, '"version": "2.0"'),
        ({"host.json": '{"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}'}, "batchSize"),
        ({"host.json": '{"version": "2.0", "extensions": {"queues": {"batchSize": "x"}}}'}, "batchSize"),
        ({"host.json": '{"version": "2.0", "functionTimeout": "5 minutes"}'}, "time span"),
        ({"host.json": '{"version": "2.0"}', "local.settings.json": "no"}, "local.settings.json is not JSON"),
    ],
)
def test_wrong_settings_are_refused_with_their_reason(tmp_path, files, reason):
    """S6: host.json needs "version": "2.0"; what is wrong in it is said."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(StartError, match=re.escape(reason)):
        load_settings(tmp_path)


def test_host_json_knows_no_case(tmp_path, monkeypatch):
    """S7: keys of host.json and of its overrides differ in case only by spelling."""
    (tmp_path / "host.json").write_text('{"Version": "2.0", "Extensions": {"HTTP": {"RoutePrefix": "x"}}}')
    monkeypatch.setenv("AzureFunctionsJobHost__EXTENSIONS__queues__BatchSize", "3")
    settings = load_settings(tmp_path)
    assert (settings.route_prefix, settings.queues.batch_size) == ("x", 3)
    assert seconds_of("1.02:03:04") == 93_784
    assert seconds_of("00:00:00.500") == 0.5


KEY = "AccountKey=a2V5;"


@pytest.mark.parametrize(
    ("environment", "url", "credential"),
    [
        (
            {"AzureWebJobsMINE": f"AccountName=a;{KEY}", "MINE": f"AccountName=b;{KEY}"},
            "https://a.queue.core.windows.net/q",
            AzureNamedKeyCredential,
        ),
        (
            {"MINE": f"AccountName=b;{KEY}", "MINE__accountName": "c"},
            "https://b.queue.core.windows.net/q",
            AzureNamedKeyCredential,
        ),
        ({"MINE__accountName": "c"}, "https://c.queue.core.windows.net/q", DefaultAzureCredential),
        (
            {"MINE__queueServiceUri": "https://d.queue.example"},
            "https://d.queue.example/q",
            DefaultAzureCredential,
        ),
        (
            {"MINE": "UseDevelopmentStorage=true"},
            "http://127.0.0.1:10001/devstoreaccount1/q",
            AzureNamedKeyCredential,
        ),
    ],
)
async def test_connections_are_looked_up_in_order(environment, url, credential):
    """S8: AzureWebJobs<name>, then <name>; a connection string first, then __accountName or __queueServiceUri."""
    connections = Connections(environment)
    client = connections.queue("MINE", "q")
    assert client.url.rstrip("/") == url
    is_keyed = credential is AzureNamedKeyCredential
    assert isinstance(client.credential, DefaultAzureCredential) is not is_keyed
    await connections.close()


def test_a_connection_without_a_setting_is_an_error_at_start(app, hosts):
    """S9: a connection that no setting gives is a start-up error."""
    code = """
        @app.queue_trigger(arg_name="msg", queue_name="q", connection="ELSEWHERE")
        def work(msg: func.QueueMessage) -> None:
            pass
    """
    host = hosts(app(code)).start(ready=False)
    assert host.process.wait(20) == 1
    assert "The connection ELSEWHERE has no setting" in host.log


def test_unknown_triggers_and_bindings_are_errors_at_start(app, hosts):
    """S10: triggers and bindings that devhost does not know are start-up errors, not silence."""
    blob_trigger = """
        @app.blob_trigger(arg_name="blob", path="c/{name}", connection="AzureWebJobsStorage")
        def on_blob(blob: func.InputStream) -> None:
            pass
    """
    table_output = """
        @app.route(route="x")
        @app.table_output(arg_name="row", table_name="t", connection="AzureWebJobsStorage")
        def x(req: func.HttpRequest, row: func.Out[str]) -> str:
            return ""
    """
    for code, reason in ((blob_trigger, "blobtrigger are not supported"), (table_output, "type table")):
        host = hosts(app(code)).start(ready=False)
        assert host.process.wait(20) == 1
        assert reason in host.log


def test_each_line_of_the_contract_has_its_test():
    """S11: devhost/README.md lists the contract; each line that is kept has a test that names it."""
    listed = re.findall(r"^\| ([A-Z]\d+) \|", (ROOT / "devhost" / "README.md").read_text(), re.MULTILINE)
    proven = []
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                line = re.match(r"([A-Z]\d+): ", ast.get_docstring(node) or "")
                proven += [line[1]] if line else []
    assert sorted(proven) == sorted(listed)


def test_two_apps_do_not_share_a_host_id(app, hosts):
    """S12: the host's id is of machine and folder, or AzureFunctionsWebHost__hostid."""
    one, two = app(PRINT, name="one"), app(PRINT, name="two")
    running = [hosts(one), hosts(one), hosts(two), hosts(two, AzureFunctionsWebHost__hostid="given")]
    first, again, other, given = (
        json.loads(host.start().get("/admin/host/status")[1])["id"] for host in running
    )
    assert first == again != other
    assert given == "given"
