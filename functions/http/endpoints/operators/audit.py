"""HTTP functions that read the audit trail."""

from functions.http.call import Answer, Call
from functions.http.declared import PAGE, Declared, Parameter
from functions.http.endpoint import Endpoints
from functions.http.inputs import moment_of
from functions.http.models.operators.audit import AUDIT, AuditEntry, AuditPage
from shared.users.audit import Action, AuditFilter
from shared.users.caller import Scope

endpoints = Endpoints()

_FILTERS = {
    "user": Parameter("Only actions of the user with this id, and those that concern this user."),
    "action": Parameter("Only this action.", {"type": "string", "enum": [str(action) for action in Action]}),
    "since": Parameter(
        "Only actions of this time or later (RFC 3339).", {"type": "string", "format": "date-time"}
    ),
}


@endpoints.serve(
    Declared("GET", "api/v1/audit", {200: AuditPage}, scope=Scope.ADMIN, query={**PAGE, **_FILTERS})
)
async def list_audit(call: Call) -> Answer:
    """Answers a page of what was changed, newest first: at most `limit` of them, after `cursor`.

    With filters, a page may have fewer entries than `limit`, or none, though more follow: then `next` has its path.
    """
    user_id, action, since = (call.query.get(name) for name in _FILTERS)
    wanted = AuditFilter(
        user_id, Action(action) if action else None, moment_of("since", since) if since is not None else None
    )
    rows, more = await call.page(AUDIT, lambda _, after, size: call.app.audit.page(after, size, wanted))
    return Answer(AuditPage(items=[AuditEntry.of(row) for row in rows], next=more))
