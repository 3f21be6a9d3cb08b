"""Takes the texts of the description out of docstrings."""

import inspect
import re

_SENTENCE_END = re.compile(r"(?<=\.)\s+")


def sentences(docstring: str | None) -> tuple[str, str]:
    """Returns the first sentence of a docstring and the other ones, as Markdown."""
    text = inspect.cleandoc(docstring or "")
    first, *rest = _SENTENCE_END.split(text, maxsplit=1)
    return " ".join(first.split()), rest[0] if rest else ""


def first_sentence(docstring: str | None) -> str:
    """Returns the first sentence of a docstring."""
    return sentences(docstring)[0]
