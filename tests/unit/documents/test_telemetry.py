"""The page on telemetry has exactly the signals of the code, correct queries, and existing settings."""

import json
import logging
import re

import pytest

from infra.catalogue import entries, with_table
from shared.insights.log_source import Scope
from shared.insights.queries import query
from shared.insights.reports import REPORTS
from shared.telemetry.azure_monitor.sender import SenderConfig
from shared.telemetry.correlation import operation
from shared.telemetry.log_lines import JsonLines
from tests.unit.documents.markdown import codes_in, examples_in, rows_of, section_of, text_of
from tests.unit.insights.tables import SCHEMA, check_names

PAGE = "docs/reference/telemetry.md"
# where a reader puts what was found by the query before
OF_A_READER = {"JOB_ID", "CORRELATION_ID", "OPERATION_ID", "PRINCIPAL_ID", "APPINSIGHTS_RESOURCE_ID"}
QUERIES = examples_in(PAGE, "kusto")


def test_the_catalogue_is_as_make_catalogue_makes_it() -> None:
    assert text_of(PAGE) == with_table(text_of(PAGE)), "run 'make catalogue'"


def test_the_catalogue_has_each_signal_once_with_what_it_may_carry() -> None:
    found = [(entry.kind.partition(",")[0], entry.name) for entry in entries()]
    assert len(set(found)) == len(found)
    assert {"event", "metric", "dependency", "exception"} == {kind for kind, _ in found}
    rows = {row[0].strip("`"): row for row in rows_of(section_of(PAGE, "Catalogue"))}
    assert (rows["azure_blob_upload"][2], rows["azure_blob_upload"][3]) == ("`error`?", "`file_size_mb`")
    assert codes_in(rows["job_completed"][3]) == ["images_processed", "duration"]
    assert rows["job_completed"][4] == rows["any error"][4] == rows["images_processed"][4] == "never"
    assert rows["operation_completed"][4] == "yes"


def test_a_page_without_a_place_for_the_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="no marks"):
        with_table("# Telemetry\n")


def test_a_query_on_log_lines_reads_fields_that_they_have() -> None:
    read = {
        name for text in QUERIES for read in check_names(text).reads for name in read.bags.get("line", ())
    }
    record = logging.makeLogRecord({"name": "shared", "exc_info": (ValueError, ValueError("x"), None)})
    with operation("work", job_id="j1"):
        line = json.loads(JsonLines().format(record))
    assert {"correlation_id", "message", "stack"} <= read <= line.keys()


def test_the_queries_of_reports_are_those_of_the_code() -> None:
    shown = [text.rstrip() for text in examples_in(PAGE, "kusto", "Questions and queries")]
    known = [query(report, Scope.WORKSPACE) for report in REPORTS.values()]
    assert len(shown) >= 4
    assert [text for text in shown if text not in known] == []


def test_the_tables_are_those_of_the_workspace_and_of_the_resource() -> None:
    rows = rows_of(section_of(PAGE, "Where it arrives"))
    assert {(codes_in(row[2])[0], codes_in(row[1])[0]) for row in rows} == set(SCHEMA)


def test_the_settings_on_the_page_are_settings() -> None:
    named = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", text_of(PAGE))) - OF_A_READER
    known = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", text_of("docs/reference/settings.md")))
    assert named
    assert not named - known


def test_the_bounds_are_those_of_the_code() -> None:
    config = SenderConfig()
    assert f"{config.max_items:,} items and {config.max_bytes // 1_000_000} MB" in text_of(PAGE)
