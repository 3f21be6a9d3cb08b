"""The example of a webhook's body in the documents has exactly the fields that the app sends."""

import json

from tests.unit.documents.markdown import codes_in, examples_in, rows_of, text_of

SPEC = {
    "keywords": ["a"],
    "sources": [{"type": "fake"}],
    "webhook_url": "https://hooks.example/x",
}


async def test_the_documented_body_has_the_fields_that_are_sent(flow):
    await flow.send(SPEC)
    await flow.run()
    [sent] = [json.loads(request.body) for request in flow.web.sent]
    [documented] = [json.loads(example) for example in examples_in("docs/webhooks.md", "json")]
    assert list(documented) == list(sent)
    assert documented["type"] == sent["type"]
    assert list(documented["data"]) == list(sent["data"])
    for name in ("counts", "retry", "links"):
        assert documented["data"][name].keys() == sent["data"][name].keys()
    counts = documented["data"]["counts"]
    assert counts["found"] == counts["kept"] + sum(counts["rejected"].values())


def test_each_field_of_the_body_is_explained():
    [documented] = [json.loads(example) for example in examples_in("docs/webhooks.md", "json")]
    table = text_of("docs/webhooks.md").partition("| field |")[2].partition("\n\n")[0]
    explained = [name for row in rows_of(f"| field |{table}") for name in codes_in(row[0])]
    assert explained == ["type", "timestamp", *documented["data"]]
