"""Queue triggers. Each test's docstring gives the line of the contract that it proves."""

import base64
import time
from datetime import datetime

import pytest

from devhost.triggers.queues import pause_seconds
from tests.devhost.conformance.queue_apps import PLAIN, POISON, WORK, plain
from tests.devhost.waiting import eventually, exists


def test_a_message_reaches_the_function_with_its_metadata(app, hosts):
    """Q1: the body, Id, PopReceipt, DequeueCount and the times reach the function."""
    host = hosts(app(WORK, host=PLAIN)).start()
    host.send("hello")
    (row,) = host.seen(1)
    assert (row["text"], row["count"]) == ("hello", 1)
    assert row["id"]
    assert row["receipt"]
    moments = [datetime.fromisoformat(row[name]) for name in ("inserted", "visible", "expires")]
    assert moments == sorted(moments)


def test_a_message_is_deleted_after_success(app, hosts):
    """Q2: success deletes the message."""
    host = hosts(app(WORK, host=PLAIN)).start()
    host.send("a", "b", "c")
    host.seen(3, "done")
    eventually(lambda: host.count() == 0)


def test_no_more_than_a_batch_and_its_threshold_run_at_once(app, hosts):
    """Q3: up to batchSize are received; more are fetched once no more than newBatchThreshold run."""
    code = """
        @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
        async def work(msg: func.QueueMessage) -> None:
            note(began=time.time())
            await asyncio.sleep(1.0)
            note(ended=time.time())
    """
    host = hosts(app(code, host=plain(batchSize=3, newBatchThreshold=1)))
    host.send(*"abcdefgh")
    host.start()
    moments = [(row["began"], 1) for row in host.seen(8, "began")]
    moments += [(row["ended"], -1) for row in host.seen(8, "ended")]
    running = most = 0
    for _, change in sorted(moments):
        running += change
        most = max(most, running)
    assert 3 <= most <= 4  # a batch of three beside one that still ran


def test_the_pause_between_polls_grows_to_its_limit():
    """Q4: 100 ms after a message; then 100 ms and a random share of 100 ms doubled each time, up to the limit."""
    assert pause_seconds(1, 60, 1.0) == pytest.approx(0.1)
    assert pause_seconds(2, 60, 1.0) == pytest.approx(0.2)
    assert pause_seconds(3, 60, 0.8) == pytest.approx(0.26)
    assert pause_seconds(5, 60, 1.2) == pytest.approx(1.06)
    assert pause_seconds(50, 60, 1.0) == 60
    assert pause_seconds(50, 2, 1.0) == 2


def test_a_queue_that_does_not_exist_yet_is_waited_for(app, hosts):
    """Q5: a missing queue is backed off from, not an error."""
    host = hosts(app(WORK, host=PLAIN)).start()
    time.sleep(0.5)
    assert "cannot be read" not in host.log
    host.send("late")
    assert host.seen(1)[0]["text"] == "late"


def test_a_message_stays_with_its_function_while_that_runs(app, hosts):
    """Q7: visibility is renewed at half time with the new pop receipt."""
    host = hosts(app(WORK, host=PLAIN), "--message-lease", "5").start()
    host.send("slow 6")
    host.seen(1, "done")
    eventually(lambda: host.count() == 0)
    assert [row["count"] for row in host.rows("text")] == [1]


def test_what_always_fails_goes_to_the_poison_queue(app, hosts):
    """Q8: failure makes it visible again; at maxDequeueCount it goes to <queue>-poison, body only."""
    host = hosts(app(WORK + POISON, host=plain(maxDequeueCount=3))).start()
    host.send("bad")
    assert [row["poison"] for row in host.seen(1, "poison")] == ["bad"]
    assert [row["count"] for row in host.seen(3)] == [1, 2, 3]
    eventually(lambda: host.count() == 0)


def test_a_message_over_the_limit_is_poison_before_it_runs(app, hosts):
    """Q9: a dequeueCount above maxDequeueCount goes to poison without running."""
    root = app(WORK + POISON, host=plain(maxDequeueCount=2))
    host = hosts(root)
    host.send("fine")
    with host.messages() as client:
        for _ in range(2):
            client.receive_message(visibility_timeout=1)
            time.sleep(1.2)
    host.start()
    assert [row["poison"] for row in host.seen(1, "poison")] == ["fine"]
    assert host.rows("text") == []


def test_failures_wait_for_the_visibility_timeout(app, hosts):
    """Q10: a failed message is visible again after visibilityTimeout."""
    host = hosts(app(WORK, host=plain(maxDequeueCount=2, visibilityTimeout="00:00:02"))).start()
    host.send("bad")
    first, second = host.seen(2)
    assert second["at"] - first["at"] >= 2


def test_messages_are_base64_unless_host_json_says_none(app, hosts):
    """Q12: messageEncoding base64 is the default; what cannot be decoded goes straight to poison."""
    host = hosts(app(WORK)).start()
    with host.messages() as client:
        client.create_queue()
        client.send_message("!! not base64 !!")
        client.send_message(base64.b64encode(b"fine").decode())
    assert [row["text"] for row in host.seen(1)] == ["fine"]
    eventually(lambda: exists(host.messages(f"{host.queue}-poison")))
    with host.messages(f"{host.queue}-poison") as client:
        eventually(client.peek_messages)  # the queue is there a moment before its message
        assert client.receive_message().content == "!! not base64 !!"


def test_a_message_of_a_killed_host_comes_back(app, hosts):
    """Q19: a message in flight becomes visible again when its host died."""
    host = hosts(app(WORK, host=PLAIN), "--message-lease", "4").start()
    host.send("slow 4")
    host.seen(1)
    host.kill()
    host.start()
    assert [row["count"] for row in host.seen(2)] == [1, 2]


def test_settings_override_host_json(app, hosts):
    """Q20: keys under extensions.queues can be overridden as AzureFunctionsJobHost__extensions__queues__…."""
    names = {
        "AzureFunctionsJobHost__extensions__queues__messageEncoding": "none",
        "AzureFunctionsJobHost__Extensions__Queues__MaxDequeueCount": "1",
    }
    host = hosts(app(WORK + POISON), **names).start()
    host.send("bad")
    host.seen(1, "poison")
    assert len(host.rows("text")) == 1


def test_two_hosts_share_a_queue(app, hosts):
    """Q21: several hosts take from one queue, and no message runs twice."""
    code = """
        def has_both():
            lines = Path(os.environ["SEEN_FILE"]).read_text().splitlines()
            return len({json.loads(line)["pid"] for line in lines}) == 2

        @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
        def work(msg: func.QueueMessage) -> None:
            note(began=msg.get_body().decode())
            while not has_both():
                time.sleep(0.05)
            note(done=msg.get_body().decode())
    """
    root = app(code, host=plain(batchSize=1, newBatchThreshold=0))
    first, second = hosts(root), hosts(root)
    second.queue = first.queue
    first.start()
    second.start()
    first.send(*"abcdefgh")
    first.seen(8, "done")
    eventually(lambda: first.count() == 0)
    rows = first.rows("done")
    assert sorted(row["done"] for row in rows) == [*"abcdefgh"]
    assert len({row["pid"] for row in rows}) == 2
