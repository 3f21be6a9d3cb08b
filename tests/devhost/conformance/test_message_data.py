"""Messages as functions get them, and those that stay in poison queues. Docstrings give the line of the contract."""

import json
import uuid

import pytest

from tests.devhost.waiting import eventually, exists

PLAIN = {"messageEncoding": "none", "maxPollingInterval": "00:00:00.500"}
HOST = {"extensions": {"queues": {**PLAIN, "maxDequeueCount": 2}}}
FUNCTION = """
    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage"{options})
    def work(msg: func.QueueMessage, context: func.Context) -> None:
        note(text=msg.get_body().decode("utf-8", "replace"), id=msg.id, count=msg.dequeue_count,
             receipt=msg.pop_receipt, inserted=str(msg.insertion_time), expires=str(msg.expiration_time),
             visible=str(msg.time_next_visible))
"""
TEXT = FUNCTION.format(options="")
BINARY = FUNCTION.format(options=", data_type=func.DataType.BINARY")
POISON = """
    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%-poison", connection="AzureWebJobsStorage")
    def poisoned(msg: func.QueueMessage) -> None:
        note(poison=msg.get_body().decode(), count=msg.dequeue_count)
        raise ValueError("not even here")
"""


def test_a_message_that_fails_in_a_poison_queue_comes_back_after_its_lease_and_is_never_deleted(app, hosts):
    """Q11: what fails in a queue ending in -poison stays invisible, and is left there once it was tried enough."""
    host = hosts(app(POISON, host=HOST), "--message-lease", "4").start()
    queue = f"{host.queue}-poison"
    host.send("worse", name=queue)
    first, second = host.seen(2, "poison")
    assert (first["count"], second["count"]) == (1, 2)
    assert second["at"] - first["at"] > 1.5  # not after visibilityTimeout, which is 0
    host.logged("a message is left after 3 attempts, and is not tried again")
    assert len(host.rows("poison")) == 2
    assert host.count(queue) == 1
    with host.messages(f"{queue}-poison") as client:
        assert not exists(client)


@pytest.fixture(scope="module")
def forwarding(shared_app, shared_hosts):
    """A host whose function writes each message to the queue that the message names."""
    code = TEXT.replace(
        "    def work(msg: func.QueueMessage, context: func.Context) -> None:",
        """    @app.queue_output(arg_name="out", queue_name="%QUEUE%-{to}", connection="AzureWebJobsStorage")
    def work(msg: func.QueueMessage, out: func.Out[str]) -> None:
        out.set(msg.get_body().decode())""",
    )
    return shared_hosts(shared_app(code, host=HOST, name="forwarding")).start()


@pytest.fixture(scope="module")
def binary(shared_app, shared_hosts):
    return shared_hosts(shared_app(BINARY, host=HOST, name="binary")).start()


def row_of(host, text):
    """Sends the message, and returns the row that the function has written for it."""

    def rows():
        return [row for row in host.rows("text") if row["text"] == text]

    host.send(text)
    eventually(rows, lambda: f"{host.rows('text')}; {host.log}")
    [row] = rows()
    return row


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ({"Id": "mine"}, {"id": "mine"}),
        ({"id": 7}, {"id": "7"}),
        ({"ID": True}, {"id": "True"}),
        ({"popreceipt": 1.5}, {"receipt": "1.5"}),
        ({"dequeueCOUNT": "12"}, {"count": 12}),
        ({"Id": ["a"], "PopReceipt": {"a": 1}, "DequeueCount": None}, {"count": 1}),
    ],
)
def test_scalars_of_a_json_message_overwrite_its_metadata(forwarding, message, found):
    """Q18: a JSON object's top-level scalars overwrite metadata as texts, whatever their case, and name queues."""
    text = json.dumps({"to": uuid.uuid4().hex, **message})
    row = row_of(forwarding, text)
    assert {name: row[name] for name in found} == found
    if "Id" in message and isinstance(message["Id"], list):
        assert row["id"].count("-") == 4
    with forwarding.messages(f"{forwarding.queue}-{json.loads(text)['to']}") as client:
        eventually(lambda: exists(client) and client.peek_messages())


def test_a_message_whose_json_names_metadata_of_another_type_fails_before_the_function(app, hosts):
    """Q23: metadata that a JSON message made unreadable fails the run before the function, in a poison queue too."""
    host = hosts(app(TEXT + POISON, host=HOST)).start()
    host.send('{"DequeueCount": "x"}')
    host.logged(f"a message goes to {host.queue}-poison")
    host.logged("Executed 'Functions.poisoned' (Failed")
    assert not host.rows("text")
    assert not host.rows("poison")


@pytest.mark.parametrize(
    "text",
    [
        '{"DequeueCount": "x", "Id": 1, "id": 2, "PopReceipt": true, "InsertionTime": "never"}',
        '{"insertiontime": "x", "ExpirationTime": 1e99, "nextVisibleTime": false}',
        '{"QueueTrigger": "other"}',
        "[1]",
        "\u00fc, plain",
    ],
)
def test_a_binary_message_keeps_its_metadata_whatever_it_holds(binary, text):
    """Q24: a trigger of data type binary gets the bytes, and no JSON in them touches its metadata."""
    row = row_of(binary, text)
    assert row["count"] == 1
    assert row["id"].count("-") == 4
    assert row["inserted"] <= row["expires"]
    eventually(lambda: binary.count() == 0)
