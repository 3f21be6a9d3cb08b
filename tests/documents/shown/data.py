"""What blocks of JSON, YAML and TOML show, and how each is checked: by the code that reads or writes it."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter

from functions.http.declared import Model
from functions.http.modules import MODULES
from functions.http.problems import Problem
from shared.costs.prices import read_prices
from shared.datasets.keeping import Rehydration
from shared.errors import AppError
from shared.jobs.submission.image_list import parse_image_list
from shared.lifecycle.moves.rehydrating import event_data
from shared.records.consent import Answer, Signal
from shared.records.delivered import Delivered
from shared.settings import Settings
from shared.settings.environment import variable
from shared.storage.blobs import Priority, Tier
from tests.documents.reading.blocks import Block, WrongBlock
from tests.documents.reading.shapes import ELLIPSIS
from tests.unit.datasets.made import made
from tests.unit.known_sources import parse_source, parse_spec

_MESSAGE = re.compile(r'"""(.*?)"""', re.DOTALL)


def check_data(block: Block) -> None:
    """Checks a block against what its marker says that it shows.

    Raises:
        WrongBlock: nothing of that name is known, or the block is not valid.
    """
    name = block.marker["shows"]
    check = CHECKS.get(name) or _check_of_model(name)
    if check is None:
        known = sorted(CHECKS)
        raise WrongBlock(f"{block.place} shows {name!r}, which is none of {known} and no model of the API")
    try:
        check(read_data(block))
    except (AppError, ValueError, KeyError, TypeError, AssertionError) as error:
        raise WrongBlock(f"{block.place} is not a valid {name}: {error}") from error


def read_data(block: Block) -> Any:
    """Returns what a block contains."""
    match block.language:
        case "yaml":
            return yaml.safe_load(block.text)
        case "toml":
            return tomllib.loads(block.text)
        case _:
            return json.loads(block.text.replace(ELLIPSIS, ""))


def check_messages(block: Block) -> None:
    """Checks the messages in a program: texts in triple quotation marks, each of which is a spec or an image list.

    Raises:
        WrongBlock: there is no message, or the app would refuse one.
    """
    messages = _MESSAGE.findall(block.text)
    if not messages:
        raise WrongBlock(f'{block.place} has no message between """ and """')
    for text in messages:
        try:
            message = json.loads(text)
            message.pop("job_id", None)
            parse_image_list(message) if "images" in message else parse_spec(message)
        except (AppError, ValueError) as error:
            raise WrongBlock(f"{block.place} has a message that the app refuses: {error}") from error


def _check_of_model(name: str) -> Callable[[Any], None] | None:
    model = _models().get(name)
    return None if model is None else lambda data: _check_model(model, data)


def _check_model(model: type[BaseModel], data: Any) -> None:
    """An answer has all fields as the app writes them. The body of a call has valid ones."""
    read = model.model_validate(data, extra="forbid")
    if not model.__name__.endswith("Body"):
        assert read.model_dump(mode="json") == data


@cache
def _models() -> Mapping[str, type[BaseModel]]:
    # the modules of endpoints import all models
    assert MODULES
    return {model.__name__: model for model in _subclasses(Model)}


def _subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _subclasses(each)


def _check_problem(data: Any) -> None:
    assert Problem.model_validate(data).model_dump(mode="json", exclude_none=True) == data


def _check_source(data: Any) -> None:
    assert parse_source(data).type == data["type"]


def _check_settings(data: Any) -> None:
    fields = {variable(name, field) for name, field in Settings.model_fields.items()}
    assert data["Values"].keys() <= fields | {"FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage"}


def _check_entry_point(data: Any) -> None:
    assert all(":" in value for value in data["project"]["entry-points"]["pixcrawler_sources"].values())


def _check_event_data(data: Any) -> None:
    now = datetime.now(UTC)
    written = event_data(made(), Rehydration(Tier.HOT, Priority.HIGH, now, 7, ready_at=now))
    assert (data.keys(), data["links"].keys()) == (written.keys(), written["links"].keys())


def _check_consent_line(data: Any) -> None:
    assert data.keys() == {"file_name", "url", "checked_at", "signals"}
    assert list(data["signals"]) == list(Signal)
    assert set(data["signals"].values()) <= set(Answer)


CHECKS: Mapping[str, Callable[[Any], object]] = {
    "data of dataset.rehydrated": _check_event_data,
    "entry point": _check_entry_point,
    "image list": parse_image_list,
    "line of CONSENT.jsonl": _check_consent_line,
    "prices": read_prices,
    "Problem": _check_problem,
    "record": TypeAdapter(Delivered).validate_python,
    "settings": _check_settings,
    "source": _check_source,
    "spec": parse_spec,
}
"""What a block may show beside the bodies and answers of the API, which are named by their models."""
