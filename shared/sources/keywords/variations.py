"""Makes variations of keywords, for labels whose own keywords find too few images."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, Strict

from shared.sources.keywords.plurals import plural_of

_MAX_VARIATIONS = 50
_MAX_CHARACTERS = 200


def _template(text: str) -> str:
    if text.count("{}") != 1:
        raise ValueError("must contain {} once, where the keyword goes")
    if not text.isprintable() or not text.replace("{}", "").strip():
        raise ValueError("must say something beside {}, without control characters")
    return text


class Variations(BaseModel):
    """Configures `{"plurals": true, "templates": ["photo of {}", "{} close-up"]}`. `{}` stands for the keyword."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    plurals: bool = False
    templates: Annotated[
        tuple[Annotated[str, Field(min_length=3, max_length=100), AfterValidator(_template)], ...],
        Strict(False),
        FailFast(),
        Field(max_length=10),
    ] = ()

    def most(self, keywords: int) -> int:
        """Returns the largest number of variations of this many keywords."""
        return min(_MAX_VARIATIONS, keywords * (self.plurals + len(self.templates)))

    def of(self, keywords: Sequence[str]) -> tuple[str, ...]:
        """Returns the searches that follow the keywords of one label: plurals, then each template.

        There are at most fifty, always in the same order. None is a keyword, and no two differ in capitals only.
        """
        wanted = [plural_of(keyword) or "" for keyword in keywords] if self.plurals else []
        for template in self.templates:
            wanted += [template.replace("{}", keyword) for keyword in keywords]
        known = {keyword.casefold() for keyword in keywords}
        found: dict[str, str] = {}
        for text in (" ".join(each.split()) for each in wanted):
            if text and len(text) <= _MAX_CHARACTERS and text.casefold() not in known:
                found.setdefault(text.casefold(), text)
        return tuple(found.values())[:_MAX_VARIATIONS]
