"""The example of a webhook's body in the documents has exactly the fields that the app sends."""

import json
from typing import get_args

from shared.announcements import EventType
from shared.lifecycle.moves.requests import WantedRehydration
from shared.storage.blobs import Priority, Tier
from tests.unit.documents.markdown import codes_in, examples_in, rows_of, section_of, text_of
from tests.unit.lifecycle.moves.house import House

SPEC = {
    "keywords": ["a"],
    "sources": [{"type": "fake"}],
    "webhook_url": "https://hooks.example/x",
}


async def test_the_documented_body_has_the_fields_that_are_sent(flow):
    await flow.send(SPEC)
    await flow.run()
    [sent] = [json.loads(request.body) for request in flow.web.sent]
    documented, _ = (json.loads(example) for example in examples_in("docs/reference/webhooks.md", "json"))
    assert list(documented) == list(sent)
    assert documented["type"] == sent["type"]
    assert list(documented["data"]) == list(sent["data"])
    for name in ("counts", "retry", "links"):
        assert documented["data"][name].keys() == sent["data"][name].keys()
    counts = documented["data"]["counts"]
    assert counts["found"] == counts["kept"] + sum(counts["rejected"].values())


def test_each_field_of_the_body_is_explained():
    documented, _ = (json.loads(example) for example in examples_in("docs/reference/webhooks.md", "json"))
    table = text_of("docs/reference/webhooks.md").partition("| field |")[2].partition("\n\n")[0]
    explained = [name for row in rows_of(f"| field |{table}") for name in codes_in(row[0])]
    assert explained == ["type", "timestamp", *documented["data"]]


async def test_the_documented_data_of_a_rehydration_has_the_fields_that_are_announced():
    house = House()
    await house.record(Tier.ARCHIVE)
    await house.requests.rehydrate("ann", "j", WantedRehydration(Tier.HOT, Priority.HIGH, 7))
    await house.run()
    [announced] = house.announced.events.values()
    _, documented = (json.loads(example) for example in examples_in("docs/reference/webhooks.md", "json"))
    assert list(documented) == list(announced.data)
    assert documented["links"].keys() == announced.data["links"].keys()


def test_the_documented_events_are_those_that_can_be_announced():
    rows = rows_of(section_of("docs/reference/webhooks.md", "Events"))
    assert {codes_in(row[0])[0] for row in rows} == set(get_args(EventType.__value__))
