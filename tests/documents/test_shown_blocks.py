"""What pages show as data and as text is what the code reads and writes."""

import pytest

from tests.documents.reading.blocks import Block
from tests.documents.reading.kinds import Kind
from tests.documents.reading.pages import blocks_of_kinds
from tests.documents.shown import answers, data, texts
from tests.unit.insights.tables import check_names

_SHOWN = [block for block in blocks_of_kinds(Kind.SHOWN) if block.marker["shows"] not in answers.CHECKS]


@pytest.mark.parametrize("block", _SHOWN, ids=lambda block: block.place)
def test_a_block_is_what_its_marker_says(block: Block) -> None:
    if block.marker["shows"] in texts.CHECKS:
        texts.check_text(block)
    else:
        data.check_data(block)


@pytest.mark.parametrize("block", blocks_of_kinds(Kind.QUERY), ids=lambda block: block.place)
def test_a_query_reads_what_exists(block: Block) -> None:
    check_names(block.text)


@pytest.mark.parametrize("block", blocks_of_kinds(Kind.MESSAGES), ids=lambda block: block.place)
def test_the_messages_of_a_program_that_is_not_run_become_jobs(block: Block) -> None:
    data.check_messages(block)
