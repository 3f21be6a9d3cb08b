import logging
import typing

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="order")
@app.queue_output(arg_name="msg", queue_name="orders", connection="AzureWebJobsStorage")
def order(req: func.HttpRequest, msg: func.Out[str]) -> func.HttpResponse:
    msg.set(req.params["item"])
    return func.HttpResponse("ordered")


@app.queue_trigger(arg_name="msg", queue_name="orders", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="out", queue_name="parcels", connection="AzureWebJobsStorage")
def pack(msg: func.QueueMessage, out: func.Out[typing.List[str]]) -> None:
    item = msg.get_body().decode("utf-8")
    logging.info("Packing %s", item)
    out.set([f"{item} 1 of 2", f"{item} 2 of 2"])


@app.queue_trigger(arg_name="msg", queue_name="parcels", connection="AzureWebJobsStorage")
@app.blob_output(arg_name="receipt", path="receipts/{queueTrigger}.txt", connection="AzureWebJobsStorage")
def send(msg: func.QueueMessage, receipt: func.Out[str]) -> None:
    receipt.set(f"sent {msg.get_body().decode()} as {msg.id}")
