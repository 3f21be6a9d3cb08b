"""Changes how long datasets are kept: their retention, and legal holds."""

from dataclasses import dataclass, replace

from shared.datasets.catalog import Catalog
from shared.datasets.dataset import Dataset
from shared.errors import Forbidden
from shared.users.audit import Action, Actor, AuditTrail
from shared.users.caller import Scope


@dataclass(frozen=True, slots=True)
class RetentionChange:
    """New values. `legal_hold` is None to leave it as it is, and so is `retention_days` unless `sets_retention`."""

    legal_hold: bool | None = None
    sets_retention: bool = False
    retention_days: int | None = None

    def apply_to(self, dataset: Dataset) -> Dataset:
        """Returns the dataset with the new values."""
        keeping = dataset.keeping
        hold = keeping.legal_hold if self.legal_hold is None else self.legal_hold
        days = self.retention_days if self.sets_retention else keeping.retention_days
        return replace(dataset, keeping=replace(keeping, legal_hold=hold, retention_days=days))

    @property
    def detail(self) -> str:
        """The new values for the audit trail."""
        hold = [] if self.legal_hold is None else [f"legal_hold={str(self.legal_hold).lower()}"]
        days = [f"retention_days={self.retention_days}"] if self.sets_retention else []
        return " ".join(hold + days)


@dataclass(frozen=True, slots=True)
class Retention:
    """Changes the retention of datasets for their owners, and for administrators that of all datasets."""

    catalog: Catalog
    audit: AuditTrail

    async def change(self, actor: Actor, dataset_id: str, change: RetentionChange) -> Dataset:
        """Changes a dataset; returns it as it is recorded then.

        What only an administrator may do is in the audit trail: legal holds, and changes of another user's dataset.

        Raises:
            NotFound: there is no such dataset, or it is another user's and the caller is no administrator.
            Forbidden: the caller is no administrator, and may not set or lift a legal hold.
        """
        caller = actor.caller
        is_admin = Scope.ADMIN in caller.scopes
        owner = await self.catalog.owner(dataset_id) if is_admin else None
        user_id = owner or caller.user_id
        await self.catalog.require(user_id, dataset_id)
        if change.legal_hold is not None and not is_admin:
            raise Forbidden("Only an administrator may set or lift a legal hold.")
        if change.legal_hold is None and user_id == caller.user_id:
            return await self.catalog.keep(user_id, dataset_id, change.apply_to)
        target = f"{user_id}/{dataset_id}"
        async with self.audit.record(actor, Action.CHANGE_DATASET, target, change.detail):
            return await self.catalog.keep(user_id, dataset_id, change.apply_to)
