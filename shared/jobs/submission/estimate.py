"""Estimates what a job of a spec takes: bytes, time, and money at the prices of the price file.

Each figure has its assumption beside it. The number of images is the largest that the job can have.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

from shared.costs.prices import Prices
from shared.costs.storage import GB, download, storage_month
from shared.costs.use import INSTANCE_GB, Use, execution_cost, gb_seconds, transactions_cost, use_of_job
from shared.crawling.options import Resize
from shared.jobs.flow.rounds import oversampled
from shared.jobs.spec.spec import JobSpec
from shared.storage.blobs import Tier

_ORIGINAL_BYTES: Final = 300_000
_BYTES_A_PIXEL: Final = {"jpeg": 0.3, "webp": 0.2, "png": 1.5}
_PIXELS: Final = 1_000_000
# an image that is scaled to fit into a square fills about so much of it
_FIT: Final = 0.75
# eight downloads at once from one host, of 0.32 s each
_CANDIDATES_A_SECOND: Final = 25
_START_SECONDS: Final = 10
# what the larger of common models take on one core: CLIP, YuNet and vision transformers
_MODEL_SECONDS: Final = {"relevance": 0.1, "faces": 0.2, "nsfw": 0.4}


@dataclass(frozen=True, slots=True)
class Item:
    """An amount, what it costs if it is charged for, and what both assume."""

    amount: float
    assumption: str
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a job takes.

    Attributes:
        prices: The prices behind the costs.
        images: How many images the dataset has.
        candidates: How many candidates are looked at.
        size: The bytes of the dataset.
        duration: The seconds from the first step to the dataset.
        executions: The runs of functions.
        execution_time: The GB-seconds that Azure charges for.
        transactions: The calls of storage.
        storage_month: The GB that are stored for a month.
        download: The GB that leave Azure if the dataset is downloaded once.
    """

    prices: Prices
    images: int
    candidates: int
    size: Item
    duration: Item
    executions: Item
    execution_time: Item
    transactions: Item
    storage_month: Item
    download: Item

    @property
    def job_cost(self) -> float:
        """What the job costs once: its executions, their time, and its transactions."""
        return sum(item.cost or 0.0 for item in (self.executions, self.execution_time, self.transactions))


@dataclass(frozen=True, slots=True)
class Estimator:
    """Makes estimates. `chunk_size` is the largest size of a chunk in candidates."""

    prices: Prices
    chunk_size: int

    def of(self, spec: JobSpec, images: int, candidates: int | None) -> Estimate:
        """Returns the estimate for a job with this many images, and at most this many candidates if that is known."""
        looked_at = oversampled(images)
        if candidates is not None:
            looked_at = min(looked_at, max(images, candidates))
        each, why = _bytes_of(spec)
        size = images * each
        use = use_of_job(looked_at, size, self.chunk_size)
        of_models = _model_seconds(spec)
        core_seconds = use.core_seconds + looked_at * of_models
        seconds = _START_SECONDS + max(looked_at / _CANDIDATES_A_SECOND, core_seconds)
        stored = size / GB
        return Estimate(
            self.prices,
            images,
            looked_at,
            size=Item(size, why),
            duration=Item(
                seconds,
                f"one instance looks at {_CANDIDATES_A_SECOND} candidates a second, as if all came from one host, and "
                "at two for each image if there are so many"
                + (f"; its models take {of_models:.1f} s for each" if of_models else ""),
            ),
            executions=self._executions(use),
            execution_time=self._execution_time(use, seconds),
            transactions=Item(
                ceil(use.transactions),
                "as measured for real jobs, by job, chunk and GB",
                transactions_cost(self.prices, use),
            ),
            storage_month=Item(
                stored, "in the Hot tier for 30 days", storage_month(self.prices, {Tier.HOT: size})
            ),
            download=Item(
                stored,
                "one download from the Hot tier to the internet; nothing is free",
                download(self.prices, size, Tier.HOT, 1),
            ),
        )

    def _executions(self, use: Use) -> Item:
        return Item(
            ceil(use.executions),
            f"one for each chunk of up to {self.chunk_size:,} candidates, and some for the job; nothing is free",
            execution_cost(self.prices, use.executions, 0),
        )

    def _execution_time(self, use: Use, seconds: float) -> Item:
        charged = gb_seconds(self.prices, use, seconds)
        return Item(
            charged,
            f"one instance of {INSTANCE_GB:g} GB works for the whole duration; nothing is free",
            execution_cost(self.prices, 0, charged),
        )


def _bytes_of(spec: JobSpec) -> tuple[int, str]:
    """Returns the bytes that an image is assumed to have, and why."""
    if spec.transform is None:
        most = min(_ORIGINAL_BYTES, spec.filters.max_bytes)
        return most, f"{most:,} bytes an image, which is a guess for originals from the web"
    a_pixel = _BYTES_A_PIXEL[spec.transform.format]
    pixels = _pixels_of(spec.transform.resize)
    return round(pixels * a_pixel), f"{pixels:,} pixels an image, and {a_pixel:g} bytes a pixel"


def _model_seconds(spec: JobSpec) -> float:
    """Returns how long the models that the spec asks for are assumed to look at an image."""
    used = {*spec.optional_columns, *(["relevance"] if spec.output.embeddings else [])}
    return sum(_MODEL_SECONDS[name] for name in used)


def _pixels_of(resize: Resize | None) -> int:
    if resize is None:
        return _PIXELS
    square = resize.size**2
    return round(_FIT * square) if resize.mode == "fit" else square
