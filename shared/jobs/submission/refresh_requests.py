"""Has datasets refreshed for their owners, and for administrators those of all users."""

from dataclasses import dataclass

from shared.datasets.catalog import Catalog
from shared.jobs.submission.refresh import RefreshDatasets, Refreshed, WantedRefresh
from shared.users.access import Access
from shared.users.audit import Action, Actor, AuditTrail, Outcome
from shared.users.caller import Scope


@dataclass(frozen=True, slots=True)
class RefreshRequests:
    """Begins refreshes. An administrator needs those of others to remove images that somebody has opted out."""

    refreshes: RefreshDatasets
    catalog: Catalog
    access: Access
    audit: AuditTrail

    async def run(self, actor: Actor, dataset_id: str, wanted: WantedRefresh) -> Refreshed:
        """Begins a refresh, as `RefreshDatasets.run` does. It is in the audit trail if the dataset is another user's.

        It uses the quotas of the dataset's owner.

        Raises:
            NotFound: there is no such dataset, or it is another user's and the caller is no administrator.
            Conflict, InvalidRequest, Forbidden, QuotaExceeded: see `RefreshDatasets.run`.
        """
        caller = actor.caller
        owner = await self.catalog.owner(dataset_id) if Scope.ADMIN in caller.scopes else None
        user_id = owner or caller.user_id
        if user_id == caller.user_id:
            return await self.refreshes.run(user_id, dataset_id, wanted)
        await self.access.confirm(caller)
        await self.catalog.require(user_id, dataset_id)
        detail = f"check={str(wanted.check).lower()} remove_gone={str(wanted.remove_gone).lower()}"
        target = f"{user_id}/{dataset_id}"
        async with self.audit.record(actor, Action.REFRESH_DATASET, target, detail) as attempt:
            refreshed = await self.refreshes.run(user_id, dataset_id, wanted)
            if refreshed.replayed:
                attempt.outcome = Outcome.REPEATED
        return refreshed
