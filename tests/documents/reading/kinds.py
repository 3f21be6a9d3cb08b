"""Says how each code block is tested, by its language. A block of no kind fails the tests."""

from enum import StrEnum

from tests.documents.reading.blocks import Block, WrongBlock

OUTPUT = "output"
EXACT_OUTPUT = "exact output"
"""An output whose numbers are measured, and must be those that the block prints."""


class Kind(StrEnum):
    """How a block is tested."""

    COMMANDS = "runs in bash"
    PYTHON = "runs in Python"
    JAVASCRIPT = "runs in Node"
    MESSAGES = "its messages become jobs"
    QUERY = "reads tables, columns and signals that exist"
    SHOWN = "is what its marker says"
    FILE = "is stored, and a later block of the page uses it"
    OUTPUT = "is what the block before it prints"


_LANGUAGES = {
    "console": Kind.COMMANDS,
    "bash": Kind.COMMANDS,
    "python": Kind.PYTHON,
    "javascript": Kind.JAVASCRIPT,
    "csharp": Kind.MESSAGES,
    "kusto": Kind.QUERY,
    "json": Kind.SHOWN,
    "yaml": Kind.SHOWN,
    "toml": Kind.SHOWN,
    "csv": Kind.FILE,
    "text": Kind.SHOWN,
    "http": Kind.SHOWN,
}


def kind_of(block: Block) -> Kind:
    """Returns the kind of a block.

    Raises:
        WrongBlock: its language is missing or unknown, or it needs a marker that it does not have.
    """
    kind = _LANGUAGES.get(block.language)
    if kind is None:
        named = f"the language {block.language!r}" if block.language else "no language"
        raise WrongBlock(f"{block.place} has {named}; known are {', '.join(_LANGUAGES)}")
    if kind is Kind.SHOWN:
        if block.marker.get("shows") in {OUTPUT, EXACT_OUTPUT}:
            return Kind.OUTPUT
        if "shows" not in block.marker:
            raise WrongBlock(f"{block.place} needs a marker that says what it shows: <!-- shows: … -->")
        return kind
    if "shows" in block.marker:
        raise WrongBlock(f"{block.place} is not data or text, so 'shows' has no meaning for it")
    if kind is Kind.FILE and "file" not in block.marker:
        raise WrongBlock(f"{block.place} needs a marker with the name of the file: <!-- file: … -->")
    return Kind.FILE if "file" in block.marker else kind
