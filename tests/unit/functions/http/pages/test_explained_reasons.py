"""One explanation of every reason: the dashboard shows the text that the description of the API has."""

import json
import subprocess

from functions.http.pages.dashboard import FOLDER
from shared.records.reasons import EXPLANATIONS
from shared.records.records import Reason
from tests.unit.functions.http.description.described import DOCUMENT

_RETRY = "A retry may help."


def _shown() -> dict[str, list[str]]:
    """Returns the title and the meaning of each reason on the dashboard."""
    script = f"{(FOLDER / 'parts' / 'words.js').read_text('utf-8')}\nconsole.log(JSON.stringify(REASONS))"
    run = subprocess.run(
        ["node", "--input-type=module"],  # noqa: S607 - as in a shell
        input=script,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, list[str]] = json.loads(run.stdout)
    return found


def test_the_dashboard_shows_the_explanations_of_the_code() -> None:
    assert _shown() == {reason: [each.title, each.meaning] for reason, each in EXPLANATIONS.items()}


def test_every_reason_is_explained_and_those_that_a_retry_may_change_say_so() -> None:
    assert set(EXPLANATIONS) == set(Reason)
    helped = {reason for reason, each in EXPLANATIONS.items() if each.meaning.endswith(_RETRY)}
    assert helped == {reason for reason in Reason if reason.transient}


def test_the_description_of_the_api_has_every_explanation() -> None:
    text = DOCUMENT["components"]["schemas"]["RecordEntry"]["properties"]["reason"]["description"]
    assert [each.meaning for each in EXPLANATIONS.values() if each.meaning not in text] == []
