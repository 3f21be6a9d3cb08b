"""The tables of words that a job, a call or a dataset may use have exactly those of the code."""

from typing import get_args

import azure.functions as func
import pytest

from functions.http import problems
from functions.http.modules import MODULES
from shared.jobs.job import failures
from shared.jobs.job.states import TRANSITIONS, State
from shared.jobs.webhooks.delivery import DeliveryState
from shared.records.licenses import LicenseCode
from shared.records.records import Reason
from tests.unit.documents.markdown import codes_in, rows_of, section_of, text_of


def table(document: str, heading: str) -> dict[str, list[str]]:
    """Returns the rows below a heading, by the word in their first cell."""
    return {codes_in(row[0])[0]: row[1:] for row in rows_of(section_of(document, heading))}


def test_the_states_are_those_of_the_code_with_their_transitions() -> None:
    found = {
        state: set(codes_in(row[1])) for state, row in table("docs/reference/states.md", "States").items()
    }
    assert found == {str(state): {str(next_) for next_ in TRANSITIONS[state]} for state in State}


def test_the_failure_codes_are_those_of_the_code() -> None:
    codes = {value for name, value in vars(failures).items() if name.isupper()}
    assert table("docs/reference/states.md", "Failure codes").keys() == codes


def test_the_rejection_reasons_are_those_of_the_code_and_say_which_are_transient() -> None:
    found = {reason: row[0] for reason, row in table("docs/reference/states.md", "Rejection reasons").items()}
    assert found == {str(reason): "yes" if reason.transient else "no" for reason in Reason}


def test_the_error_codes_are_those_of_the_api_with_their_status() -> None:
    rows = rows_of(section_of("docs/reference/api.md", "Errors"))
    known = [(status, code) for _, status, code, _ in problems._TABLE] + [problems.UNEXPECTED[:2]]
    assert sorted((int(row[0]), codes_in(row[1])[0]) for row in rows) == sorted(known)


def test_the_states_of_a_webhook_are_those_of_the_code() -> None:
    section = text_of("docs/reference/webhooks.md").partition("| state |")[2]
    found = {codes_in(row[0])[0] for row in rows_of(f"| state |{section}")}
    assert found == set(DeliveryState)


def test_the_codes_of_licences_are_those_of_the_filter() -> None:
    assert table("docs/reference/sources.md", "Licences").keys() == set(get_args(LicenseCode))


def test_the_calls_are_those_that_the_app_serves() -> None:
    app = func.FunctionApp()
    for module in MODULES.values():
        app.register_functions(module.blueprint)
    triggers = [
        trigger.get_dict_repr() for function in app.get_functions() if (trigger := function.get_trigger())
    ]
    calls = {
        (method.value, f"/{trigger['route'].lstrip('/')}")
        for trigger in triggers
        for method in trigger["methods"]
    }
    assert {path for method, path in calls if method == "HEAD"} == {
        path for method, path in calls if method == "GET"
    }
    served = {f"{method} {path}" for method, path in calls if method != "HEAD"}
    rows = rows_of(text_of("docs/reference/api.md").partition("\n## ")[0])
    assert {codes_in(row[0])[0] for row in rows} == served


@pytest.mark.parametrize("heading", ["States", "Failure codes", "Rejection reasons"])
def test_each_word_is_explained(heading: str) -> None:
    assert all(all(cells) for cells in table("docs/reference/states.md", heading).values())
