"""Maps the names of formats in specs to the formats."""

from collections.abc import Mapping

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.formats.parquet import ParquetShards
from shared.archiving.formats.webdataset import WebDataset
from shared.archiving.formats.zip_archive import ZipArchive
from shared.archiving.options import FormatName

FORMATS: Mapping[FormatName, ArchiveFormat] = {
    "zip": ZipArchive(),
    "webdataset": WebDataset(),
    "parquet": ParquetShards(),
}
