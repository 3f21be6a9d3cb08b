"""The table of signals and formats: whatever the format of an image, each signal ends it as opted out, by its name."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web

from shared.clock import Deadline, SystemClock
from shared.crawling.chunk import Chunk
from shared.crawling.options import CrawlOptions, Transform
from shared.optouts.optout import OptOutKind
from shared.optouts.optout_list import OptOutList, new_optout
from shared.records.candidates import Candidate, NumberedCandidate, Provenance
from shared.records.consent import Answer, Signal, decode
from shared.records.records import Kept, Reason, Rejected
from shared.storage.memory.blobs import MemoryBlobs
from shared.storage.memory.entities import MemoryEntities
from shared.web.wishes.respect import Respect
from tests.unit.crawling.judging.embedded.conditions import FILTERS
from tests.unit.crawling.judging.embedded.files import XMP_FORMATS, data_mining, plain, with_xmp
from tests.unit.crawling.judging.embedded.signing import signed, training
from tests.unit.in_memory import runtime_of
from tests.unit.loopback import serving

FORMATS = (*XMP_FORMATS, "bmp")
RSL = """<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license><prohibits>ai-train</prohibits></license>
</content></rsl>"""


@dataclass
class Site:
    """Serves an image of each format, with the same headers, and some files."""

    headers: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    make: Callable[[str], bytes] = plain

    async def serve(self, request: web.Request) -> web.StreamResponse:
        name = request.path.removeprefix("/a.")
        if name in FORMATS:
            return web.Response(body=self.make(name), headers=self.headers)
        body = self.files.get(request.path)
        return web.Response(status=404) if body is None else web.Response(text=body)


def robots(line):
    return Site(files={"/robots.txt": f"User-agent: *\n{line}", "/rsl.xml": RSL})


SITES = {
    Signal.ROBOTS_TAGS: [
        Site({"X-Robots-Tag": word}) for word in ("noai", "noimageai", "noindex", "noimageindex", "noml")
    ],
    Signal.TDMREP: [
        Site({"tdm-reservation": "1"}),
        Site(files={"/.well-known/tdmrep.json": '[{"location": "/", "tdm-reservation": 1}]'}),
    ],
    Signal.AIPREF: [Site({"Content-Usage": "train-ai=n"}), robots("Content-Usage: train-ai=n")],
    Signal.CONTENT_SIGNALS: [robots("Content-Signal: ai-train=no")],
    Signal.RSL: [robots("License: /rsl.xml")],
    Signal.AI_TXT: [Site(files={"/ai.txt": "User-agent: *\nDisallow: /"})],
    Signal.IPTC: [Site(make=lambda name: with_xmp(name, data_mining("DMI-PROHIBITED")))],
    Signal.C2PA: [Site(make=lambda name: signed(name, training({"cawg.ai_training": "notAllowed"})))],
    Signal.OPTOUTS: [Site()],
}
CASES = [(signal, number) for signal, sites in SITES.items() for number in range(len(sites))]


@pytest.fixture
async def outcomes(make_worker):
    """Crawls an image of each format from a site, and returns the outcome and the answers of each."""

    async def crawl(signal, site, respect, transform=None):
        optouts = OptOutList(MemoryEntities(), SystemClock(), runtime_of().ids)
        if signal is Signal.OPTOUTS:
            made = (datetime(2026, 1, 1, tzinfo=UTC), "admin")
            await optouts.add(new_optout(OptOutKind.HOST, "127.0.0.1", 0, made))
        # a BMP can say nothing about itself
        formats = XMP_FORMATS if signal in {Signal.IPTC, Signal.C2PA} else FORMATS
        async with serving(site.serve) as base:
            candidates = [Candidate(f"{base}/a.{name}", "x", Provenance("test")) for name in formats]
            chunk = Chunk(
                [NumberedCandidate(index, one) for index, one in enumerate(candidates)],
                "shard",
                CrawlOptions(FILTERS, transform, respect),
            )
            deadline = Deadline.after(SystemClock(), 60)
            result = await make_worker(MemoryBlobs(), optouts=optouts).work(chunk, deadline, lambda: False)
        assert len(result.records) == len(formats)
        return {
            name: (record.outcome, decode(record.consent.answers) if record.consent else {})
            for name, record in zip(formats, result.records, strict=True)
        }

    return crawl


@pytest.mark.parametrize(("signal", "number"), CASES)
async def test_an_image_of_any_format_is_opted_out_by_the_signal(signal, number, outcomes):
    for name, (outcome, answers) in (await outcomes(signal, SITES[signal][number], Respect())).items():
        assert isinstance(outcome, Rejected), name
        assert outcome.reason is Reason.OPTED_OUT, name
        assert outcome.detail.startswith(f"{signal}: "), name
        assert answers[signal] is Answer.REFUSED, name


async def test_a_transform_hides_no_refusal_of_a_file(outcomes):
    for signal in (Signal.IPTC, Signal.C2PA):
        found = await outcomes(signal, SITES[signal][0], Respect(), Transform())
        assert {type(outcome) for outcome, _ in found.values()} == {Rejected}


async def test_an_image_of_any_format_is_kept_if_nothing_refuses_it(outcomes):
    found = await outcomes(Signal.ROBOTS, Site(), Respect())
    for name, (outcome, answers) in found.items():
        assert isinstance(outcome, Kept), name
        assert answers == dict.fromkeys(Signal, Answer.ABSENT), name


def test_the_table_has_every_signal():
    # robots.txt itself has a reason of its own
    assert SITES.keys() | {Signal.ROBOTS} == set(Signal)
