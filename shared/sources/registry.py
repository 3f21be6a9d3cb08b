"""Holds the sources that a process knows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationInfo, field_validator

from shared.errors import FieldError, InvalidRequest
from shared.sources.source import Source, SourceConfig, SourceContext, SourceKind
from shared.web.wishes.respect import Respect


class SourceRegistry:
    """Holds the kinds of sources by their `type` in specs, and the context that all sources of a process share."""

    def __init__(self, kinds: Mapping[str, SourceKind], context: SourceContext) -> None:
        self._kinds = kinds
        self._context = context

    def parse(self, raw: Mapping[str, object], *, internal: bool = False) -> SourceConfig:
        """Parses the configuration of a source in a spec. Pass `internal=True` for one that the app itself made.

        Raises:
            ValidationError: there is no such type, or its fields are wrong.
        """
        known = {name: kind for name, kind in self._kinds.items() if internal or not kind.internal}
        name = _Named.model_validate({"type": raw.get("type")}, context={"known": known}).type
        return known[name].config.model_validate(raw, context={"internal": internal})

    def check(self, configs: Sequence[SourceConfig]) -> None:
        """Checks that the app's settings are enough for the spec's sources.

        Raises:
            InvalidRequest: some sources lack a setting. The error names each source and its setting.
        """
        wrong: list[FieldError] = []
        for number, config in enumerate(configs):
            setting = self.missing(config)
            if setting is not None:
                text = f"{config.type} needs the setting {setting}, which is not there"
                wrong.append(FieldError(f"sources.{number}", text))
        if wrong:
            raise InvalidRequest("The app is not set up for the job's sources.", tuple(wrong))

    def missing(self, config: SourceConfig) -> str | None:
        """Returns the setting that the app lacks for this source, or None if it lacks none."""
        return self._kinds[config.type].missing()

    def most(self, config: SourceConfig) -> int | None:
        """Returns how many candidates one query of this source gives at most, or None if that is not known."""
        return self._kinds[config.type].most(config)

    def open(self, config: SourceConfig, respect: Respect, formats: Collection[str]) -> Source:
        """Makes the source of a configuration, for a job that respects these refusals and keeps these formats."""
        context = replace(self._context, respect=respect, formats=formats)
        return self._kinds[config.type].make(config, context)


def any_source(kinds: Mapping[str, SourceKind]) -> TypeAdapter[SourceConfig]:
    """Returns the type of all configurations that specs can have: a union whose members `type` tells apart."""
    configs = [kind.config for kind in kinds.values() if not kind.internal]
    union: Any = Annotated[reduce(or_, configs), Field(discriminator="type")]
    return TypeAdapter(union)


class _Named(BaseModel):
    type: Any

    @field_validator("type")
    @classmethod
    def _is_known(cls, name: Any, info: ValidationInfo) -> Any:
        known = (info.context or {})["known"]
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"must be one of: {', '.join(sorted(known))}")
        return name
