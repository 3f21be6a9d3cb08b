"""A streamed dataset as an iterable dataset of Hugging Face. Importing this module imports `datasets`."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from datasets import ClassLabel, Features, IterableDataset, Value
from datasets import Image as ImageFeature

if TYPE_CHECKING:
    from pixcrawler.streaming.dataset import StreamedDataset

_TEXTS = ("split", "file", "caption", "license")


def as_hugging_face(dataset: "StreamedDataset") -> IterableDataset:
    """Returns the dataset, in shards of one buffer each."""
    label = ClassLabel(names=list(dataset.labels))
    features = Features(
        {"image": ImageFeature(), "label": label, **{name: Value("string") for name in _TEXTS}}
    )
    # the library shares lists in gen_kwargs among workers and nodes
    return IterableDataset.from_generator(
        _examples, features=features, gen_kwargs={"parts": dataset.contiguous_parts()}
    )


def _examples(parts: "Sequence[StreamedDataset]") -> Iterator[dict[str, Any]]:
    for part in parts:
        # an earlier iteration may have been left: the library itself skips what it has yielded
        part.set_epoch(0)
        for image in part:
            texts = {name: getattr(image, name) for name in _TEXTS}
            yield {"image": {"bytes": image.data, "path": None}, "label": image.label, **texts}
