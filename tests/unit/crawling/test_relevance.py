"""The worker scores images between judging and storing, and only if a job wants it."""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.image_checks import ImageChecks
from shared.crawling.judging.judge import Judged, judge
from shared.crawling.options import CrawlOptions, Filters, Resize, Transform
from shared.crawling.relevance_check import RelevanceCheck
from shared.crawling.worker import WorkerConfig
from shared.errors import Permanent, Unavailable
from shared.records.candidates import Candidate, Known, NumberedCandidate, Provenance, StoredRange
from shared.records.embeddings import decode_embedding
from shared.records.records import Kept, Reason, Rejected
from shared.records.scores import ScoreRange
from shared.scoring.relevance import Relevance
from shared.scoring.scorer import Embedding, unit_vector
from shared.storage.memory.blobs import MemoryBlobs
from shared.web.wishes.respect import Respect
from tests.unit.crawling.workers import working
from tests.unit.scoring.onnx.colored_pictures import colored

FILE = "datasets/job_1/dataset.zip"
SCORED = {"relevance": True}


class MeanColors:
    """A model whose space are the colours. Red is the only word that it knows."""

    def __init__(self, name: str = "means") -> None:
        self.name = name
        self.pictures: list[np.ndarray] = []
        self.error: Exception | None = None
        self.hanging = False

    async def embed_picture(self, picture) -> Embedding:
        self.pictures.append(picture)
        if self.hanging:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return unit_vector(picture.mean(axis=(0, 1)) - 128, self.name)

    async def embed_text(self, text: str) -> Embedding:
        return unit_vector([1, -1, -1] if "red" in text else [0, 1, 0], self.name)


@pytest.fixture
def model() -> MeanColors:
    return MeanColors()


def options(**changes) -> CrawlOptions:
    parts = {"filters": Filters(), "transform": None, "respect": Respect()} | changes
    return CrawlOptions(**parts)


async def crawl(model, blobs, candidates, wanted, *, seconds=30, stop=lambda: False):
    chunk = Chunk([NumberedCandidate(*one) for one in enumerate(candidates)], "shard", wanted)
    checks = ImageChecks(relevance=RelevanceCheck(Relevance(model) if model is not None else None))
    async with working(blobs, WorkerConfig(8, 2), checks=checks) as worker:
        return await worker.work(chunk, Deadline.after(SystemClock(), seconds), stop)


async def outcome_of(model, wanted, *, label="red", color="red", known=None, data=None):
    blobs = MemoryBlobs()
    data = data or colored(color)
    await blobs.put("mine/one.png", data)
    candidate = Candidate("blob:mine/one.png", label, Provenance("blobs"))
    if known is not None:
        await blobs.put(FILE, b"head" + data)
        where = StoredRange(FILE, 4, len(data))
        candidate = Candidate("blob:mine/one.png", label, Provenance("blobs"), stored=where, known=known)
    [record] = (await crawl(model, blobs, [candidate], wanted)).records
    return record.outcome


async def test_an_image_has_the_cosine_of_its_picture_and_its_label_and_the_models_name(model):
    outcome = await outcome_of(model, options(**SCORED))

    assert isinstance(outcome, Kept)
    assert outcome.facts.relevance == pytest.approx(0.8, abs=0.2)
    assert (outcome.facts.scorer, outcome.facts.embedding) == ("means", "")


async def test_an_embedding_is_recorded_only_if_it_is_delivered_and_needs_no_label(model):
    outcome = await outcome_of(model, options(embeddings=True), label="unlabelled")

    assert (outcome.facts.relevance, outcome.facts.scorer) == (None, "means")
    assert np.linalg.norm(decode_embedding(outcome.facts.embedding)) == pytest.approx(1, abs=0.01)


async def test_an_image_without_a_label_is_kept_without_a_score(model):
    filters = Filters(scores={"relevance": ScoreRange(min=1)})
    outcome = await outcome_of(model, options(filters=filters, **SCORED), label="unlabelled")

    assert isinstance(outcome, Kept)
    assert (outcome.facts.relevance, outcome.facts.scorer, model.pictures) == (None, "", [])


async def test_a_job_that_does_not_ask_makes_no_picture_for_the_model(model):
    outcome = await outcome_of(model, options())

    assert (outcome.facts.relevance, outcome.facts.scorer, model.pictures) == (None, "", [])


async def test_an_image_below_the_limit_is_rejected_with_its_value(model):
    filters = Filters(scores={"relevance": ScoreRange(min=0.1)})
    outcome = await outcome_of(model, options(filters=filters, **SCORED), color="blue")

    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.SCORE_FILTERED
    assert outcome.detail.startswith("relevance -0.")


