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
        wanted = {
            "filters.scores.relevance": RELEVANCE in spec.filters.scores,
            "output.relevance": spec.output.relevance,
            "output.embeddings": spec.output.embeddings,
            "filters.faces": spec.filters.looks_for_faces,
            "filters.nsfw_max": spec.filters.rates_content,
        }
        models = {
            "filters.faces": ("FACES_MODEL", self.models.faces),
            "filters.nsfw_max": ("NSFW_MODEL", self.models.nsfw),
        }
        for name in (name for name, is_wanted in wanted.items() if is_wanted):
            setting, model = models.get(name, ("RELEVANCE_MODEL", self.models.relevance))
            if model is None:
                yield FieldError(name, f"needs a model: the operator of the app has to set {setting}")
