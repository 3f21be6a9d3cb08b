"""Timers under attack: hosts that start together, spoilt status blobs, no storage."""

import json
import os

import pytest
from azure.storage.blob import BlobServiceClient

from tests.devhost.waiting import eventually

TIMERS = "".join(
    f"""
    @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
    def timer{n}(timer: func.TimerRequest) -> None:
        note(timer={n})
"""
    for n in range(12)
)


QUEUE = """
    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    async def work(msg: func.QueueMessage) -> None:
        await asyncio.sleep(float(msg.get_body().decode().split()[1]))
        note(text=msg.get_body().decode(), count=msg.dequeue_count)
"""


def test_hosts_that_start_together_share_out_their_timers(app, hosts):
    root = app(TIMERS)
    both = [
        hosts(root, AzureFunctionsWebHost__hostid=f"id{os.getpid()}").start(ready=False) for _ in range(3)
    ]
    for host in both:
        host.await_banner()
    eventually(lambda: {row["timer"] for row in both[0].rows("timer")} == set(range(12)))
    assert [host.process.poll() for host in both] == [None] * 3


@pytest.mark.parametrize("following", ["soon", "2026-01-01T00:00:00", 7])
def test_a_status_that_is_no_status_does_not_end_the_host(app, hosts, following):
    code = """
        @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
        def yearly(timer: func.TimerRequest) -> None:
            pass

        @app.timer_trigger(arg_name="timer", schedule="* * * * * *")
        def tick(timer: func.TimerRequest) -> None:
            note(tick=1)
    """
    root = app(code)
    host = hosts(root).start()
    host_id = json.loads(host.get("/admin/host/status")[1])["id"]
    host.stop()
    with BlobServiceClient.from_connection_string(host.connection) as blobs:
        name = f"timers/{host_id}/Host.Functions.yearly/status"
        blob = blobs.get_blob_client("azure-webjobs-hosts", name)
        blob.upload_blob(json.dumps({"Next": following}), overwrite=True)
    host.seen_file.write_text("")
    host.start().seen(3, "tick")
    assert host.process.poll() is None


def test_a_missing_storage_setting_is_reported(app, hosts, unused_port):
    account = f"http://127.0.0.1:{unused_port}/a"
    nowhere = f"AccountName=a;AccountKey=a2V5;BlobEndpoint={account};QueueEndpoint={account};"
    host = hosts(app(QUEUE + TIMERS), AzureWebJobsStorage=nowhere).start()
    eventually(
        lambda: "no lease: ServiceRequestError" in host.log and "cannot be read" in host.log, seconds=40
    )
    assert "another host has the timer" not in host.log
