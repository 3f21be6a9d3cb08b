"""Apps with queues, and their settings."""

WORK = """
    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def work(msg: func.QueueMessage) -> None:
        text = msg.get_body().decode()
        note(text=text, count=msg.dequeue_count, id=msg.id, receipt=msg.pop_receipt,
             inserted=str(msg.insertion_time), expires=str(msg.expiration_time), visible=str(msg.time_next_visible))
        if text == "bad":
            raise ValueError("never works")
        if text.startswith("slow"):
            time.sleep(float(text.split()[1]))
        note(done=text)
"""
POISON = """
    @app.queue_trigger(arg_name="msg", queue_name="%QUEUE%-poison", connection="AzureWebJobsStorage")
    def poisoned(msg: func.QueueMessage) -> None:
        note(poison=msg.get_body().decode())
        if msg.get_body() == b"worse":
            raise ValueError("not even here")
"""
PLAIN = {"extensions": {"queues": {"messageEncoding": "none", "maxPollingInterval": "00:00:01"}}}


def plain(**queues):
    return {"extensions": {"queues": {**PLAIN["extensions"]["queues"], **queues}}}
