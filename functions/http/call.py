"""One HTTP call as a handler sees it, and the answer that a handler gives."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import azure.functions as func
from pydantic import BaseModel, ValidationError

from functions.http.declared import MAX_IDEMPOTENCY_KEY
from functions.http.inputs import header_in, wrong_value
from shared.errors import InvalidRequest, NotFound
from shared.ids import is_plain_id
from shared.telemetry.correlation import Operation
from shared.text.strict_json import read_json
from shared.users.caller import Caller
from shared.wiring import App

if TYPE_CHECKING:
    from shared.storage.newest_first import Listing
    from shared.users.audit import Actor

_LARGE_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP call of an identified caller, and the app that serves it.

    `user_id` is the user whom the call concerns: the caller, unless the path names another user.
    """

    request: func.HttpRequest
    app: App
    caller: Caller
    operation: Operation
    query: Mapping[str, str]
    user_id: str

    @property
    def actor(self) -> "Actor":
        """The caller and the call, as the audit trail records them."""
        from shared.users.audit import Actor

        return Actor(self.caller, self.operation.correlation_id)

    @property
    def idempotency_key(self) -> str | None:
        """The value of the header `Idempotency-Key`, which the endpoint declares, or None.

        Raises:
            InvalidRequest: the value is not valid.
        """
        return header_in(self.request, "Idempotency-Key", MAX_IDEMPOTENCY_KEY)

    def route(self, name: str) -> str:
        """Returns an identifier from the path.

        Raises:
            NotFound: the identifier is not valid, so nothing has it.
        """
        value = self.request.route_params.get(name) or ""
        if not is_plain_id(value):
            raise NotFound("There is nothing at this path.")
        return value

    async def read[T](self, parse: Callable[[object], T]) -> T:
        """Decodes the body as JSON and returns what `parse` makes of it.

        A large body is decoded in a thread, because it may take a second, and other calls must not wait.

        Raises:
            InvalidRequest: the body is empty, too large or not valid JSON (see `read_json`), or `parse` refuses it.
        """
        from shared.jobs.spec.spec import MAX_SPEC_BYTES

        body = self.read_bytes(MAX_SPEC_BYTES)
        if not body:
            raise InvalidRequest(
                "The body is empty; it must be JSON, such as {}, sent with a Content-Length."
            )
        if len(body) > _LARGE_BYTES:
            return await asyncio.to_thread(lambda: parse(read_json(body, "The body")))
        return parse(read_json(body, "The body"))

    def read_bytes(self, most: int, larger: str = "") -> bytes:
        """Returns the body as it is; it may be empty. `larger` is a sentence that says how to send a larger one.

        Raises:
            InvalidRequest: the body has more than `most` bytes.
        """
        body = self.request.get_body()
        if len(body) > most:
            raise InvalidRequest(
                f"The body has {len(body):,} bytes; it must have at most {most:,}. {larger}".rstrip()
            )
        return body

    async def read_model[Model: BaseModel](self, model: type[Model]) -> Model:
        """Decodes the body as JSON of a model.

        Raises:
            InvalidRequest: the body is not valid (see `read`). The error names each wrong field, up to twenty.
        """
        from shared.jobs.spec.field_errors import field_errors

        def parse(data: object) -> Model:
            try:
                return model.model_validate(data)
            except ValidationError as error:
                raise InvalidRequest("The body is not valid.", field_errors(error)) from None

        return await self.read(parse)

    async def page[Item](
        self, path: str, read: Callable[[str, str, int], "Awaitable[Listing[Item]]"]
    ) -> tuple[Sequence[Item], str | None]:
        """Reads a page of the caller's items by the parameters of `PAGE`, which the endpoint declares.

        Returns:
            The items after `cursor`, and the path of the next page, or None on the last page.

        Raises:
            InvalidRequest: `cursor` is not valid.
        """
        from shared.storage.newest_first import is_place

        size = int(self.query["limit"])
        place = self.query.get("cursor")
        if place is not None and not is_place(place):
            raise wrong_value("cursor", place, "must be the cursor in the `next` of a list")
        found = await read(self.caller.user_id, place or "", size)
        if found.more_after is None:
            return found.items, None
        # the next page has the same filters
        return found.items, f"{path}?{urlencode({**self.query, 'cursor': found.more_after})}"


@dataclass(frozen=True, slots=True)
class Text:
    """A body that is already encoded as text of a media type."""

    text: str
    mimetype: str


@dataclass(frozen=True, slots=True)
class Data:
    """A body that is bytes of a media type."""

    data: bytes = field(repr=False)
    mimetype: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a handler. A model as its body is encoded as JSON; None is no body."""

    body: BaseModel | Text | Data | None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
