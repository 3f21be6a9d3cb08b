"""Says where the embeddings of a dataset are: in files, in croissant.json, and in the card."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.planning.choose import Choice
from shared.archiving.planning.embedding_table import EmbeddingTable
from shared.archiving.texts.card import Packing
from shared.archiving.texts.croissant import Resources, file_object
from shared.archiving.texts.embeddings import NPY, Embeddings
from shared.archiving.texts.markdown import code
from shared.records.delivered import FileChecksum


def embedding_files(choice: Choice, form: ArchiveFormat) -> Sequence[Embeddings]:
    """Returns the files with the embeddings of a dataset; none if it has no embeddings, or has them as a column."""
    if choice.embeddings is None:
        return ()
    counts = choice.split_counts
    return [
        Embeddings(
            name, counts[split] if split else sum(counts.values()), choice.embeddings.dimensions, split
        )
        for name, split in form.embedding_files(list(counts)).items()
    ]


def with_embeddings(
    resources: Resources, choice: Choice, form: ArchiveFormat, tables: Mapping[str, FileChecksum]
) -> Resources:
    """Adds the embeddings to the description of a dataset. `tables` has the checksums of their files."""
    table = choice.embeddings
    if table is None:
        return resources
    files = [file_object(name, NPY, tables[name]) for name in form.embedding_files(list(choice.split_counts))]
    fields = {
        split: [*found, *form.embedding_fields(split, table.dimensions)]
        for split, found in resources.fields.items()
    }
    return Resources([*resources.distribution, *files], fields)


def with_embedding_lines(packing: Packing, choice: Choice, form: ArchiveFormat) -> Packing:
    """Adds the embeddings to the card's description of the format, with an example that loads them."""
    table = choice.embeddings
    if table is None:
        return packing
    files = list(form.embedding_files(list(choice.split_counts)))
    example = (
        ("", "import numpy", f'embeddings = numpy.load("path/to/{files[0]}").astype("float32")')
        if files
        else ()
    )
    return replace(
        packing, images=(*packing.images, *_lines(table, files)), example=(*packing.example, *example)
    )


def _lines(table: EmbeddingTable, files: Sequence[str]) -> Iterator[str]:
    missing = "a row of NaN" if files else "null"
    names = ", ".join(f"`{name}`" for name in files) if files else "the column `embedding`"
    yield f"- {names}: the embedding of each image by the model {code(table.scorer)}, a vector of length 1 with"
    if files:
        yield f"  {table.dimensions} numbers as 16-bit floats. Rows are in the order of `metadata.parquet`."
    else:
        yield f"  {table.dimensions} numbers."
    if table.missing:
        yield f"  Images without an embedding have {missing}; these are {table.missing} images."
