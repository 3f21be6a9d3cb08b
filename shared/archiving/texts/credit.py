"""Makes the credit of an image: title, author, source and licence, each with its link as far as it is known.

Creative Commons asks for these (https://wiki.creativecommons.org/wiki/Recommended_practices_for_attribution).
`changes` says how images were changed.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shared.archiving.texts.markdown import escaped, link
from shared.records.licenses import License, license_name, license_url
from shared.records.records import Record
from shared.text.hidden import without_hidden


class _Piece(NamedTuple):
    """A piece of a credit, and its link. `before` is the text between it and the piece before."""

    before: str
    text: str
    url: str | None


def credit_line(record: Record) -> str:
    """Returns the credit in plain text, on one line."""
    return "".join(
        f"{piece.before}{piece.text}" + (f" ({piece.url})" if piece.url else "") for piece in _pieces(record)
    )


def credit_markdown(record: Record) -> str:
    """Returns the credit in Markdown, on one line."""
    return "".join(
        f"{piece.before}{escaped(piece.text)}" + (f" {link(piece.url)}" if piece.url else "")
        for piece in _pieces(record)
    )


def _pieces(record: Record) -> Sequence[_Piece]:
    provenance = record.candidate.provenance
    found = License(provenance.license, provenance.license_version)
    terms = _Piece(", ", license_name(found), provenance.license_url or license_url(found))
    address = record.candidate.url
    source = provenance.page_url or (address if address.startswith(("http://", "https://")) else None)
    wished = without_hidden(provenance.attribution or "")
    if wished:
        return _with_links(wished, source, terms)
    title, creator = without_hidden(provenance.title or ""), without_hidden(provenance.creator or "")
    named = _Piece("", f'"{title}"' if title else "Untitled", source)
    author = [_Piece(" by ", creator, provenance.creator_url)] if creator else []
    return [named, *author, terms]


def _with_links(wished: str, source: str | None, terms: _Piece) -> Sequence[_Piece]:
    """Returns the line that a source asks for, and the links to the work and to the licence that it lacks."""
    lacks_source = source is not None and source not in wished
    lacks_terms = terms.url is not None and terms.url not in wished
    if not lacks_source and not lacks_terms:
        return [_Piece("", wished, None)]
    line = _Piece("", wished.rstrip(" .,;"), source if lacks_source else None)
    return [line, terms] if lacks_terms else [line]
