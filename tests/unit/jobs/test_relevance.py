"""A whole job that measures relevance: images with wrong labels are among those with the lowest values."""

import csv
import gzip
import io
import json
import random
import zipfile
from typing import Any

import pytest

from shared.crawling.image_checks import ImageChecks
from shared.crawling.relevance_check import RelevanceCheck
from shared.crawling.worker import WorkerConfig
from shared.errors import InvalidRequest
from shared.jobs.job.states import State
from shared.jobs.submission.submit import Submission
from shared.records.records import Reason
from shared.scoring.model_files import ModelFiles
from shared.scoring.model_names import ModelNames
from shared.scoring.onnx.scorer import OnnxScorer
from shared.scoring.relevance import Relevance
from tests.unit.crawling.workers import working
from tests.unit.jobs.simulation import Flow
from tests.unit.scoring.onnx.colored_pictures import COLORS, colored
from tests.unit.scoring.onnx.tiny_models import tiny_clip

PER_LABEL = 50
WRONG = {f"{label}-{number}" for label in COLORS for number in range(0, PER_LABEL, 10)}
"""The names of the images that have the label of another colour: a tenth of each label."""

WORST_TENTH: dict[str, Any] = {"filters": {"scores": {"relevance": {"min_percentile": 10}}}}


@pytest.fixture
async def flow():
    """Steps of jobs with a real worker and a small model, and with images in storage."""
    found = Flow(models=ModelNames(relevance="onnx:tiny"), chunk_size=60)
    for name, data in tiny_clip().items():
        await found.blobs.put(f"models/tiny/{name}", data)
    words = list(COLORS)
    for place, label in enumerate(words):
        for number in range(PER_LABEL):
            shown = words[(place + 1 + number // 10 % 3) % 4] if f"{label}-{number}" in WRONG else label
            await found.blobs.put(f"mine/{label}-{number}.png", colored(shown, 100 * place + number))
    relevance = RelevanceCheck(Relevance(OnnxScorer(ModelFiles(found.blobs), "tiny")))
    async with working(found.blobs, WorkerConfig(8, 2), checks=ImageChecks(relevance=relevance)) as worker:
        found.crawl._worker = worker
        yield found


async def run(flow: Flow, chance: random.Random | None = None, **changes: Any):
    """Runs a job over all images; returns the finished job. With `chance`, messages come twice and processes die."""
    items = [
        {"name": f"mine/{label}-{number}.png", "label": label}
        for label in COLORS
        for number in range(PER_LABEL)
    ]
    # the pictures are noise, so their perceptual hashes say nothing
    data = {"sources": [{"type": "blobs", "items": items}], "dedup": {"near_distance": None}, **changes}
    job = await flow.submit.run(Submission("admin", flow.specs.parse(data, internal=True)))
    if chance is None:
        await flow.run()
    else:
        await flow.storm(chance, copies=True, deaths=True, at_once=4)
        # the watchdog sends what was lost with a process
        for _ in range(20):
            if (await flow.job(job)).state.terminal:
                break
            flow.clock.advance(3600)
            await flow.watchdog.run(flow.deadline())
            await flow.run()
    return await flow.job(job)


async def lines_of(flow: Flow, job) -> dict[str, dict[str, Any]]:
    """Returns the lines of the dataset's records, by the names of the images."""
    dataset = await flow.catalog.require("admin", job.id)
    lines = gzip.decompress(await flow.blobs.get(dataset.records_blob)).splitlines()
    return {line["url"].rpartition("/")[2].removesuffix(".png"): line for line in map(json.loads, lines)}


async def test_the_worst_tenth_by_relevance_holds_most_of_the_wrong_labels(flow):
    job = await run(flow, **WORST_TENTH)

    assert job.state is State.COMPLETED
    lines = await lines_of(flow, job)
    dropped = {name for name, line in lines.items() if line.get("reason") == Reason.PERCENTILE_FILTERED}
    assert len(dropped) == len(lines) / 10 == len(WRONG)
    assert len(dropped & WRONG) >= 0.9 * len(WRONG)
    assert all(line["detail"].startswith("relevance ") for name, line in lines.items() if name in dropped)
    kept = [line for line in lines.values() if line["outcome"] == "kept"]
    assert all(-1 <= line["relevance"] <= 1 and line["scorer"] == "tiny" for line in kept)
    assert (
        "embedding"
        not in gzip.decompress(
            await flow.blobs.get((await flow.catalog.require("admin", job.id)).records_blob)
        ).decode()
    )


async def test_the_column_is_in_the_files_of_the_dataset_and_the_card_names_the_model(flow):
    job = await run(flow, output={"relevance": True, "annotations": ["jsonl", "csv"]})

    [blob] = (await flow.catalog.require("admin", job.id)).blobs
    with zipfile.ZipFile(io.BytesIO(await flow.blobs.get(blob))) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("annotations.csv").decode())))
        card = archive.read("README.md").decode()
    assert len(rows) == 4 * PER_LABEL
    by_value = sorted(rows, key=lambda row: float(row["relevance"]))
    lines = await lines_of(flow, job)
    names = {line["file"]: name for name, line in lines.items()}
    worst = {names[row["file_name"]] for row in by_value[: len(WRONG)]}
    assert len(worst & WRONG) >= 0.9 * len(WRONG)
    assert "`tiny`" in card


async def test_a_value_below_the_limit_is_rejected_while_the_job_crawls(flow):
    job = await run(flow, filters={"scores": {"relevance": {"min": 0}}})

    lines = await lines_of(flow, job)
    rejected = {name: line for name, line in lines.items() if line.get("reason") == Reason.SCORE_FILTERED}
    assert rejected
    assert all(line["detail"].endswith(" is below 0") for line in rejected.values())
    assert rejected.keys() <= WRONG


async def test_messages_that_come_twice_and_processes_that_die_change_no_value(flow):
    calm = await lines_of(flow, await run(flow, **WORST_TENTH))
    stormy = await lines_of(flow, await run(flow, random.Random(3), **WORST_TENTH))

    assert {name: outcome_of(line) for name, line in stormy.items()} == {
        name: outcome_of(line) for name, line in calm.items()
    }


def outcome_of(line: dict[str, Any]) -> tuple[object, ...]:
    return tuple(line.get(field) for field in ("outcome", "reason", "relevance", "scorer"))


async def test_a_job_that_does_not_ask_is_not_scored(flow):
    lines = await lines_of(flow, await run(flow))

    assert not any({"relevance", "scorer", "embedding"} & line.keys() for line in lines.values())


async def test_a_job_fails_with_the_name_of_the_file_that_the_model_lacks(flow):
    await flow.blobs.delete("models/tiny/text_model.onnx")

    job = await run(flow, **WORST_TENTH)

    assert job.state is State.FAILED
    assert "models/tiny/text_model.onnx" in job.failure.detail


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (WORST_TENTH, "filters.scores.relevance"),
        ({"output": {"relevance": True}}, "output.relevance"),
        ({"output": {"embeddings": True}}, "output.embeddings"),
    ],
)
async def test_a_spec_that_needs_a_model_is_refused_if_the_app_has_none(changes, field):
    with pytest.raises(InvalidRequest) as refused:
        await Flow().send({"keywords": ["red"], "sources": [{"type": "fake"}], **changes})

    assert [(error.field, "RELEVANCE_MODEL" in error.message) for error in refused.value.fields] == [
        (field, True)
    ]
