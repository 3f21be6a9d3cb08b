"""Checks what a valid spec names or needs outside of itself, when it is submitted.

These are datasets, lists, models, and the host of the webhook.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.datasets.catalog import Catalog
from shared.errors import FieldError, InvalidRequest
from shared.jobs.spec.spec import JobSpec
from shared.jobs.submission.datasets import resolve_datasets
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.records.scores import RELEVANCE
from shared.scoring.model_names import ModelNames
from shared.web.addresses.lookup import HostLookup


@dataclass(frozen=True, slots=True)
class SpecChecks:
    """Checks the specs of all users."""

    catalog: Catalog
    lists: UploadedLists
    hosts: HostLookup
    models: ModelNames = field(default_factory=ModelNames)

    async def complete(self, spec: JobSpec, user_id: str) -> JobSpec:
        """Returns the spec with the current records blobs of the datasets that it uses as sources.

        Nothing is stored.

        Raises:
            InvalidRequest: the app has no model that the spec needs. Or this user has no dataset that the spec names,
                may not name the blob of a list, or has not uploaded a list. Or the webhook's host has an address that
                the app does not call.
        """
        wrong = tuple(self._without_model(spec))
        if wrong:
            raise InvalidRequest("The spec needs a model that this app does not have.", wrong)
        resolved = await resolve_datasets(spec, user_id, self.catalog)
        await self.lists.check(user_id, spec)
        if spec.webhook_url is not None:
            why = await self.hosts.why_refused(str(spec.webhook_url))
            if why is not None:
                raise InvalidRequest(
                    "The spec's webhook would never be called.",
                    (FieldError("webhook_url", f"must have a host that may be called: {why}"),),
                )
        return resolved

    def _without_model(self, spec: JobSpec) -> Iterator[FieldError]:
        """Yields the fields that need a model which the settings do not name."""
        if self.models.relevance is not None:
            return
        why = "needs a model: the operator of the app has to set RELEVANCE_MODEL"
        if RELEVANCE in spec.filters.scores:
            yield FieldError("filters.scores.relevance", why)
        if spec.output.relevance:
            yield FieldError("output.relevance", why)
        if spec.output.embeddings:
            yield FieldError("output.embeddings", why)
