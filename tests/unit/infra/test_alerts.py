"""Alerts ask for signals that exist, at times that Azure allows, and reach the operator."""

import pytest

from functions import queues, timers
from tests.unit.documents.markdown import rows_of, section_of, text_of
from tests.unit.infra.bicep.deployments import deployed
from tests.unit.insights.tables import check_names

# https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule
MINUTES = {"PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60, "P1D": 1440, "P2D": 2880}
RULES = deployed().of("Microsoft.Insights/scheduledQueryRules")
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


def query_of(rule) -> str:
    [criterion] = rule.body["properties"]["criteria"]["allOf"]
    return "\n".join(line for line in criterion["query"].splitlines() if not line.startswith("//"))


@each_rule
def test_a_query_reads_tables_columns_and_signals_that_exist(rule) -> None:
    assert check_names(query_of(rule)).columns


@each_rule
def test_a_rule_looks_back_at_least_as_far_as_to_its_last_run(rule) -> None:
    properties = rule.body["properties"]
    assert MINUTES[properties["evaluationFrequency"]] <= MINUTES[properties["windowSize"]]
    assert properties["severity"] in range(5)
    assert properties["enabled"] is True
    [criterion] = properties["criteria"]["allOf"]
    assert (criterion["timeAggregation"], criterion["operator"], criterion["threshold"]) == (
        "Count",
        "GreaterThan",
        0,
    )


def test_the_functions_that_queries_name_exist() -> None:
    reads = [read for rule in RULES for read in check_names(query_of(rule)).reads]
    names = {name for read in reads if read.table == "AppRequests" for name in read.texts.get("Name", ())}
    assert names == {"watchdog"}
    assert names <= vars(timers).keys()
    assert any(name.endswith("_poison") for name in vars(queues))


def test_the_page_says_what_to_do_about_each_alert() -> None:
    rows = rows_of(section_of("docs/how-to/deployment.md", "What to watch"))
    titles = [rule.body["properties"]["description"] for rule in RULES]
    assert [row[0] for row in rows][-len(titles) :] == titles
    runbook = text_of("docs/how-to/operations.md")
    assert [title for title in titles if f"\n### {title}\n" not in runbook] == []


def test_alerts_are_sent_to_the_operator_if_there_is_one() -> None:
    [receivers] = deployed(alertEmail="a@example.org").of("Microsoft.Insights/actionGroups")
    assert len(receivers.body["properties"]["groupShortName"]) <= 12
    for rule in deployed(alertEmail="a@example.org").of("Microsoft.Insights/scheduledQueryRules"):
        assert rule.body["properties"]["actions"]["actionGroups"] == [receivers.member("id")]
    assert deployed().of("Microsoft.Insights/actionGroups") == []
    assert [rule.body["properties"]["actions"]["actionGroups"] for rule in RULES] == [[]] * len(RULES)


@pytest.mark.parametrize(
    ("parameters", "budgets"),
    [
        ({"monthlyBudget": 50}, []),
        ({"alertEmail": "a@example.org"}, []),
        ({"alertEmail": "a@example.org", "monthlyBudget": 50, "budgetStart": "2026-11-01"}, [50]),
    ],
)
def test_a_budget_needs_an_amount_and_an_address(parameters, budgets) -> None:
    made = deployed(**parameters).of("Microsoft.Consumption/budgets")
    assert [budget.body["properties"]["amount"] for budget in made] == budgets
    for budget in made:
        assert budget.body["properties"]["timePeriod"]["startDate"] == "2026-11-01"
        notified = budget.body["properties"]["notifications"].values()
        assert [one["contactEmails"] for one in notified] == [["a@example.org"]] * 2
