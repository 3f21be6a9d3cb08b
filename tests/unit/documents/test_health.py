"""The page on health names the existing parts, and shows an answer of the right form."""

import json

from functions.http.endpoints.operators.health import HealthAnswer
from shared.settings import Settings
from shared.wiring import App
from tests.unit.documents.markdown import codes_in, rows_of, section_of, text_of

PAGE = "docs/reference/health.md"


def test_the_table_of_parts_has_every_part_and_whether_it_is_needed():
    found = {codes_in(row[0])[0]: row[1] == "yes" for row in rows_of(section_of(PAGE, "The rule"))}
    every = Settings(relevance_model="onnx:clip", faces_model="yunet", nsfw_model="falcon")
    assert found == {probe.part.name: probe.part.needed for probe in App(every).health._parts}


def test_the_answer_that_is_shown_is_one():
    _, _, rest = text_of(PAGE).partition("```json\n")
    shown = json.loads(rest.partition("```")[0])
    assert HealthAnswer.model_validate(shown, extra="forbid").model_dump(mode="json") == shown
    with_faces = Settings(faces_model="yunet")
    assert set(shown["checks"]) == {probe.part.name for probe in App(with_faces).health._parts}
