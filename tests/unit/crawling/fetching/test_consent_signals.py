"""Every signal of the web refuses an image by itself, is looked for unless it is turned off, and leaves its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from multidict import CIMultiDict

from shared.crawling.fetching.download import Fetched
from shared.records.consent import Answer, Answers, Signal
from shared.records.records import Reason, Rejected
from shared.web.wishes.respect import Respect
from tests.unit.crawling.fetching.asking import ask
from tests.unit.loopback import serving

RSL = '<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>%s</license></content></rsl>'
PROHIBITED = RSL % '<prohibits type="usage">ai-train</prohibits>'
FOR_ALL = "User-agent: *\n"
AI = "does not allow the training of AI"


@dataclass
class Site:
    """Serves one picture, some files, and headers with the picture."""

    photo: bytes
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    moved_headers: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    pictures: tuple[str, ...] = ()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path == "/moved.jpg":
            return web.Response(status=302, headers={"Location": "/a.jpg", **self.moved_headers})
        if request.path in self.statuses:
            return web.Response(status=self.statuses[request.path])
        if request.path.lower().endswith((".jpg", *self.pictures)):
            return web.Response(body=self.photo, headers=self.headers)
        body = self.files.get(request.path)
        if body is None:
            return web.Response(status=404)
        return web.Response(body=body.encode() if isinstance(body, str) else body)


def headers(*items):
    return {"headers": CIMultiDict(items)}


def files(path, body, **more):
    return {"files": {path: body, **more}}


def robots(text, **more):
    return files("/robots.txt", text, **more)


LINK = ("Link", '</rsl.xml>; rel="license"; type="application/rsl+xml"')
REFUSALS = {
    "a licence in a header": (
        headers(LINK) | files("/rsl.xml", PROHIBITED),
        "rsl: its licence prohibits the training of AI",
    ),
    "noai": (headers(("X-Robots-Tag", "noai")), "robots_tags: noai"),
    "noimageai": (headers(("x-robots-tag", "NoImageAI")), "robots_tags: noimageai"),
    "noml": (headers(("X-Robots-Tag", "all, noml")), "robots_tags: noml"),
    "noindex": (headers(("X-Robots-Tag", "noindex")), "robots_tags: noindex"),
    "noimageindex": (headers(("X-Robots-Tag", "NOIMAGEINDEX")), "robots_tags: noimageindex"),
    "the second of two tags": (
        headers(("X-Robots-Tag", "all"), ("X-Robots-Tag", "pixcrawler: noai")),
        "robots_tags: noai",
    ),
    "tdm header": (headers(("TDM-Reservation", "1")), "tdmrep: tdm-reservation: 1"),
    "the second of two tdm headers": (
        headers(("tdm-reservation", "0"), ("tdm-reservation", " 1 ")),
        "tdmrep: tdm-reservation: 1",
    ),
    "tdmrep.json": (
        files("/.well-known/tdmrep.json", '[{"location": "/*.jpg$", "tdm-reservation": 1}]'),
        "tdmrep: tdmrep.json reserves it",
    ),
    "usage header": (headers(("Content-Usage", "train-ai=n")), f"aipref: Content-Usage {AI}"),
    "usage header in capitals": (
        headers(("CONTENT-USAGE", "Train-AI = N;x=1")),
        f"aipref: Content-Usage {AI}",
    ),
    "the second of two usage headers": (
        headers(("Content-Usage", "train-ai=y"), ("Content-Usage", "search=y, train-ai=n")),
        f"aipref: Content-Usage {AI}",
    ),
    "a word twice in one header": (
        headers(("Content-Usage", "train-ai=n, train-ai=y")),
        f"aipref: Content-Usage {AI}",
    ),
    "a use that contains training": (headers(("Content-Usage", "bots=n")), f"aipref: Content-Usage {AI}"),
    "usage in robots.txt": (
        robots(f"{FOR_ALL}Content-Usage: train-ai=n"),
        f"aipref: Content-Usage in robots.txt {AI}",
    ),
    "usage of a path": (
        robots(f"{FOR_ALL}Content-Usage: / train-ai=y\ncontent-usage: /a\ttrain-ai=n"),
        f"aipref: Content-Usage in robots.txt {AI}",
    ),
    "usage for our agent": (
        robots(f"{FOR_ALL}Content-Usage: train-ai=y\nUser-agent: PixCrawler/1\nCONTENT-USAGE : train-ai=n"),
        f"aipref: Content-Usage in robots.txt {AI}",
    ),
    "usage twice for one path": (
        robots(f"{FOR_ALL}Content-Usage: train-ai=n\nContent-Usage: train-ai=y"),
        f"aipref: Content-Usage in robots.txt {AI}",
    ),
    "usage of a shorter path than one of another use": (
        robots(f"{FOR_ALL}Content-Usage: train-ai=n\nContent-Usage: /a.jpg search=n"),
        f"aipref: Content-Usage in robots.txt {AI}",
    ),
    "usage of a kind of file": (
        robots(f"{FOR_ALL}Content-Usage: *.jpg train-ai=n"),
        f"aipref: Content-Usage in robots.txt {AI}",
    ),
    "usage before all groups": (
        robots(f"Content-Usage: train-ai=n\n{FOR_ALL}Allow: /"),
        f"aipref: Content-Usage in robots.txt {AI}",
    ),
    "content signal": (
        robots(f"{FOR_ALL}Content-Signal: search=yes, ai-train=no\nAllow: /"),
        f"content_signals: Content-Signal in robots.txt {AI}",
    ),
    "content signal without commas": (
        robots(f"{FOR_ALL}Content-Signal: search=yes ai-train = no"),
        f"content_signals: Content-Signal in robots.txt {AI}",
    ),
    "licence that prohibits": (
        robots("License: /rsl.xml", **{"/rsl.xml": PROHIBITED}),
        "rsl: its licence prohibits the training of AI",
    ),
    "licence that permits other uses": (
        robots("LICENSE: /rsl.xml", **{"/rsl.xml": RSL % "<permits>search</permits>"}),
        "rsl: its licence permits other uses only",
    ),
    "licence for payment": (
        robots("License: /rsl.xml", **{"/rsl.xml": RSL % '<payment type="Subscription"/>'}),
        "rsl: its licence asks for payment",
    ),
    "the second of two licences": (
        robots("License: /no.xml\nLicense: /rsl.xml", **{"/rsl.xml": PROHIBITED}),
        "rsl: its licence prohibits the training of AI",
    ),
    "ai.txt": (files("/ai.txt", f"{FOR_ALL}Disallow: *.jpg"), "ai_txt: ai.txt forbids it"),
    "ai.txt in capitals": (files("/ai.txt", f"{FOR_ALL}Disallow: *.JPG"), "ai_txt: ai.txt forbids it"),
    "ai.txt for all files": (files("/ai.txt", "USER-AGENT: *\nDISALLOW: /"), "ai_txt: ai.txt forbids it"),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_signal_refuses_the_image_unless_it_is_turned_off(case, photo, make_fetcher):
    given, detail = REFUSALS[case]
    signal = Signal(detail.partition(":")[0])
    site, answers = Site(photo, **given), Answers()
    async with serving(site.serve) as base:
        found = await ask(make_fetcher(), f"{base}/a.jpg", answers=answers)
        assert found == Rejected(Reason.OPTED_OUT, detail)
        assert answers.found[signal] is Answer.REFUSED
        others = Respect().model_copy(update={signal: False})
        answers = Answers()
        assert isinstance(await ask(make_fetcher(), f"{base}/a.jpg", others, answers=answers), Fetched)
        assert signal not in answers.found


ALLOWED = {
    "everything is absent": ({}, {}),
    "header for others": (headers(("X-Robots-Tag", "googlebot: noai")), {Signal.ROBOTS_TAGS: Answer.ABSENT}),
    "a harmless tag": (headers(("X-Robots-Tag", "noarchive")), {Signal.ROBOTS_TAGS: Answer.ALLOWED}),
    "tdm header": (headers(("tdm-reservation", "0")), {Signal.TDMREP: Answer.ALLOWED}),
    "usage header": (headers(("Content-Usage", "train-ai=y, search=n")), {Signal.AIPREF: Answer.ALLOWED}),
    "a use within another": (
        headers(("Content-Usage", "bots=n, train-ai=y")),
        {Signal.AIPREF: Answer.ALLOWED},
    ),
    "usage of other uses": (headers(("Content-Usage", "search=n, ai-use=n")), {Signal.AIPREF: Answer.ABSENT}),
    "no dictionary": (headers(("Content-Usage", '=,;"train-ai"=,n')), {Signal.AIPREF: Answer.ABSENT}),
    "usage of a longer path": (
        robots(f"{FOR_ALL}Content-Usage: train-ai=n\nContent-Usage: /a.jpg train-ai=y"),
        {Signal.AIPREF: Answer.ALLOWED, Signal.ROBOTS: Answer.ALLOWED},
    ),
    "usage for others": (
        robots(
            f"User-agent: other\nContent-Usage: train-ai=n\nContent-Signal: ai-train=no\n{FOR_ALL}Allow: /"
        ),
        {Signal.AIPREF: Answer.ABSENT, Signal.ROBOTS: Answer.ALLOWED},
    ),
    "content signal": (
        robots(f"{FOR_ALL}Content-Signal: ai-train=yes, search=no"),
        {Signal.CONTENT_SIGNALS: Answer.ALLOWED, Signal.ROBOTS: Answer.ALLOWED},
    ),
    "a free licence": (
        robots("License: /rsl.xml", **{"/rsl.xml": RSL % '<permits>ai-all</permits><payment type="free"/>'}),
        {Signal.RSL: Answer.ALLOWED, Signal.ROBOTS: Answer.ALLOWED},
    ),
    "a licence that is a page": (
        robots("License: /terms\nLicense: javascript:x", **{"/terms": "<!doctype html><p>Prohibited"}),
        {Signal.ROBOTS: Answer.ALLOWED},
    ),
    "ai.txt": (files("/ai.txt", f"{FOR_ALL}Disallow: *.png\nAllow: *.jpg"), {Signal.AI_TXT: Answer.ALLOWED}),
    "a page in place of ai.txt": (files("/ai.txt", "<html>\nUser-agent: *\nDisallow: /"), {}),
    "bytes in place of ai.txt": (files("/ai.txt", bytes(range(256)) * 9), {}),
}


@pytest.mark.parametrize("case", ALLOWED)
async def test_an_image_that_nothing_refuses_is_fetched_and_all_answers_are_noted(case, photo, make_fetcher):
    given, expected = ALLOWED[case]
    site, answers = Site(photo, **given), Answers()
    async with serving(site.serve) as base:
        assert isinstance(await ask(make_fetcher(), f"{base}/a.jpg", answers=answers), Fetched)
    looked_for = {Signal(name) for name in Respect.model_fields} & set(answers.found)
    assert answers.found == dict.fromkeys(looked_for, Answer.ABSENT) | expected
    assert looked_for >= {Signal.ROBOTS, Signal.ROBOTS_TAGS, Signal.TDMREP, Signal.AIPREF}
    assert looked_for >= {Signal.CONTENT_SIGNALS, Signal.RSL, Signal.AI_TXT}


async def test_a_kind_of_file_is_refused_in_capitals_too(photo, make_fetcher):
    site = Site(photo, {"/ai.txt": f"{FOR_ALL}Disallow: *.jpg"})
    async with serving(site.serve) as base:
        assert isinstance(await ask(make_fetcher(), f"{base}/A.JPG"), Rejected)


@pytest.mark.parametrize(
    ("rules", "media_type", "is_refused"),
    [
        ("Disallow: *.jpg", "image/jpeg", True),
        ("Disallow: /*.JPEG$", "image/jpeg; charset=utf-8", True),
        ("Disallow: *.jpg", "image/png", False),
        ("Disallow: *.jpg", "application/octet-stream", False),
        ("Disallow: *.jpg\nAllow: /picture", "image/jpeg", False),
    ],
)
async def test_a_rule_for_a_kind_of_file_counts_for_addresses_without_an_ending(
    rules, media_type, is_refused, photo, make_fetcher
):
    site = Site(photo, {"/ai.txt": f"{FOR_ALL}{rules}"}, CIMultiDict({"Content-Type": media_type}))
    site.pictures = ("/picture",)
    async with serving(site.serve) as base:
        found = await ask(make_fetcher(), f"{base}/picture?id=1")
        assert isinstance(found, Rejected) is is_refused
        assert isinstance(await ask(make_fetcher(), f"{base}/picture", Respect(ai_txt=False)), Fetched)


async def test_the_files_of_a_host_are_fetched_once_for_many_images(photo, make_fetcher):
    site = Site(photo, {"/robots.txt": "License: /rsl.xml", "/rsl.xml": RSL % "<permits>all</permits>"})
    fetcher = make_fetcher()
    async with serving(site.serve) as base:
        for name in ("a", "b", "moved"):
            assert isinstance(await ask(fetcher, f"{base}/{name}.jpg"), Fetched)
    files_asked = sorted(path for path in site.asked if not path.endswith(".jpg"))
    assert files_asked == ["/.well-known/tdmrep.json", "/ai.txt", "/robots.txt", "/rsl.xml"]


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("X-Robots-Tag", "noai", "robots_tags: noai"),
        ("tdm-reservation", "1", "tdmrep: tdm-reservation: 1"),
        ("Content-Usage", "train-ai=n", f"aipref: Content-Usage {AI}"),
    ],
)
async def test_a_redirect_may_refuse(name, value, detail, photo, make_fetcher):
    site = Site(photo, moved_headers={name: value})
    async with serving(site.serve) as base:
        found = await ask(make_fetcher(), f"{base}/moved.jpg")
        assert found == Rejected(Reason.OPTED_OUT, detail)
        assert isinstance(await ask(make_fetcher(), f"{base}/moved.jpg", Respect.nothing()), Fetched)


@pytest.mark.parametrize("path", ["/robots.txt", "/ai.txt", "/.well-known/tdmrep.json"])
@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, Reason.RATE_LIMITED), (408, Reason.SERVER_ERROR), (425, Reason.SERVER_ERROR)],
)
async def test_a_file_whose_host_asks_to_come_later_forbids_the_image_for_now(
    path, status, reason, photo, make_fetcher
):
    site = Site(photo, statuses={path: status})
    async with serving(site.serve) as base:
        found = await ask(make_fetcher(), f"{base}/a.jpg")
    assert isinstance(found, Rejected)
    assert found.reason is reason


async def test_a_licence_whose_host_does_not_answer_forbids_the_image_for_now(photo, make_fetcher):
    site, answers = Site(photo, {"/robots.txt": "License: http://127.0.0.1:1/rsl.xml"}), Answers()
    async with serving(site.serve) as base:
        found = await ask(make_fetcher(), f"{base}/a.jpg", answers=answers)
    assert isinstance(found, Rejected)
    assert found.reason is Reason.CONNECTION_FAILED
    assert found.detail.startswith("RSL licence: ")
    assert answers.found[Signal.RSL] is Answer.UNAVAILABLE
