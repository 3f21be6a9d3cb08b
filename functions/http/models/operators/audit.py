"""Models of the answers on the audit trail."""

from datetime import datetime
from typing import TYPE_CHECKING, Self

from functions.http.declared import Model
from shared.users.audit import Action, Outcome

if TYPE_CHECKING:
    from shared.users.audit import AuditRow

AUDIT = "/api/v1/audit"


class AuditEntry(Model):
    """One action: who began it, with which key, what was to be changed, in which call, and what became of it.

    `target` is the id of a user, `{user}/{key}`, `{user}/{dataset}`, or the id of an opt-out. `key_id` is empty for
    the keys of the app's settings and for people who have signed in. An action that is `started` may have been carried
    out or not, because the process died or storage did not answer.
    """

    at: datetime
    actor: str
    key_id: str
    action: Action
    target: str
    detail: str
    outcome: Outcome
    correlation_id: str

    @classmethod
    def of(cls, row: "AuditRow") -> Self:
        """Returns the answer for a row."""
        return cls(
            at=row.at,
            actor=row.actor,
            key_id=row.key_id,
            action=row.action,
            target=row.target,
            detail=row.detail,
            outcome=row.outcome,
            correlation_id=row.correlation_id,
        )


class AuditPage(Model):
    """A page of actions, newest first. `next` is the path of the following page, or None on the last page."""

    items: list[AuditEntry]
    next: str | None
