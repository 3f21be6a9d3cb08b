"""The page on costs has the numbers that the code computes, and the code counts what the app has."""

import re
from collections import Counter

import pytest

import function_app
from bench.suites.prices import QUEUES, tables
from shared.costs.prices import default_prices
from tests.unit.documents.markdown import ROOT, rows_of, section_of, text_of

PAGE = "docs/explanation/costs.md"
TABLES = {table.title: table for table in tables(default_prices())}
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")


def cost_of(title, row, column=-1):
    return next(cells[column] for cells in TABLES[title].rows if cells[0] == row)


@pytest.mark.parametrize("title", TABLES)
def test_a_table_is_that_of_the_code(title):
    assert rows_of(section_of(PAGE, title)) == [list(row) for row in TABLES[title].rows]


def test_the_summary_has_numbers_of_the_tables_only():
    job, dataset, idle = "What a job costs", "What a dataset costs", "An app without work, a month"
    polls = next(title for title in TABLES if title.endswith("an instance that waits, a month"))
    expected = [
        "1,000,000",
        cost_of(job, "**together**, limited by the processor"),
        cost_of(job, "**together**, at 25 candidates a second"),
        *(cost_of(dataset, f"a month in the {tier} tier") for tier in ("Hot", "Cold", "Archive")),
        cost_of(dataset, "one download from the Hot tier"),
        cost_of(idle, "**together**"),
        cost_of(idle, "rules of alerts"),
        cost_of(polls, "30 s (host.json)"),
    ]
    assert NUMBER.findall(section_of(PAGE, "In short")) == expected


def test_the_readme_has_the_numbers_of_ten_thousand_images():
    expected = [
        "10,000",
        "300,000",
        cost_of("What a job costs", "**together**, at 25 candidates a second", 2),
        cost_of("What a dataset costs", "a month in the Hot tier", 2),
        cost_of("What a dataset costs", "one download from the Hot tier", 2),
        cost_of("An app without work, a month", "**together**, after the free part of the month"),
    ]
    assert NUMBER.findall(section_of("README.md", "What it costs")) == expected


def test_the_free_parts_of_a_month_are_those_of_the_price_file():
    prices = default_prices()
    line = next(line for line in text_of(PAGE).split("\n- ") if line.startswith("*Together*"))
    found = [int(number.replace(",", "")) for number in NUMBER.findall(line.partition("\n\n")[0])]
    functions = prices.functions
    assert found == [
        functions.free_executions_month,
        functions.free_gb_seconds_month,
        prices.egress.free_gb_month,
        prices.logs.free_gb_month,
    ]


def test_all_queues_that_the_host_asks_for_messages_are_counted():
    triggers = (function.get_trigger() for function in function_app.app.get_functions())
    polled = [getattr(trigger, "queue_name", None) for trigger in triggers]
    assert Counter(filter(None, polled)) == Counter(QUEUES)


def test_all_rules_of_alerts_are_asked_every_fifteen_minutes_or_less_often():
    """Rules that are asked more often have a higher price."""
    text = (ROOT / "infra" / "modules" / "alerts.bicep").read_text(encoding="utf-8")
    assert set(re.findall(r"every: '(\w+)'", text)) <= {"PT15M", "PT30M", "PT1H"}
