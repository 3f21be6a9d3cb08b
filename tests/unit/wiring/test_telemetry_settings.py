"""With wrong settings of telemetry the app starts, and reports what is wrong."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.settings import SettingsError, load_settings
from shared.telemetry.recording import NoTelemetry
from shared.wiring import App

ROOT = Path(__file__).parents[3]
KEY = "00000000-0000-0000-0000-000000000001"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"


@pytest.fixture
def loaded(monkeypatch):
    def load(**values):
        load_settings.cache_clear()
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    monkeypatch.delenv("CONTAINER_NAME", raising=False)
    yield load
    load_settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("AZURE_MONITOR_SAMPLING_RATE", "2", "is '2'; it must be at most 1"),
        ("AZURE_MONITOR_SAMPLING_RATE", "-0.1", "is '-0.1'; it must be at least 0"),
        ("AZURE_MONITOR_SAMPLING_RATE", "ten", "is 'ten'; it must be a number"),
        ("AZURE_MONITOR_SAMPLING_RATE", "nan", "is 'nan'; it must be at "),
        ("LOG_LEVEL", "loud", "is 'loud'; it must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("LOG_LEVEL", "LOUD", "is 'LOUD'; it must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        (CONNECTION, "abc", "must be pairs of the form name=value, with semicolons between them"),
        (CONNECTION, "InstrumentationKey=secret-typo", "needs an InstrumentationKey, which is a GUID"),
        (CONNECTION, f"IngestionEndpoint=https://a/;{KEY}=", "needs an InstrumentationKey, which is a GUID"),
        (CONNECTION, f"InstrumentationKey={KEY};IngestionEndpoint=ftp://a", "has an IngestionEndpoint"),
        (CONNECTION, f"InstrumentationKey={KEY};IngestionEndpoint=https://a:b", "has an IngestionEndpoint"),
        (CONNECTION, f"InstrumentationKey={KEY};Authorization=aad", "knows no Authorization but ikey"),
        (
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
            "ClientId=x",
            "needs Authorization=AAD, as in 'Auth",
        ),
        (
            "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
            "ClientId=x;Authorization=AAD",
            "has a ClientId that is no GUID",
        ),
    ],
)
def test_a_wrong_setting_of_telemetry_is_a_problem_and_its_default_holds(loaded, name, value, problem):
    found = loaded(**{name: value})
    [line] = found.telemetry_problems
    assert line.startswith(name)
    assert problem in line
    assert "secret" not in line
    assert (found.azure_monitor_sampling_rate, found.log_level) == (0.1, "INFO")
    assert found.applicationinsights_connection_string is None
    assert App(found).telemetry.state().problem == line


def test_all_problems_are_named_when_another_setting_is_wrong_too(loaded):
    with pytest.raises(SettingsError) as caught:
        loaded(CHUNK_SIZE="0", LOG_LEVEL="LOUD")
    assert len(str(caught.value).splitlines()) == 3


def test_a_rule_about_several_settings_is_one_message_also_beside_a_wrong_setting_of_telemetry(
    loaded, monkeypatch
):
    monkeypatch.delenv("AzureWebJobsStorage")
    with pytest.raises(
        SettingsError, match=r"^Settings are wrong\.\nAzureWebJobsStorage__queueServiceUri and "
    ):
        loaded(AzureWebJobsStorage__blobServiceUri="https://x", LOG_LEVEL="LOUD")


@pytest.mark.parametrize("level", ["warning", "Warning", " WARNING "])
def test_a_level_is_read_in_any_letters(loaded, level):
    found = loaded(LOG_LEVEL=level, TELEMETRY_CLIENT_ADDRESSES="Full")
    assert found.telemetry_problems == ()
    assert (found.log_level, found.telemetry_client_addresses) == ("WARNING", "full")


def test_a_client_id_that_is_empty_counts_as_none(loaded):
    assert (
        loaded(APPLICATIONINSIGHTS_AUTHENTICATION_STRING="ClientId=;Authorization=AAD").telemetry_problems
        == ()
    )


@pytest.mark.parametrize(
    "text",
    [
        f"InstrumentationKey={KEY}",
        f"InstrumentationKey={KEY};IngestionEndpoint=https://x.in.applicationinsights.azure.com/;LiveEndpoint=https://l/",
        f" instrumentationkey = {KEY} ; EndpointSuffix=applicationinsights.azure.cn ;",
        f"InstrumentationKey={KEY};IngestionEndpoint=https://x/;ApplicationId=a=b",
    ],
)
def test_connection_strings_as_people_paste_them_are_accepted(loaded, text):
    found = loaded(APPLICATIONINSIGHTS_CONNECTION_STRING=text)
    assert found.applicationinsights_connection_string == SecretStr(text)
    assert not isinstance(App(found).telemetry, NoTelemetry)


def test_an_app_with_a_typo_in_its_connection_string_starts_and_logs_one_line(monkeypatch):
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    monkeypatch.setenv(CONNECTION, "InstrumentationKey=typo")
    command = [sys.executable, "-c", "import function_app; print('started')"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this very Python
    assert run.stdout == "started\n"
    assert run.stderr.count("needs an InstrumentationKey") == 1


@pytest.mark.parametrize(
    ("excluded", "warned"),
    [
        ("get_job, list_job,watchdog ,Crawl_Chunk", "no function of the app: Crawl_Chunk, list_job."),
        ("none", ""),
        ("discover_job_poison,zz_unmatched,,health_live", ""),
    ],
)
def test_an_app_that_starts_names_the_excluded_operations_that_it_does_not_have(
    monkeypatch, excluded, warned
):
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    monkeypatch.setenv("TELEMETRY_EXCLUDED_OPERATIONS", excluded)
    command = [sys.executable, "-c", "import function_app"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this very Python
    assert warned in run.stderr
    assert bool(warned) == ("TELEMETRY_EXCLUDED_OPERATIONS" in run.stderr)


@pytest.mark.parametrize(
    ("values", "azure", "role", "instance"),
    [
        ({}, False, "pixcrawler", None),
        ({"WEBSITE_INSTANCE_ID": "i", "WEBSITE_SITE_NAME": "mine"}, True, "mine", "i"),
        ({"CONTAINER_NAME": "c", "WEBSITE_SITE_NAME": "mine"}, True, "mine", "c"),
        ({"WEBSITE_POD_NAME": "p", "WEBSITE_SITE_NAME": "mine"}, True, "mine", "p"),
        ({"CONTAINER_NAME": "c", "WEBSITE_POD_NAME": "p", "WEBSITE_SITE_NAME": "m"}, True, "m", "c"),
        ({"WEBSITE_INSTANCE_ID": "i", "WEBSITE_SITE_NAME": "A", "WEBSITE_SLOT_NAME": "B"}, True, "a-b", "i"),
        ({"WEBSITE_SITE_NAME": "A", "WEBSITE_SLOT_NAME": "Production"}, False, "a", None),
        ({"WEBSITE_SITE_NAME": "A", "WEBSITE_CLOUD_ROLENAME": "Mine"}, False, "Mine", None),
        ({"CONTAINER_NAME": "of another system"}, False, "pixcrawler", None),
    ],
)
def test_azure_is_recognised_on_every_plan_and_names_role_and_instance(loaded, values, azure, role, instance):
    found = loaded(**values)
    assert (found.running_in_azure, found.role) == (azure, role)
    assert found.instance == (instance or socket.gethostname())
