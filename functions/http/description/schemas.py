"""Makes JSON Schemas of the models that calls and answers have."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from shared.sources.registry import any_source
from shared.sources.source import SourceConfig, SourceKind

type Direction = Literal["validation", "serialization"]
"""Whether the app reads or writes a model. A field with a default may be missing in what the app reads."""

_PLACE = "#/components/schemas/{model}"


class Schemas:
    """The schemas of all models of the API, by the names under which the description refers to them."""

    def __init__(
        self, models: Iterable[tuple[type[BaseModel], Direction]], kinds: Mapping[str, SourceKind]
    ) -> None:
        sources = any_source(kinds)
        inputs: list[tuple[type[BaseModel], Direction, TypeAdapter[Any]]] = [
            (model, direction, TypeAdapter(model)) for model, direction in models
        ]
        self._places, found = TypeAdapter.json_schemas(
            [*inputs, (SourceConfig, "validation", sources)],
            ref_template=_PLACE,
            schema_generator=_WithoutTitles,
        )
        self.components: dict[str, Any] = found["$defs"]
        union = self._places[SourceConfig, "validation"]
        # the model of a spec has the base class, because its source registry knows the kinds
        self.components[SourceConfig.__name__] = {
            "description": "One source of images. Its `type` says which fields it has.",
            **union,
        }
        for place in union["discriminator"]["mapping"].values():
            config = self.components[place.rpartition("/")[2]]
            # the models have defaults for it, but a spec has to name it
            config["required"] = sorted({"type", *config.get("required", ())})

    def place(self, model: type[BaseModel], direction: Direction) -> Mapping[str, Any]:
        """Returns the reference to a model's schema."""
        return self._places[model, direction]


class _WithoutTitles(GenerateJsonSchema):
    """Leaves out the titles of fields, which only repeat their names."""

    def field_title_should_be_set(self, schema: core_schema.CoreSchema) -> bool:
        del schema
        return False
