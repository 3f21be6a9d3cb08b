"""Maps the names of formats in specs to the formats."""

from collections.abc import Mapping, Sequence

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.formats.parquet import ParquetShards
from shared.archiving.formats.webdataset import WebDataset
from shared.archiving.formats.zip_archive import ZipArchive
from shared.archiving.options import FormatName

FORMATS: Mapping[FormatName, type[ArchiveFormat]] = {
    "zip": ZipArchive,
    "webdataset": WebDataset,
    "parquet": ParquetShards,
}


def format_of(name: FormatName, optional_columns: Sequence[str] = ()) -> ArchiveFormat:
    """Returns a format for a dataset whose annotations have these optional columns."""
    return FORMATS[name](optional_columns)
