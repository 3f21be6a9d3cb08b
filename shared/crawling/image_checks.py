"""Names what the images of all chunks are checked against, besides the filters of their jobs."""

from dataclasses import dataclass, field
from typing import Final

from shared.crawling.options import CrawlOptions
from shared.crawling.optout_check import OptOutCheck
from shared.crawling.relevance_check import RelevanceCheck
from shared.errors import Permanent
from shared.optouts.optout_list import OptOutList
from shared.scoring.picture_model_loader import PictureModelLoader
from shared.scoring.picture_models import NO_MODELS, PictureModels


@dataclass(frozen=True, slots=True)
class ImageChecks:
    """The opt-outs, and the models that look for faces and for content; None for what the app does not have.

    `relevance` asks the model that has embeddings.
    """

    optouts: OptOutList | None = None
    models: PictureModelLoader | None = None
    relevance: RelevanceCheck = field(default_factory=RelevanceCheck)

    async def current_optouts(self) -> OptOutCheck:
        """Returns the check of the opt-outs as they are now.

        Raises:
            Retryable: storage did not answer.
        """
        return OptOutCheck(await self.optouts.current() if self.optouts is not None else None)

    async def models_for(self, options: CrawlOptions) -> PictureModels:
        """Returns the models that the options ask for.

        Raises:
            Permanent: one is missing, or is of another kind.
            Retryable: storage did not answer.
        """
        if not options.filters.looks_for_faces and not options.filters.rates_content:
            return NO_MODELS
        if self.models is None:
            raise Permanent("The app has no models that look for faces or at content.")
        return await self.models.load(
            faces=options.filters.looks_for_faces, nsfw=options.filters.rates_content
        )


NO_CHECKS: Final = ImageChecks()
"""The checks of an app without opt-outs and models."""
