"""HTTP functions for lists of URLs, which users store to use them in specs."""

from typing import Final

from functions.http.call import Answer, Call
from functions.http.declared import (
    LOCATION,
    PAGE,
    REPLAYED,
    Declared,
    Parameter,
    Reply,
    idempotency_key,
    true_or_false,
)
from functions.http.endpoint import Endpoints
from functions.http.inputs import wrong_value
from functions.http.models.lists import NEW_LIST, ListAnswer, ListPage
from shared.errors import Conflict, FieldError, InvalidRequest, NotFound, QuotaExceeded
from shared.users.caller import Scope

endpoints = Endpoints()

MAX_LIST_BODY_BYTES: Final = 20_000_000
_MAX_NAME_CHARACTERS = 200
_FORMATS = {
    "text/plain": "txt",
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/json": "json",
    "application/vnd.apache.parquet": "parquet",
}
_WORDS = tuple(dict.fromkeys(_FORMATS.values()))
_ENDINGS = (*_WORDS, *(f"{word}.gz" for word in _WORDS if word != "parquet"))
_WITH_LINK = {
    **LOCATION,
    "Cache-Control": Parameter("No cache may store the link.", {"const": "no-store"}, required=True),
}


@endpoints.serve(
    Declared(
        "POST",
        "api/v1/lists",
        {
            201: Reply(ListAnswer, "The new list.", _WITH_LINK, example=NEW_LIST),
            200: Reply(
                ListAnswer,
                "The list of an earlier call with the same key.",
                {**_WITH_LINK, **REPLAYED},
                example=NEW_LIST,
            ),
        },
        scope=Scope.SUBMIT,
        query={
            "format": Parameter(
                "The format of the list. Without it, the Content-Type says the format.",
                {"type": "string", "enum": list(_ENDINGS)},
            ),
            "name": Parameter(
                "What you call the list.",
                {"type": "string", "minLength": 1, "maxLength": _MAX_NAME_CHARACTERS},
            ),
            "upload": true_or_false(
                "Whether to answer with a link to store the list. The call then has no body, and needs `format`."
            ),
        },
        headers=idempotency_key("The same key, query and body again give the same list."),
        media_types=(*_FORMATS, "application/octet-stream"),
        example="https://example.org/1.jpg",
        errors=(InvalidRequest, Conflict, QuotaExceeded),
        when_late="The list may be stored already or later. Send the call again with the same Idempotency-Key, which "
        "makes no second list. Without such a key, read your lists first.",
    )
)
async def create_list(call: Call) -> Answer:
    """Stores a list of URLs, or makes a link to store it. Answers 201 with the name to use in a spec.

    The body is the list in one of the formats of `format`, gzipped or not, of at most 20,000,000 bytes. With
    `upload=true`, the answer has a link for one `PUT` of up to 2,000,000,000 bytes within 15 minutes. Such a link makes
    this one list and changes nothing that exists.
    """
    from shared.jobs.submission.uploaded_list import NewList, ending_of
    from shared.text.plain_text import one_line

    data = _data(call)
    ending = ending_of(_format(call, by_link=data is None), data)
    new = NewList(one_line(_name(call) or "list", _MAX_NAME_CHARACTERS), ending, data, call.idempotency_key)
    added = await call.app.lists.add(call.caller.user_id, new)
    if added.link is not None:
        await call.app.list_checks.follow_link(call.caller.user_id)
    await call.app.used(call.caller, "create_list")
    answer = ListAnswer.of(call.caller.user_id, added.found, added.link)
    headers = {"Location": answer.links["self"], "Cache-Control": "no-store"}
    if added.replayed:
        return Answer(answer, headers={**headers, "Idempotency-Replayed": "true"})
    return Answer(answer, status=201, headers=headers)


@endpoints.serve(Declared("GET", "api/v1/lists", {200: ListPage}, query=PAGE))
async def list_lists(call: Call) -> Answer:
    """Answers a page of the caller's lists, newest first: at most `limit` of them, after `cursor`."""
    found, more = await call.page("/api/v1/lists", call.app.lists.page)
    return Answer(ListPage(items=[ListAnswer.of(call.caller.user_id, each) for each in found], next=more))


@endpoints.serve(Declared("GET", "api/v1/lists/{id}", {200: ListAnswer}, errors=(NotFound,)))
async def get_list(call: Call) -> Answer:
    """Answers one list: whether it is stored, and its size."""
    found = await call.app.lists.require(call.caller.user_id, call.route("id"))
    return Answer(ListAnswer.of(call.caller.user_id, found))


@endpoints.serve(
    Declared(
        "DELETE",
        "api/v1/lists/{id}",
        {200: ListAnswer},
        scope=Scope.SUBMIT,
        errors=(NotFound,),
        when_late="The list may be deleted already. It is safe to delete it again.",
    )
)
async def delete_list(call: Call) -> Answer:
    """Deletes a list, and answers what it was. A job that still reads it gets a problem."""
    found = await call.app.lists.delete(call.caller.user_id, call.route("id"))
    return Answer(ListAnswer.of(call.caller.user_id, found))


def _data(call: Call) -> bytes | None:
    """Returns the list in the body, or None if the caller wants a link to store it.

    Raises:
        InvalidRequest: the body is too large, missing, or there though a link is wanted.
    """
    data = call.read_bytes(MAX_LIST_BODY_BYTES, "For a larger list, ask for a link with upload=true.")
    if call.query["upload"] == "true":
        if data:
            raise InvalidRequest("The call has a body; with upload=true, send the list to the link.")
        return None
    if not data:
        raise InvalidRequest(
            "The body is empty; it must be the list, sent with a Content-Length. Or ask for a link with upload=true."
        )
    return data


def _format(call: Call, *, by_link: bool) -> str:
    found = call.query.get("format")
    if found is None and not by_link:
        media_type = call.request.headers.get("Content-Type") or ""
        found = _FORMATS.get(media_type.partition(";")[0].strip().lower())
    if found is None:
        missing = "is missing" if by_link else "is missing, and the Content-Type is not that of a list"
        wrong = FieldError("format", f"{missing}; it must be one of {', '.join(_ENDINGS)}")
        raise InvalidRequest("The query is not valid.", (wrong,))
    return found


def _name(call: Call) -> str | None:
    name = call.query.get("name")
    if name is not None and not 1 <= len(name) <= _MAX_NAME_CHARACTERS:
        raise wrong_value("name", name, f"must have 1 to {_MAX_NAME_CHARACTERS} characters")
    return name
