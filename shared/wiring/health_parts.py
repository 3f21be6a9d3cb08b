"""Lists the parts of the app whose health is checked. An adapter that cannot be made is a part that does not work."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from shared.health.health import Finding, Part
from shared.health.parts import ask_queues, ask_telemetry
from shared.health.schedules import check_schedule
from shared.jobs.job.messages import ARCHIVES_QUEUE, CHUNKS_QUEUE, JOBS_QUEUE, LIFECYCLE_QUEUE, WEBHOOKS_QUEUE
from shared.scoring.model_files import FACES_FILES, NSFW_FILES, RELEVANCE_FILES, ModelFiles
from shared.scoring.model_names import ONNX
from shared.wiring.adapters import Adapters

_QUEUES = (JOBS_QUEUE, CHUNKS_QUEUE, ARCHIVES_QUEUE, WEBHOOKS_QUEUE, LIFECYCLE_QUEUE)


def parts_of(adapters: Adapters) -> Sequence[Part]:
    """Returns the parts. Their adapters are made when the parts are checked."""
    settings = adapters.settings

    async def blob_container() -> Finding:
        await adapters.blobs.ping()
        return Finding(facts={"container": settings.datasets_container})

    async def tables() -> Finding:
        await adapters.entities.ping()
        return Finding()

    async def queues() -> Finding:
        return await ask_queues(adapters.queues, _QUEUES)

    async def application_insights() -> Finding:
        return ask_telemetry(adapters.telemetry, settings.telemetry_problems)

    async def timers() -> Finding:
        check_schedule("LIFECYCLE_SCHEDULE", settings.lifecycle_schedule, "lifecycle")
        check_schedule("BUSINESS_METRICS_SCHEDULE", settings.business_metrics_schedule, "business_metrics")
        check_schedule("WATCHDOG_SCHEDULE", settings.watchdog_schedule, "watchdog")
        return Finding()

    needed = [Part(ask.__name__, ask) for ask in (blob_container, tables, queues)]
    others = [Part(ask.__name__, ask, needed=False) for ask in (application_insights, timers)]
    return (*needed, *others, *_models(adapters))


def _models(adapters: Adapters) -> Iterator[Part]:
    """Yields a part for each model that the settings name and that has its files in storage."""
    settings = adapters.settings
    relevance = settings.relevance_model
    if relevance is not None and relevance.startswith(ONNX):
        yield _model(adapters, "relevance_model", relevance.removeprefix(ONNX), RELEVANCE_FILES)
    if settings.faces_model is not None:
        yield _model(adapters, "faces_model", settings.faces_model, FACES_FILES)
    if settings.nsfw_model is not None:
        yield _model(adapters, "nsfw_model", settings.nsfw_model, NSFW_FILES)


def _model(adapters: Adapters, part: str, model: str, files: Mapping[str, int]) -> Part:
    return Part(part, partial(_ask_model, adapters, model, files), needed=False)


async def _ask_model(adapters: Adapters, model: str, files: Mapping[str, int]) -> Finding:
    problems = await ModelFiles(adapters.blobs).problems(model, files)
    return Finding(" ".join(problems) or None, {"model": model})
