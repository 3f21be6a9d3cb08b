"""Queues: make datasets of crawled jobs and of images that are in storage already."""

import azure.functions as func

from functions.message import handling, queue_function
from shared.jobs.job.messages import ARCHIVES_QUEUE
from shared.wiring import app

blueprint = func.Blueprint()


@queue_function(blueprint, ARCHIVES_QUEUE)
async def archive_dataset(msg: func.QueueMessage, context: func.Context) -> None:
    """A job to archive, or a producer's list of images."""
    async with handling("archive_dataset", msg, context) as message:
        await app().intake.archive_message(message.id, message.text, app().deadline())


@queue_function(blueprint, f"{ARCHIVES_QUEUE}-poison")
async def archive_dataset_poison(msg: func.QueueMessage, context: func.Context) -> None:
    """A job whose archive keeps crashing: it is sent on a few times more, then it fails."""
    async with handling("archive_dataset_poison", msg, context) as message:
        await app().intake.poisoned_archive(message.id, message.text)
