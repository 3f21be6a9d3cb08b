"""Queues: make datasets of crawled jobs and of images that are in storage already."""

import azure.functions as func

from functions.message import handling
from shared.jobs.messages import ARCHIVES_QUEUE
from shared.wiring import app

blueprint = func.Blueprint()

_STORAGE = "AzureWebJobsStorage"


@blueprint.queue_trigger(arg_name="msg", queue_name=ARCHIVES_QUEUE, connection=_STORAGE)
async def archive_dataset(msg: func.QueueMessage) -> None:
    """A job to archive, or a producer's list of images."""
    async with handling("archive_dataset", msg) as message:
        await app().intake.archive_message(message.id, message.text, app().deadline())


@blueprint.queue_trigger(arg_name="msg", queue_name=f"{ARCHIVES_QUEUE}-poison", connection=_STORAGE)
async def archive_dataset_poison(msg: func.QueueMessage) -> None:
    """A job whose archive keeps crashing: it fails."""
    async with handling("archive_dataset_poison", msg) as message:
        await app().intake.poisoned_archive(message.id, message.text)
