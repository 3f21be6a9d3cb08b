"""Files are composed without keeping the event loop from its other work."""

import threading

import pytest

from shared.archiving.archiver import Progress
from shared.archiving.formats.registry import FORMATS
from shared.archiving.layout.parquet import ParquetLayout
from shared.archiving.layout.tar import TarLayout
from shared.archiving.layout.zip import ZipLayout
from shared.archiving.options import Output
from tests.unit.in_memory import far_deadline


@pytest.mark.parametrize("form", FORMATS)
async def test_the_places_of_cells_and_images_are_computed_beside_the_event_loop(studio, monkeypatch, form):
    threads: set[int] = set()
    for layout in (ParquetLayout, TarLayout, ZipLayout):

        def between(self, start, end, original=layout.between):
            for span in original(self, start, end):
                threads.add(threading.get_ident())
                yield span

        monkeypatch.setattr(layout, "between", between)
    deadline = far_deadline()
    plan = await studio.archiver.begin(await studio.crawl(100, output=Output(format=form)), deadline)
    for part in await studio.archiver.find_missing(plan):
        assert await studio.archiver.write_part(plan, part, deadline) is not Progress.OUT_OF_TIME
    assert threads
    assert threading.get_ident() not in threads