async def test_an_image_for_which_the_model_has_no_vector_is_kept_without_a_score(model):
    grey = Image.new("RGB", (80, 80), (128, 128, 128))
    out = io.BytesIO()
    grey.save(out, "PNG")
    filters = Filters(scores={"relevance": ScoreRange(min=0.9)})
    wanted = options(filters=filters, embeddings=True, **SCORED)
    outcome = await outcome_of(model, wanted, data=out.getvalue())

    assert isinstance(outcome, Kept)
    assert (outcome.facts.relevance, outcome.facts.scorer, outcome.facts.embedding) == (None, "", "")


async def test_a_model_that_cannot_be_used_ends_the_chunk_with_its_error(model):
    model.error = Permanent("The model 'means' is broken.")
    with pytest.raises(Permanent, match="'means' is broken"):
        await outcome_of(model, options(**SCORED))
    with pytest.raises(Permanent, match="set RELEVANCE_MODEL"):
        await outcome_of(None, options(**SCORED))


async def test_images_that_a_busy_model_does_not_score_are_left_for_later_and_others_are_not(model):
    blobs = MemoryBlobs()
    await blobs.put("mine/one.png", colored("red"))
    labels = ("red", "unlabelled", "red")
    candidates = [Candidate("blob:mine/one.png", label, Provenance("blobs")) for label in labels]
    model.error = Unavailable("busy")
    result = await crawl(model, blobs, candidates, options(**SCORED))

    assert [record.index for record in result.records] == [1]
    assert [one.index for one in result.unfinished] == [0, 2]


@pytest.mark.parametrize("stopped", [True, False])
async def test_a_model_that_hangs_is_left_at_the_end_of_the_chunks_time_or_of_the_job(model, stopped):
    model.hanging = True
    blobs = MemoryBlobs()
    await blobs.put("mine/one.png", colored("red"))
    candidate = Candidate("blob:mine/one.png", "red", Provenance("blobs"))
    seconds = 30 if stopped else 1
    result = await asyncio.wait_for(
        crawl(
            model,
            blobs,
            [candidate],
            options(**SCORED),
            seconds=seconds,
            stop=lambda: stopped and bool(model.pictures),
        ),
        25,
    )

    assert (result.records, [one.index for one in result.unfinished]) == ((), [0])


async def test_a_chunk_that_is_crawled_twice_has_the_same_scores():
    found = [await outcome_of(MeanColors(), options(relevance=True, embeddings=True)) for _ in range(2)]

    assert found[0].facts == found[1].facts


@pytest.mark.parametrize("lack", ["score", "model", "embedding"])
async def test_a_refresh_scores_stored_bytes_that_lack_what_the_job_wants(model, lack):
    # the stored copy is smaller than the filters allow, and a transform must not change it again
    wanted = options(
        filters=Filters(min_width=5000),
        transform=Transform(resize=Resize(size=32)),
        relevance=True,
        embeddings=lack == "embedding",
    )
    facts = (await outcome_of(MeanColors("other"), options(relevance=lack == "model"))).facts
    if lack == "embedding":
        facts = (await outcome_of(model, options(**SCORED))).facts

    outcome = await outcome_of(model, wanted, known=Known(facts, "train"))

    assert (outcome.facts.sha256, outcome.facts.size_bytes) == (facts.sha256, facts.size_bytes)
    assert outcome.facts.scorer == "means"
    assert outcome.facts.relevance > 0.5
    assert bool(outcome.facts.embedding) == (lack == "embedding")


async def test_a_refresh_takes_over_scores_of_the_same_model(model):
    facts = (await outcome_of(model, options(**SCORED))).facts
    model.pictures.clear()

    outcome = await outcome_of(model, options(**SCORED), known=Known(facts, "train"))

    assert (outcome.facts, model.pictures) == (facts, [])


@pytest.mark.parametrize(
    ("size", "orientation", "shape"),
    [
        ((2000, 1000), 1, (384, 768, 3)),
        ((1000, 2000), 6, (384, 768, 3)),
        ((300, 200), 1, (200, 300, 3)),
        ((4000, 100), 1, (38, 1536, 3)),
        ((400, 300), 8, (400, 300, 3)),
    ],
)
def test_the_picture_is_upright_and_bounded(size, orientation, shape):
    image = Image.new("RGB", size, (200, 0, 0))
    exif = image.getexif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=95)
    judged = judge(out.getvalue(), options(filters=Filters(max_aspect_ratio=1000), **SCORED))

    assert isinstance(judged, Judged)
    assert judged.picture is not None
    assert judged.picture.shape == shape
    assert judged.picture.dtype == np.uint8
    # red comes first
    assert np.abs(judged.picture.mean(axis=(0, 1)) - [200, 0, 0]).max() < 5


def test_transparent_parts_are_white_and_a_transform_does_not_change_the_picture():
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 0))
    out = io.BytesIO()
    image.save(out, "PNG")
    judged = judge(out.getvalue(), options(transform=Transform(resize=Resize(size=16)), **SCORED))

    assert isinstance(judged, Judged)
    assert judged.picture is not None
    assert judged.picture.shape == (100, 100, 3)
    assert judged.picture.min() == 255
