"""Queue functions: discover jobs, crawl chunks, archive datasets, send webhooks; turn poison messages into outcomes."""

import azure.functions as func

from functions.message import handling, queue_function
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, WEBHOOKS_QUEUE
from shared.wiring import app

blueprint = func.Blueprint()


@queue_function(blueprint, JOBS_QUEUE)
async def discover_job(msg: func.QueueMessage, context: func.Context) -> None:
    """A job to go on with, or a producer's spec."""
    async with handling("discover_job", msg, context) as message:
        await app().intake.handle_job(message.id, message.text, app().deadline())


@queue_function(blueprint, f"{JOBS_QUEUE}-poison")
async def discover_job_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """A job whose discovery keeps crashing: it is sent on a few times more, then it fails."""
    async with handling("discover_job_poison", msg, context) as message:
        await app().intake.handle_poisoned_job(message.id, message.text)


@queue_function(blueprint, CHUNKS_QUEUE)
async def crawl_chunk(msg: func.QueueMessage, context: func.Context) -> None:
    """A chunk to crawl."""
    async with handling("crawl_chunk", msg, context) as message:
        await app().intake.handle_chunk(message.text, app().deadline(), redelivered=message.again)


@queue_function(blueprint, f"{CHUNKS_QUEUE}-poison")
async def crawl_chunk_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """A chunk that keeps crashing: it is halved; a candidate that is alone is recorded as crashed. The job goes on."""
    async with handling("crawl_chunk_poison", msg, context) as message:
        await app().intake.handle_poisoned_chunk(message.text)


@queue_function(blueprint, ARCHIVES_QUEUE)
async def archive_dataset(msg: func.QueueMessage, context: func.Context) -> None:
    """A job to archive, or a producer's list of images."""
    async with handling("archive_dataset", msg, context) as message:
        await app().intake.handle_archive(message.id, message.text, app().deadline())


@queue_function(blueprint, f"{ARCHIVES_QUEUE}-poison")
async def archive_dataset_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """A job whose archive keeps crashing: it is sent on a few times more, then it fails."""
    async with handling("archive_dataset_poison", msg, context) as message:
        await app().intake.handle_poisoned_archive(message.id, message.text)


@queue_function(blueprint, WEBHOOKS_QUEUE)
async def send_webhook(msg: func.QueueMessage, context: func.Context) -> None:
    """An owner to tell that a job has ended."""
    async with handling("send_webhook", msg, context) as message:
        await app().webhooks.run(message.text)


@queue_function(blueprint, f"{WEBHOOKS_QUEUE}-poison")
async def send_webhook_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """An owner who could not be told: the job says so."""
    async with handling("send_webhook_poison", msg, context) as message:
        await app().webhooks.give_up(message.text)
