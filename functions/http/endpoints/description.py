"""HTTP functions that describe the API."""

import asyncio

from functions.http.call import Answer, Call, Text
from functions.http.declared import PUBLIC, Declared, Reply
from functions.http.endpoint import Endpoints

endpoints = Endpoints()

_JSON = "application/json"


@endpoints.serve(
    Declared(
        "GET",
        "openapi.json",
        {200: Reply(_JSON, "OpenAPI 3.1.")},
        scope=PUBLIC,
        revalidates=True,
    )
)
async def describe_api(call: Call) -> Answer:
    """Answers this description of the API."""
    from functions.http.description.document import description_of

    return Answer(Text(await asyncio.to_thread(description_of, call.app), _JSON))
