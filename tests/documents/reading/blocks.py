"""Finds the code blocks of the project's Markdown files, with the markers that say how they are tested.

A marker is a comment on the line before a block, which no reader sees:

    <!-- shows: spec; file: pets.json -->
"""

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

_MARKDOWN = MarkdownIt("commonmark")
_MARKER = re.compile(r"<!--\s*((?:shows|file)\s*:.*?)\s*-->", re.DOTALL)
# the content of tabs and admonitions of mkdocs is indented, as code is in Markdown
_CONTAINER = re.compile(r"^(?:===[!+]?|!!!|\?\?\?\+?) ", re.MULTILINE)
_CODE_IN_HTML = re.compile(r"<(?:pre|code)\b|^ *(?:```|~~~)", re.IGNORECASE | re.MULTILINE)
_KEYS = frozenset({"shows", "file"})


class WrongBlock(Exception):
    """A block is not written as its tests need it. The text says where it is and what to change."""


@dataclass(frozen=True, slots=True)
class Block:
    """A code block. `line` is the number of its first line of code, from 1. `language` is empty if none is named."""

    page: str
    line: int
    language: str
    text: str
    marker: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The page and the line, as editors open them."""
        return f"{self.page}:{self.line}"


def blocks_in(page: str, text: str) -> list[Block]:
    """Returns the code blocks of a page's text in their order.

    Raises:
        WrongBlock: a marker is wrong, or has no block, or code is not between lines of ```.
    """
    return list(_blocks(page, text, 0))


def _blocks(page: str, text: str, lines_before: int) -> Iterator[Block]:
    tokens = _MARKDOWN.parse(text)
    for at, token in enumerate(tokens):
        line = lines_before + token.map[0] + 1 if token.map else 0
        if token.type == "fence":
            marker = _marker(page, tokens[at - 1]) if at else {}
            language = token.info.split()[0].lower() if token.info.strip() else ""
            yield Block(page, line + 1, language, token.content, marker)
        elif token.type == "code_block":
            if not _is_content(tokens, at):
                raise WrongBlock(
                    f"{page}:{line} is indented code; put it between lines of ``` with a language"
                )
            yield from _blocks(page, textwrap.dedent(token.content), line - 1)
        elif _has_marker(token) and (at + 1 == len(tokens) or tokens[at + 1].type != "fence"):
            raise WrongBlock(f"{page}:{line} is a marker without a block on the next line")
        elif token.type == "html_block" and _CODE_IN_HTML.search(token.content):
            raise WrongBlock(
                f"{page}:{line} is code inside of HTML; put an empty line before the lines of ```"
            )


def _has_marker(token: Token) -> bool:
    """Whether a comment with a marker is part of a token. One that is shown as code is none."""
    parts = [token, *(token.children or ())]
    return any(part.type.startswith("html_") and _MARKER.search(part.content) for part in parts)


def _is_content(tokens: Sequence[Token], at: int) -> bool:
    """Whether indented text is the content of a tab or an admonition, and not code."""
    is_after_a_paragraph = at > 2 and tokens[at - 1].type == "paragraph_close"
    return is_after_a_paragraph and _CONTAINER.search(tokens[at - 2].content) is not None


def _marker(page: str, token: Token) -> dict[str, str]:
    found = _MARKER.search(token.content) if token.type == "html_block" else None
    if found is None:
        return {}
    values = dict(_value(page, part) for part in found[1].split(";"))
    if not values.keys() <= _KEYS:
        raise WrongBlock(f"{page}: the marker {found[0]} has unknown keys; known are {sorted(_KEYS)}")
    return values


def _value(page: str, part: str) -> tuple[str, str]:
    key, colon, value = part.partition(":")
    if not colon or not value.strip():
        raise WrongBlock(f"{page}: the part {part.strip()!r} of a marker is not 'key: value'")
    return key.strip(), value.strip()
