"""Decides by what a file says about itself whether its image may be used."""

from collections.abc import Sequence

from shared.crawling.judging.embedded.c2pa.reader import SHARED, C2paReader, ReaderCrashed
from shared.crawling.judging.embedded.c2pa.report import Use, stored_uses
from shared.crawling.judging.embedded.find import find_blocks
from shared.crawling.judging.embedded.read import read_c2pa, read_texts
from shared.crawling.judging.header import Header
from shared.crawling.options import CrawlOptions
from shared.records.consent import Answer, Answers, Signal
from shared.records.embedded import PROHIBITED, SILENT, Embedded
from shared.records.reasons import opted_out
from shared.records.records import Reason, Rejected

_ALLOWED = "DMI-ALLOWED"


def check_embedded(
    data: bytes,
    header: Header,
    options: CrawlOptions,
    answers: Answers,
    earlier: Embedded = SILENT,
    reader: C2paReader = SHARED,
) -> Embedded | Rejected:
    """Returns what the file says about itself, or a rejection if it refuses use in datasets or the filters refuse it.

    `data` is the file as it came, before any mending. `answers` gets the answers of the signals in the file, including
    those that the job does not respect. If XMP refuses, C2PA is not looked for. `earlier` is what the file said when an
    earlier job fetched it.
    """
    blocks = find_blocks(data, header)
    if earlier is SILENT and not blocks.has_texts and not blocks.has_c2pa:
        # most files have no such metadata
        answers.note(Signal.IPTC, Answer.ABSENT)
        answers.note(Signal.C2PA, Answer.ABSENT)
        return _filtered(SILENT, options)
    said = read_texts(data, blocks) if blocks.has_texts else SILENT
    if earlier is not SILENT:
        said = said.completed(earlier)
    answers.note(Signal.IPTC, _answer_of_code(said.data_mining))
    if options.respect.iptc and said.data_mining.startswith(PROHIBITED):
        return opted_out(Signal.IPTC, said.data_mining)
    uses = stored_uses(earlier.c2pa_training)
    if blocks.has_c2pa:
        try:
            said, found = read_c2pa(data, header.format, reader, said)
        except ReaderCrashed:
            answers.note(Signal.C2PA, Answer.UNAVAILABLE)
            return Rejected(Reason.CRASHED, "the reader of C2PA manifests")
        uses = (*found, *uses)
    refused = next((use for use in uses if use.refuses), None)
    answers.note(Signal.C2PA, _answer_of_uses(said, uses))
    if options.respect.c2pa and refused is not None:
        return opted_out(Signal.C2PA, f"{refused.name} {refused.use}")
    return _filtered(said, options)


def _filtered(said: Embedded, options: CrawlOptions) -> Embedded | Rejected:
    wanted = options.filters.ai_generated
    if wanted == "drop" and said.ai_generated:
        return Rejected(Reason.AI_FILTERED, said.digital_source_type)
    if wanted == "only" and not said.ai_generated:
        return Rejected(Reason.AI_FILTERED, said.digital_source_type or "nothing is declared")
    return said


def _answer_of_code(code: str) -> Answer:
    if code.startswith(PROHIBITED):
        return Answer.REFUSED
    return Answer.ALLOWED if code == _ALLOWED else Answer.ABSENT


def _answer_of_uses(said: Embedded, uses: Sequence[Use]) -> Answer:
    if any(use.refuses for use in uses):
        return Answer.REFUSED
    if said.c2pa_validity == "unreadable":
        return Answer.UNAVAILABLE
    return Answer.ALLOWED if any(use.allows for use in uses) else Answer.ABSENT
