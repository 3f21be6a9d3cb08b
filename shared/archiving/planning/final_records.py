"""Completes the records of the crawl with the decisions of the archive step."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from shared.archiving.formats.format import ArchiveFormat
from shared.archiving.layout.names import file_name
from shared.archiving.planning.choose import Choice
from shared.archiving.selection.outliers import MARKS, names_of
from shared.archiving.selection.select import REASONS
from shared.archiving.texts.card import Figures
from shared.archiving.texts.metadata import Placed, annotation_fields
from shared.optouts.matcher import DETAIL
from shared.records.consent import Signal
from shared.records.delivered import fields_of
from shared.records.embeddings import decode_embedding
from shared.records.reasons import opted_out
from shared.records.records import KEPT, Kept, Reason, Record

_OPTED_OUT = REASONS.index(Reason.OPTED_OUT)
_BY_PERCENTILE = REASONS.index(Reason.PERCENTILE_FILTERED)


class Completed(NamedTuple):
    """Some records after the selection: the lines that are delivered for them, and the selected images among them."""

    lines: Sequence[dict[str, object]]
    images: Sequence[Placed]


class _Row(NamedTuple):
    """The decisions about one image that the crawl kept. `number` is its row in the columns."""

    number: int
    verdict: int
    split: int
    file: int
    offset: int
    label: int
    extension: int
    mark: int


class FinalRecords:
    """Makes the final records of a dataset, and counts in `figures` what the card declares."""

    def __init__(self, choice: Choice, form: ArchiveFormat) -> None:
        columns = choice.columns
        self._choice = choice
        self._form = form
        self._row_of = np.full(len(columns.newest), -1, np.int64)
        self._row_of[columns.index] = np.arange(len(columns))
        self.figures = Figures(splits=choice.split_counts)

    def complete(self, records: Sequence[Record]) -> Completed:
        """Completes these records. Each record may be passed in one call only, because it is counted."""
        lines: list[dict[str, object]] = []
        images: list[Placed] = []
        rows = iter(self._rows([record.index for record in records]))
        for record in records:
            line = fields_of(record)
            if isinstance(record.outcome, Kept):
                row = next(rows)
                reason = REASONS[row.verdict]
                if reason is None:
                    image = self._place(record, record.outcome, row)
                    images.append(image)
                    file = self._choice.files[row.file].name
                    line |= {"split": image.split, "file": image.path, "blob": file, "offset": row.offset}
                    if row.mark:
                        line["outlier"] = MARKS[row.mark]
                    if record.outcome.facts.embedding:
                        line["embedding"] = record.outcome.facts.embedding
                else:
                    line |= {"outcome": "rejected", "reason": str(reason), **self._why(row.number)}
            outcomes = self.figures.counts.setdefault(record.candidate.label, {})
            _count(outcomes, str(line.get("reason", KEPT)))
            lines.append(line)
        for image in images:
            provenance = image.record.candidate.provenance
            _count(self.figures.sources, provenance.source)
            _count(self.figures.licenses, provenance.license)
            if image.kept.facts.scorer:
                _count(self.figures.scorers, image.kept.facts.scorer)
        return Completed(lines, images)

    def _rows(self, indices: Sequence[int]) -> list[_Row]:
        """The decisions about the candidates with these indices that the crawl kept.

        All are taken from NumPy at once, which is faster than one by one.
        """
        rows = self._row_of[np.array(indices, np.int64)]
        rows = rows[rows >= 0]
        choice, places = self._choice, self._choice.places
        columns = (
            rows,
            choice.selection.verdict[rows],
            places.split[rows],
            places.file[rows],
            places.offset[rows],
            choice.columns.label[rows],
            choice.columns.extension[rows],
            names_of(choice.outliers[rows]),
        )
        return list(map(_Row, *(column.tolist() for column in columns)))

    def _why(self, row: int) -> dict[str, object]:
        """The fields that name the image of which a row's image is a copy, or the score that is out of bounds."""
        twin, known = int(self._choice.selection.twin[row]), int(self._choice.selection.known[row])
        if twin >= 0:
            return {"same_as": int(self._choice.columns.index[twin])}
        if known >= 0:
            earlier = self._choice.earlier
            dataset = earlier.datasets[int(earlier.dataset[known])]
            return {"same_as": int(earlier.index[known]), "same_as_dataset": dataset}
        if self._choice.selection.verdict[row] == _OPTED_OUT:
            return {"detail": opted_out(Signal.OPTOUTS, DETAIL).detail}
        if self._choice.selection.verdict[row] == _BY_PERCENTILE:
            return {"detail": self._choice.selection.bounds.explain(self._choice.columns, row)}
        return {}

    def _place(self, record: Record, kept: Kept, row: _Row) -> Placed:
        contents = self._choice.contents
        split, folder = contents.splits[row.split], contents.folders[row.label]
        path = self._form.path(split, folder, file_name(record.index, row.extension))
        optional = self._form.optional_columns
        fields = annotation_fields(record, kept, path, MARKS[row.mark], optional)
        table = self._choice.embeddings
        vector = kept.facts.embedding if table is not None and table.delivered[row.number] else ""
        return Placed(record, kept, split, path, row.label, fields, decode_embedding(vector).tobytes())


def _count(numbers: dict[str, int], name: str) -> None:
    numbers[name] = numbers.get(name, 0) + 1
