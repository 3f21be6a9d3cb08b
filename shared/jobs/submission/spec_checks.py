"""Checks what a valid spec names outside of itself, when it is submitted: datasets, lists, and the webhook's host."""

from dataclasses import dataclass

from shared.datasets.catalog import Catalog
from shared.errors import FieldError, InvalidRequest
from shared.jobs.spec.spec import JobSpec
from shared.jobs.submission.datasets import resolve_datasets
from shared.jobs.submission.uploaded_lists import UploadedLists
from shared.web.addresses.lookup import HostLookup


@dataclass(frozen=True, slots=True)
class SpecChecks:
    """Checks the specs of all users."""

    catalog: Catalog
    lists: UploadedLists
    hosts: HostLookup

    async def complete(self, spec: JobSpec, user_id: str) -> JobSpec:
        """Returns the spec with the current records blobs of the datasets that it uses as sources.

        Nothing is stored.

        Raises:
            InvalidRequest: this user has no dataset that the spec names, may not name the blob of a list, or has not
                uploaded a list, or the webhook's host has an address that the app does not call.
        """
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
