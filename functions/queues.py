"""Queue functions for the steps of jobs, webhooks and the lifecycle, each with a function for its poison messages."""

import azure.functions as func

from functions.message import handling, queue_function
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from shared.wiring import app

blueprint = func.Blueprint()


@queue_function(blueprint, JOBS_QUEUE)
async def discover_job(msg: func.QueueMessage, context: func.Context) -> None:
    """Continues the discovery of a job, or submits a producer's spec as a job."""
    async with handling("discover_job", msg, context) as message:
        await app().intake.handle_job(message.id, message.text, app().deadline())


@queue_function(blueprint, f"{JOBS_QUEUE}-poison")
async def discover_job_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """Sends a job whose discovery crashed again and again to discovery again. After a few times, the job fails."""
    async with handling("discover_job_poison", msg, context) as message:
        await app().intake.handle_poisoned_job(message.id, message.text)


@queue_function(blueprint, CHUNKS_QUEUE)
async def crawl_chunk(msg: func.QueueMessage, context: func.Context) -> None:
    """Crawls a chunk."""
    async with handling("crawl_chunk", msg, context) as message:
        await app().intake.handle_chunk(message.text, app().deadline(), redelivered=message.again)


@queue_function(blueprint, f"{CHUNKS_QUEUE}-poison")
async def crawl_chunk_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """Halves a chunk that crashed again and again. A chunk of one candidate is recorded as crashed. The job goes on."""
    async with handling("crawl_chunk_poison", msg, context) as message:
        await app().intake.handle_poisoned_chunk(message.text)


@queue_function(blueprint, ARCHIVES_QUEUE)
async def archive_dataset(msg: func.QueueMessage, context: func.Context) -> None:
    """Continues the archive step of a job, or makes a job from a producer's list of images."""
    async with handling("archive_dataset", msg, context) as message:
        await app().intake.handle_archive(message.id, message.text, app().deadline())


@queue_function(blueprint, f"{ARCHIVES_QUEUE}-poison")
async def archive_dataset_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """Sends a job whose archive step crashed again and again to that step again. After a few times, the job fails."""
    async with handling("archive_dataset_poison", msg, context) as message:
        await app().intake.handle_poisoned_archive(message.id, message.text)


@queue_function(blueprint, WEBHOOKS_QUEUE)
async def send_webhook(msg: func.QueueMessage, context: func.Context) -> None:
    """Calls the webhook of a job that has ended."""
    async with handling("send_webhook", msg, context) as message:
        await app().webhooks.run(message.text)


@queue_function(blueprint, f"{WEBHOOKS_QUEUE}-poison")
async def send_webhook_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """Records that a job's webhook could not be called."""
    async with handling("send_webhook_poison", msg, context) as message:
        await app().webhooks.give_up(message.text)


@queue_function(blueprint, LIFECYCLE_QUEUE)
async def continue_lifecycle(msg: func.QueueMessage, context: func.Context) -> None:
    """Does a slice of a long task: deletes, moves or checks what is stored."""
    async with handling("continue_lifecycle", msg, context) as message:
        await app().task_queue.run(message.text, app().deadline())


@queue_function(blueprint, f"{LIFECYCLE_QUEUE}-poison")
async def continue_lifecycle_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """Reports a task that failed again and again. The nightly run tries it again."""
    async with handling("continue_lifecycle_poison", msg, context) as message:
        await app().task_queue.give_up(message.text)
