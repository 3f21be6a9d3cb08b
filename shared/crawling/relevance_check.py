"""Measures how well kept images show their labels, if a job wants that, and makes the embeddings that it delivers."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, get_args

from shared.crawling.options import CrawlOptions, Filters, Format
from shared.errors import Permanent
from shared.records.facts import ImageFacts
from shared.records.records import Reason, Rejected
from shared.records.scores import RELEVANCE, value_outside
from shared.text.labels import UNLABELLED
from shared.web.wishes.respect import Respect

if TYPE_CHECKING:
    from shared.scoring.relevance import Relevance
    from shared.scoring.scorer import Embedding, Picture

_ANY_IMAGE: Final = Filters(
    min_width=1,
    min_height=1,
    max_bytes=100_000_000,
    max_pixels=500_000_000,
    max_aspect_ratio=1000,
    formats=get_args(Format.__value__),
)


@dataclass(frozen=True, slots=True)
class RelevanceCheck:
    """Scores images. `relevance` is None if the app has no model."""

    relevance: "Relevance | None" = None

    def is_missing(self, facts: ImageFacts, label: str, options: CrawlOptions) -> bool:
        """Returns whether the facts of an image that a refresh takes over lack what the job wants.

        Scores of another model count as missing, because they are not comparable.
        """
        if not options.wants_picture or not _is_wanted(label, options):
            return False
        if self.relevance is None or facts.scorer != self.relevance.scorer_name:
            return True
        without_score = options.relevance and _is_labelled(label) and facts.relevance is None
        return without_score or (options.embeddings and not facts.embedding)

    async def score(
        self, facts: ImageFacts, label: str, picture: "Picture | None", options: CrawlOptions
    ) -> ImageFacts | Rejected:
        """Returns the facts of an image with what the model says of its picture, as far as the job wants it.

        An image without a label gets no score.

        Raises:
            NoEmbedding: the model has no vector for this picture.
            Permanent: the app has no model, or it cannot be used.
            Retryable: the model did not answer.
        """
        if picture is None or not _is_wanted(label, options):
            return facts
        if self.relevance is None:
            raise Permanent(
                "The app has no model that measures relevance. The operator has to set RELEVANCE_MODEL."
            )
        embedding = await self.relevance.embed(picture)
        value = None
        if options.relevance and _is_labelled(label):
            value = await self.relevance.measure(embedding, label)
            outside = value_outside(options.filters.scores, {RELEVANCE: value})
            if outside is not None:
                return Rejected(Reason.SCORE_FILTERED, outside)
        encoded = _encode(embedding) if options.embeddings else ""
        return replace(facts, relevance=value, scorer=self.relevance.scorer_name, embedding=encoded)


def _encode(embedding: "Embedding") -> str:
    """Encodes an embedding. NumPy is imported only if a job has embeddings."""
    from shared.records.embeddings import encode_embedding

    return encode_embedding(embedding)


def options_for_known(options: CrawlOptions) -> CrawlOptions:
    """Returns the options with which the stored bytes of a known image become a picture. They passed all filters."""
    return replace(options, filters=_ANY_IMAGE, transform=None, respect=Respect(iptc=False, c2pa=False))


def _is_wanted(label: str, options: CrawlOptions) -> bool:
    return options.embeddings or (options.relevance and _is_labelled(label))


def _is_labelled(label: str) -> bool:
    return label not in {"", UNLABELLED}
