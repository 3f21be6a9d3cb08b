"""Queues: take jobs in and discover them, crawl chunks, and turn poison messages into outcomes."""

import azure.functions as func

from functions.message import handling
from shared.jobs.messages import CHUNKS_QUEUE, JOBS_QUEUE
from shared.wiring import app

blueprint = func.Blueprint()

_STORAGE = "AzureWebJobsStorage"


@blueprint.queue_trigger(arg_name="msg", queue_name=JOBS_QUEUE, connection=_STORAGE)
async def discover_job(msg: func.QueueMessage) -> None:
    """A job to go on with, or a producer's spec."""
    async with handling("discover_job", msg) as message:
        await app().intake.job_message(message.id, message.text, app().deadline())


@blueprint.queue_trigger(arg_name="msg", queue_name=f"{JOBS_QUEUE}-poison", connection=_STORAGE)
async def discover_job_poison(msg: func.QueueMessage) -> None:
    """A job whose discovery keeps crashing: it fails."""
    async with handling("discover_job_poison", msg) as message:
        await app().intake.poisoned_job(message.id, message.text)


@blueprint.queue_trigger(arg_name="msg", queue_name=CHUNKS_QUEUE, connection=_STORAGE)
async def crawl_chunk(msg: func.QueueMessage) -> None:
    """A chunk to crawl."""
    async with handling("crawl_chunk", msg) as message:
        await app().intake.chunk_message(message.text, app().deadline(), again=message.again)


@blueprint.queue_trigger(arg_name="msg", queue_name=f"{CHUNKS_QUEUE}-poison", connection=_STORAGE)
async def crawl_chunk_poison(msg: func.QueueMessage) -> None:
    """A chunk that keeps crashing: its candidates are recorded as crashed, and the job goes on."""
    async with handling("crawl_chunk_poison", msg) as message:
        await app().intake.poisoned_chunk(message.text)
