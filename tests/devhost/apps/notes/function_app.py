"""An app that has nothing to do with ours: what the host must do for any."""

import json
import logging
import os
import time
from pathlib import Path
from typing import List  # noqa: UP035 - the worker library knows only typing's List in Out[]

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
SEEN = Path(os.environ["SEEN_FILE"])  # noqa: TID251 - an app of its own


def note(**what: object) -> None:
    with SEEN.open("a") as out:
        out.write(json.dumps(what) + "\n")


@app.route(route="echo/{name:alpha}/{number:int?}", methods=["GET", "POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    body = {
        "method": req.method,
        "params": dict(req.route_params),
        "query": dict(req.params),
        "body": req.get_body().decode(),
        "header": req.headers.get("X-Test"),
    }
    return func.HttpResponse(
        json.dumps(body), status_code=201, headers={"X-Answer": "yes"}, mimetype="application/json"
    )


@app.route(route="files/{*rest}")
def files(req: func.HttpRequest) -> str:
    return req.route_params.get("rest", "")


@app.route(route="fail")
async def fail(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("secret detail")


@app.route(route="fan-out", methods=["POST"])
@app.queue_output(arg_name="out", queue_name="%TARGET_QUEUE%", connection="AzureWebJobsStorage")
def fan_out(req: func.HttpRequest, out: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006 - see above
    out.set(json.loads(req.get_body()))
    return func.HttpResponse("sent")


@app.queue_trigger(arg_name="msg", queue_name="%TARGET_QUEUE%", connection="AzureWebJobsStorage")
def work(msg: func.QueueMessage) -> None:
    text = msg.get_body().decode()
    note(text=text, count=msg.dequeue_count, id=msg.id)
    if text == "bad":
        raise ValueError("never works")
    if text == "slow":
        time.sleep(5)


@app.queue_trigger(arg_name="msg", queue_name="%TARGET_QUEUE%-poison", connection="AzureWebJobsStorage")
def poisoned(msg: func.QueueMessage) -> None:
    note(poison=msg.get_body().decode())


@app.timer_trigger(arg_name="timer", schedule="0 0 3 1 1 *")
def yearly(timer: func.TimerRequest) -> None:
    logging.info("a year has passed")
    note(timer=timer.past_due)
