"""What became of each record: the line that is delivered of it, and its place in the dataset where it has one."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.layout.names import file_name
from shared.archiving.planning.choose import Chosen
from shared.archiving.selection.select import REASONS
from shared.archiving.texts.card import Figures
from shared.archiving.texts.metadata import Placed, annotation_fields
from shared.records.delivered import fields_of
from shared.records.records import KEPT, Kept, Record


class _Row(NamedTuple):
    """What is decided of one image that the crawl kept; `number` is its row."""

    number: int
    verdict: int
    split: int
    file: int
    offset: int
    label: int
    extension: int


class Verdicts:
    """Says of records what was decided of them, and counts it in `figures`."""

    def __init__(self, chosen: Chosen, form: ArchiveFormat) -> None:
        columns = chosen.columns
        self._chosen = chosen
        self._form = form
        self._row_of = np.full(len(columns.newest), -1, np.int64)
        self._row_of[columns.index] = np.arange(len(columns))
        self.figures = Figures(splits=chosen.split_counts)

    def of(self, records: Sequence[Record]) -> tuple[list[Mapping[str, object]], list[Placed]]:
        """The records as they are delivered, and the images among them that go anywhere."""
        lines: list[Mapping[str, object]] = []
        images: list[Placed] = []
        rows = iter(self._rows([record.index for record in records]))
        for record in records:
            known = fields_of(record)
            word = None
            if isinstance(record.outcome, Kept):
                row = next(rows)
                reason = REASONS[row.verdict]
                if reason is None:
                    word = KEPT
                    placed = self._place(record, record.outcome, row)
                    images.append(placed)
                    file = self._chosen.files[row.file].name
                    known |= {"split": placed.split, "file": placed.path, "blob": file, "offset": row.offset}
                else:
                    known |= {"outcome": "rejected", "reason": str(reason), **self._same_as(row.number)}
            outcomes = self.figures.counts.setdefault(record.candidate.label, {})
            word = word or str(known["reason"])
            outcomes[word] = outcomes.get(word, 0) + 1
            lines.append(known)
        return lines, images

    def _rows(self, indices: Sequence[int]) -> list[_Row]:
        """What is decided of those of the candidates that were kept; from NumPy all at once, which is quicker."""
        rows = self._row_of[np.array(indices, np.int64)]
        rows = rows[rows >= 0]
        chosen, places = self._chosen, self._chosen.places
        columns = (
            rows,
            chosen.selection.verdict[rows],
            places.split[rows],
            places.file[rows],
            places.offset[rows],
            chosen.columns.label[rows],
            chosen.columns.extension[rows],
        )
        return list(map(_Row, *(column.tolist() for column in columns)))

    def _same_as(self, row: int) -> dict[str, object]:
        twin, known = int(self._chosen.selection.twin[row]), int(self._chosen.selection.known[row])
        if twin >= 0:
            return {"same_as": int(self._chosen.columns.index[twin])}
        if known >= 0:
            earlier = self._chosen.earlier
            dataset = earlier.datasets[int(earlier.dataset[known])]
            return {"same_as": int(earlier.index[known]), "same_as_dataset": dataset}
        return {}

    def _place(self, record: Record, kept: Kept, row: _Row) -> Placed:
        provenance, figures, contents = record.candidate.provenance, self.figures, self._chosen.contents
        figures.sources[provenance.source] = figures.sources.get(provenance.source, 0) + 1
        figures.licenses[provenance.license] = figures.licenses.get(provenance.license, 0) + 1
        split, folder = contents.splits[row.split], contents.folders[row.label]
        path = self._form.path(split, folder, file_name(record.index, row.extension))
        return Placed(record, kept, split, path, row.label, annotation_fields(record, kept, path))
