"""Measures how well pictures show their labels, with a model that has embeddings of both."""

import asyncio
from collections import OrderedDict
from typing import Final

from shared.scoring.scorer import Embedding, Picture, Scorer, cosine, retrieve_error

TEMPLATE: Final = "a photo of {}"
"""The text of a label. A. Radford and others, "Learning Transferable Visual Models From Natural Language Supervision",
2021, section 3.1.4: with such a text, CLIP is better than with the label alone, which is often a single word."""

_MAX_TEXTS = 2000
_DIGITS = 4


class Relevance:
    """Measures pictures by one model. All tasks of a process share one, which remembers the vectors of 2,000 labels."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._labels: OrderedDict[str, asyncio.Task[Embedding]] = OrderedDict()

    @property
    def scorer_name(self) -> str:
        """The name of the model."""
        return self._scorer.name

    async def embed(self, picture: Picture) -> Embedding:
        """Returns the embedding of a picture, as `Scorer.embed_picture` does."""
        return await self._scorer.embed_picture(picture)

    async def measure(self, embedding: Embedding, label: str) -> float:
        """Returns the cosine of a picture's embedding and that of its label, from -1 to 1, with four decimals.

        Raises:
            Permanent: the model cannot be used.
            Retryable: the model did not answer.
        """
        return round(cosine(embedding, await self._embed_label(label)), _DIGITS)

    async def _embed_label(self, label: str) -> Embedding:
        """Returns the embedding of a label. Tasks that need the same one wait for one call of the model."""
        task = self._labels.get(label)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.create_task(self._scorer.embed_text(text_of(label)))
            task.add_done_callback(retrieve_error)
            self._labels[label] = task
            if len(self._labels) > _MAX_TEXTS:
                self._labels.popitem(last=False)
        self._labels.move_to_end(label)
        return await asyncio.shield(task)


def text_of(label: str) -> str:
    """Returns the text that a model compares a picture with. Labels of many lists have underscores for spaces."""
    return TEMPLATE.format(label.replace("_", " ").strip())
