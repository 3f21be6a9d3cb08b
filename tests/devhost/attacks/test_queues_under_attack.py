"""Queue messages under attack: nothing runs twice for a race, nothing stays invisible."""

import json

from azure.storage.queue import QueueClient

from tests.devhost.waiting import eventually, exists

PLAIN = {
    "extensions": {"queues": {"messageEncoding": "none", "maxPollingInterval": "00:00:01", "batchSize": 32}}
}


SLOW = """
    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    async def work(msg: func.QueueMessage) -> None:
        await asyncio.sleep(float(msg.get_body().decode().split()[1]))
        note(text=msg.get_body().decode(), count=msg.dequeue_count)
"""


def test_a_message_that_ends_as_it_is_renewed_runs_once(app, hosts):
    queues = {**PLAIN["extensions"]["queues"], "newBatchThreshold": 150}
    host = hosts(app(SLOW, host={"extensions": {"queues": queues}}), "--message-lease", "12")
    # the lease is renewed at half time; all messages run at the same time
    host.send(*(f"m{n} {5.96 + n % 30 * 0.002}" for n in range(150)))
    host.start()
    rows = host.seen(150)
    eventually(lambda: host.count() == 0)
    assert len({row["text"] for row in rows}) == len(host.rows("text")) == 150


def test_what_is_received_as_the_host_stops_is_visible_again(app, hosts):
    host = hosts(app(SLOW, host=PLAIN), "--message-lease", "600")
    with host.behind_proxy(b"<QueueMessage>") as proxy:
        host.send("m 0")
        assert proxy.held.wait(20)
        host.process.terminate()
        host.logged("Stopping")
        proxy.release()
        assert host.process.wait(20) == 0
    with host.messages() as client:
        assert client.receive_message().content == "m 0"


def test_a_deep_message_is_run_like_any_other(app, hosts):
    code = """
        @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
        def work(msg: func.QueueMessage) -> None:
            note(text=len(msg.get_body()))
    """
    host = hosts(app(code, host=PLAIN)).start()
    host.send("[" * 60_000)
    assert host.seen(1)[0]["text"] == 60_000


def test_a_message_by_hand_names_bindings_as_one_of_the_queue_does(app, hosts):
    code = """
        @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
        @app.queue_output(arg_name="out", queue_name="%QUEUE%-{to}", connection="AzureWebJobsStorage")
        def work(msg: func.QueueMessage, out: func.Out[str]) -> None:
            out.set("sent")
    """
    host = hosts(app(code, host=PLAIN)).start()
    host.post_json("/admin/functions/work", json.dumps({"input": '{"to": "there"}'}))
    with QueueClient.from_connection_string(host.connection, f"{host.queue}-there") as client:
        eventually(lambda: exists(client))
