"""What blocks of text and data show of the running app, and how each is compared with it."""

import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPResponse
from typing import Any, cast

from azure.storage.blob import ContainerClient

from tests.documents.reading.blocks import Block, WrongBlock
from tests.documents.reading.shapes import compare
from tests.documents.running.world import CONTAINER, World
from tests.documents.shown.data import read_data

_SECONDS = 30.0
_START = "Services at the start, "
# counts by reason: any reason may be missing
_OPEN = {"rejected"}


def check_answer(block: Block, world: World) -> None:
    """Compares a block with what the app does.

    Raises:
        WrongBlock: the app does something else.
    """
    wrong = CHECKS[block.marker["shows"]](block, world)
    if wrong:
        raise WrongBlock(f"{block.place} differs from the app: {wrong}")


def _headers(block: Block, world: World) -> object:
    """The status and the headers are those of a call by a user of the tier `free`."""
    user = world.call("POST", "/api/v1/users", {"name": "Bo", "tier": "free"}, key=world.stack.api_key)
    body = {"name": "headers", "scopes": ["read"]}
    key = world.call("POST", f"/api/v1/users/{user['id']}/keys", body, key=world.stack.api_key)["key"]
    request = urllib.request.Request(f"{world.stack.url}/api/v1/jobs", headers={"X-API-Key": key})  # noqa: S310 - the stack
    end = time.monotonic() + _SECONDS
    # if storage takes more than a second, the app answers without a limit for five seconds
    while "RateLimit" not in (answer := _called(request)).headers and time.monotonic() < end:
        time.sleep(1)
    first, *shown = block.text.splitlines()
    names = [line.partition(":")[0] for line in shown]
    if absent := [name for name in names if name not in answer.headers]:
        return f"the answer has no {absent}"
    real = [
        f"HTTP/1.1 {answer.status} {answer.reason}",
        *(f"{name}: {answer.headers[name]}" for name in names),
    ]
    compare("\n".join([first, *shown]), "\n".join(real))
    return None


def _called(request: urllib.request.Request) -> HTTPResponse:
    """Returns the answer to a call, with its status and headers."""
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - the stack
        return cast("HTTPResponse", answer)


def _start_report(block: Block, world: World) -> object:
    """The line has the form of the line in the host's log."""
    end = time.monotonic() + _SECONDS
    while not (lines := [line for line in world.stack.log.read_text().splitlines() if _START in line]):
        world.call("GET", "/health/live")
        if time.monotonic() > end:
            return "the host logs no such line"
    real = lines[0].partition(_START)[2]
    # the place is that of this machine, and the host adds the ids of the call
    shown = block.text.partition(_START)[2]
    compare(shown.partition(":")[2], real.partition(":")[2].partition(" [")[0])
    return None


def _event(block: Block, world: World) -> object:
    """The event has the fields of the one that the app sent when the job ended."""
    end = time.monotonic() + _SECONDS
    while not world.services.events:
        time.sleep(0.05)
        if time.monotonic() > end:
            return "no event came"
    shown, real = set(_fields(read_data(block))), set(_fields(world.services.events[0]))
    # a link is there if there is something to link to
    return {name for name in shown ^ real if name != "data.links.retry"}


def _fields(data: Any, path: str = "") -> Iterator[str]:
    for name, value in data.items():
        yield f"{path}{name}"
        if isinstance(value, dict) and name not in _OPEN:
            yield from _fields(value, f"{path}{name}.")


def _blob_names(block: Block, world: World) -> object:
    """Each blob that the app has stored for the dataset is on the page, in the lines of its folder."""
    shown: dict[str, str] = {}
    folder = ""
    for line in block.text.splitlines():
        folder = line.partition("/")[0] if re.match(r"\w+/", line) else folder
        shown[folder] = f"{shown.get(folder, '')} {line}"
    with ContainerClient.from_connection_string(world.connection_string, CONTAINER) as container:
        names = [blob.name for blob in container.list_blobs() if f"job_{world.dataset_id}/" in blob.name]
    places = {
        (name.partition("/")[0], name.partition(f"job_{world.dataset_id}/")[2].split("/")[0])
        for name in names
    }
    return (
        "nothing is stored"
        if not places
        else {each for each in places if each[1] not in shown.get(each[0], "")}
    )


CHECKS: Mapping[str, Callable[[Block, World], object]] = {
    "blob names": _blob_names,
    "event": _event,
    "headers of an answer": _headers,
    "start report": _start_report,
}
"""What a block may show of the running app. Each check returns what is wrong, and nothing if the block is right."""
