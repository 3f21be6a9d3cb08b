"""The page on settings and the example of local.settings.json are those that the settings give."""

import json

import pytest

from infra.settings_documents import EXAMPLE, example, required_settings, with_tables
from shared.settings import Settings
from shared.settings.azure_variables import AzureVariables
from shared.settings.environment import variable
from tests.unit.documents.markdown import codes_in, rows_of, section_of, text_of

PAGE = "docs/reference/settings.md"
ROWS = {codes_in(row[0])[0]: row for row in rows_of(text_of(PAGE))}


def test_the_page_and_the_example_are_as_make_settings_makes_them() -> None:
    assert text_of(PAGE) == with_tables(text_of(PAGE)), "run 'make settings'"
    assert EXAMPLE.read_text(encoding="utf-8") == example(), "run 'make settings'"


def test_the_page_has_each_setting_except_those_that_azure_sets() -> None:
    fields = Settings.model_fields.keys() - AzureVariables.model_fields.keys()
    assert ROWS.keys() == {variable(name, Settings.model_fields[name]) for name in fields}


def test_a_row_tells_the_default_the_values_and_the_meaning() -> None:
    assert ROWS["CHUNK_SIZE"][1:3] == ["`1024`", "1 to 4,096"]
    assert ROWS["FETCH_TIMEOUT_SECONDS"][1:3] == ["`30`", "more than 0, at most 1,000,000,000"]
    assert ROWS["ARCHIVE_PART_BYTES"][2] == "at least 1,048,576"
    assert ROWS["LOG_LEVEL"][2] == "`DEBUG`, `INFO`, `WARNING`, `ERROR`"
    assert ROWS["CORS_ALLOW_CREDENTIALS"][1:3] == ["`false`", "`true`, `false`"]
    assert ROWS["TIERS"][1] == "\N{EN DASH}"
    assert all(len(row) == 4 and row[3].endswith(".") for row in ROWS.values())


def test_a_setting_that_a_deployment_has_to_set_is_marked() -> None:
    marked = {name for name, row in ROWS.items() if row[1] == "required on Azure"}
    assert {"WATCHDOG_SCHEDULE", "AzureWebJobsStorage__clientId"} < marked
    assert marked <= required_settings()


def test_a_section_has_the_text_of_its_topic() -> None:
    assert "Storage Queue Data Contributor" in section_of(PAGE, "Storage")


def test_the_example_holds_settings_that_are_valid() -> None:
    values = json.loads(EXAMPLE.read_text(encoding="utf-8"))["Values"]
    names = {variable(name, field): name for name, field in Settings.model_fields.items()}
    found = Settings(**{names[name]: value for name, value in values.items() if name in names})
    assert found.watchdog_schedule == "0 */10 * * * *"
    assert values.keys() - ROWS.keys() == {"FUNCTIONS_WORKER_RUNTIME"}


def test_a_page_without_a_place_for_the_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks"):
        with_tables("# Settings\n")
