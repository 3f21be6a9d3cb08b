"""Crawls websites breadth-first from start addresses. The pictures on their pages are candidates.

One page is requested at a time. Each HTML page yields one page of candidates. The cursor is the frontier, so a crawl
can stop after any page and continue elsewhere.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import replace

from yarl import URL

from shared.errors import AppError, InvalidRequest, RateLimited, Retryable
from shared.records.candidates import Candidate, Provenance
from shared.records.consent import Answers, consent_of
from shared.records.records import Reason, Rejected
from shared.sources.source import Page, Query, SourceContext
from shared.sources.website.config import WebsiteConfig
from shared.sources.website.elements import is_image_file
from shared.sources.website.frontier import Frontier, Visit
from shared.sources.website.html_images import HtmlPage, read_html
from shared.sources.website.picture import resolve
from shared.sources.website.sitemaps import read_sitemap
from shared.text.retry_after import retry_after_seconds
from shared.web.addresses.urls import redirect_url
from shared.web.http.client import REDIRECT_STATUSES, WebRequest, WebResponse
from shared.web.wishes.declared import Declared, directives, forbids_following
from shared.web.wishes.texts.licence_links import MOST_LINKS, licence_links

_PAGE_BYTES = 5_000_000
_SITEMAP_BYTES = 20_000_000
_SECONDS = 20.0
_MAX_SITEMAP_DEPTH = 3
_MAX_ATTEMPTS = 3
_MAX_MOVES = 5
_PAUSE_SECONDS = 10.0
_ROBOTS_PAUSE_SECONDS = 60.0
_LONGEST_DELAY_SECONDS = 600.0
_ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
_HTML = frozenset({"text/html", "application/xhtml+xml"})
_REFUSALS = frozenset({Reason.ROBOTS_DENIED, Reason.OPTED_OUT})
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
_NO_PAGE = re.compile(
    r"\.(?:7z|apk|atom|avi|css|csv|dmg|docx?|epub|exe|flac|gz|ics|iso|jar|js|json|m4a|m4v|mkv|mov|mp[34]|mpe?g|msi"
    r"|od[pst]|og[agv]|pdf|pptx?|rar|rss|svgz?|tar|tgz|ttf|txt|wasm|wav|webm|woff2?|xlsx?|xml|xz|zip)$",
    re.IGNORECASE,
)


class Website:
    """Implements `Source`. Redirects are visits of their own, so that robots.txt and the site's borders apply to them.

    If a host asks to wait, by Crawl-delay or by its response, `pages` raises `RateLimited`.
    """

    def __init__(self, config: WebsiteConfig, context: SourceContext) -> None:
        self._config = config
        self._label = config.label
        self._hosts = tuple({_site(URL(url)): None for url in config.start_urls})
        self._web = context.web
        self._clock = context.clock
        self._wishes = context.wishes
        self._robots = context.wishes.robots
        self._respect = context.respect
        self._formats = context.formats

    def queries(self, labels: Mapping[str, Sequence[str]]) -> Sequence[Query]:
        """Returns one query for the whole crawl."""
        del labels
        return [Query("website", self._label)]

    async def pages(self, query: Query, cursor: str | None) -> AsyncGenerator[Page]:
        """See `Source.pages`."""
        del query
        if cursor is None:
            frontier = await self._begin()
        else:
            frontier = Frontier.decode(cursor, self._config.max_pages)
        while (visit := frontier.next) is not None:
            page = await self._visit(frontier, visit)
            frontier.forget_passed(self._now())
            if frontier.next is not None:
                yield replace(page, cursor=frontier.encode())
            elif frontier.unvisited is None:
                yield page
            else:
                notice = f"website: {self._config.start_urls[0][:200]}: {frontier.unvisited}"
                yield replace(page, problems=(*page.problems, notice))

    async def _begin(self) -> Frontier:
        frontier = Frontier(self._config.max_pages)
        for address in self._config.start_urls:
            frontier.add(Visit(address))
        if self._config.sitemaps:
            origins = list(dict.fromkeys(URL(address).origin() for address in self._config.start_urls))
            found = await asyncio.gather(*(self._robots.sitemaps(origin) for origin in origins))
            for origin, named in zip(origins, found, strict=True):
                for address in named or ("/sitemap.xml",):
                    self._add_sitemap(frontier, address, origin, 0)
        return frontier

    async def _visit(self, frontier: Frontier, visit: Visit) -> Page:
        """Makes the visit. Its problem belongs to its own page only."""
        url = _url(visit)
        answers = Answers()
        barred = await self._wishes.refusal(url, self._respect, answers)
        if barred is not None and barred.reason not in _REFUSALS:
            self._wait(frontier, url)
            return self._later(frontier, visit, _ROBOTS_PAUSE_SECONDS, barred.detail)
        if barred is not None:
            frontier.take(visit, counted=False)
            return _problem(visit, _why(barred, url))
        delay = (await self._robots.crawl_delay(url) or 0.0) if self._respect.robots else 0.0
        if delay > _LONGEST_DELAY_SECONDS:
            frontier.take(visit, counted=False)
            return _problem(visit, f"its host wants {delay:,.0f} s between two requests")
        self._wait(frontier, url)
        request = WebRequest(
            visit.url,
            headers={"accept": "*/*" if visit.sitemap else _ACCEPT},
            max_bytes=_SITEMAP_BYTES if visit.sitemap else _PAGE_BYTES,
            timeout_seconds=_SECONDS,
            follow_redirects=False,
        )
        try:
            response = await self._web.send(request)
        except Retryable as error:
            return self._later(frontier, visit, max(delay, _PAUSE_SECONDS), error.detail)
        except AppError as error:
            frontier.take(visit)
            return _problem(visit, error.detail)
        finally:
            self._leave_alone(frontier, url, delay)
        return await self._read(frontier, visit, response, answers)

    def _wait(self, frontier: Frontier, url: URL) -> None:
        wait = frontier.not_before.get(str(url.host), 0.0) - self._now()
        if wait > 0:
            raise RateLimited(f"{url.host} wants to wait.", min(wait, _LONGEST_DELAY_SECONDS))

    def _leave_alone(self, frontier: Frontier, url: URL, seconds: float) -> None:
        if seconds > 0:
            host = str(url.host)
            frontier.not_before[host] = max(frontier.not_before.get(host, 0.0), self._now() + seconds)

    def _later(self, frontier: Frontier, visit: Visit, wait_seconds: float, why: str) -> Page:
        """Tries again after the other visits and after a while, unless it was tried too often."""
        last = visit.attempts + 1 >= _MAX_ATTEMPTS or wait_seconds > _LONGEST_DELAY_SECONDS
        frontier.take(visit, counted=last)
        if last:
            return _problem(visit, why)
        frontier.try_again(visit)
        self._leave_alone(frontier, _url(visit), wait_seconds)
        return Page((), None)

    async def _read(self, frontier: Frontier, visit: Visit, response: WebResponse, answers: Answers) -> Page:
        if response.status in REDIRECT_STATUSES and "location" in response.headers:
            return self._move(frontier, visit, response.headers["location"])
        if response.status in _BUSY:
            retry_after = retry_after_seconds(response.headers.get("retry-after", ""), self._clock.now())
            wait = _PAUSE_SECONDS if retry_after is None else max(1.0, retry_after)
            return self._later(frontier, visit, wait, f"HTTP {response.status}")
        frontier.take(visit)
        if response.status != 200:
            return _problem(visit, f"HTTP {response.status}")
        if visit.sitemap:
            return await self._read_sitemap(frontier, visit, response.body)
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _HTML and (kind or not response.body.lstrip().startswith(b"<")):
            return _problem(visit, f"no HTML, but {kind[:100] or 'something unnamed'}")
        return await self._read_page(frontier, visit, response, answers)

    def _move(self, frontier: Frontier, visit: Visit, location: str) -> Page:
        """Visits the target of a redirect in place of the redirect."""
        frontier.take(visit, counted=False)
        try:
            target = redirect_url(_url(visit), location).with_fragment(None)
        except InvalidRequest as error:
            return _problem(visit, f"its redirect cannot be followed: {error.detail}")
        if not self._is_ours(target):
            return _problem(visit, f"it redirects to another site, {target.host}")
        moved = replace(visit, url=str(target), attempts=visit.attempts + 1)
        if moved.attempts > _MAX_MOVES:
            return _problem(visit, "it redirects too often")
        if not frontier.add(moved, first=True) and (visit.attempts or str(target) == visit.url):
            return _problem(visit, "it redirects in circles")
        return Page((), None)

    async def _read_page(
        self, frontier: Frontier, visit: Visit, response: WebResponse, answers: Answers
    ) -> Page:
        url = _url(visit)
        kind = response.headers.get("content-type", "")
        nofollow = self._respect.robots_tags
        found = await asyncio.to_thread(
            read_html, response.body, url, kind, nofollow=nofollow, formats=self._formats
        )
        said = found.directives | directives(response.robots_tags)
        if visit.depth < self._config.depth and not (nofollow and forbids_following(said)):
            self._follow(frontier, found, visit.depth + 1)
        refusal = _declared(found, response).refusal(self._respect, answers)
        licences = [*found.licences, *licence_links(response.links)][:MOST_LINKS]
        written = found.written_licences
        if refusal is None and self._respect.rsl and (licences or written):
            refusal = await self._wishes.linked_licences.refusal(url, licences, answers, written)
        if refusal is not None:
            return _problem(visit, _why(refusal, url))
        checked_at = self._clock.now().isoformat(timespec="seconds")
        consent = consent_of(None, answers, checked_at)
        candidates = tuple(
            Candidate(
                image.url,
                self._label,
                Provenance("website", page_url=visit.url, title=found.title),
                image.caption,
                consent=consent,
            )
            for image in found.images
        )
        problems = (f"website: {visit.url}: not all of its images and links were read",) if found.cut else ()
        return Page(candidates, None, problems)

    def _follow(self, frontier: Frontier, found: HtmlPage, depth: int) -> None:
        for link in found.links:
            url = URL(link)
            if self._is_ours(url) and not _NO_PAGE.search(url.raw_path) and not is_image_file(url.raw_path):
                frontier.add(Visit(link, depth))

    async def _read_sitemap(self, frontier: Frontier, visit: Visit, body: bytes) -> Page:
        found = await asyncio.to_thread(read_sitemap, body)
        base = _url(visit)
        for address in found.sitemaps if visit.depth < _MAX_SITEMAP_DEPTH else ():
            self._add_sitemap(frontier, address, base, visit.depth + 1)
        for address in found.pages:
            url = resolve(base, address)
            if url is not None and self._is_ours(url):
                frontier.add(Visit(str(url)))
        candidates: list[Candidate] = []
        for image in found.images:
            url = resolve(base, image.url)
            if url is not None:
                provenance = Provenance("website", page_url=image.page_url)
                candidates.append(Candidate(str(url), self._label, provenance, image.caption))
        problem = (f"website: {visit.url}: {found.problem}",) if found.problem else ()
        return Page(tuple(candidates), None, problem)

    def _add_sitemap(self, frontier: Frontier, address: str, base: URL, depth: int) -> None:
        """Adds a sitemap.

        One from robots.txt may be anywhere; one from another sitemap is on its host or on the site.
        """
        url = resolve(base, address)
        if url is not None and (depth == 0 or url.host == base.host or self._is_ours(url)):
            frontier.add(Visit(str(url), depth, sitemap=True))

    def _is_ours(self, url: URL) -> bool:
        host = _site(url)
        return not self._config.same_site or any(
            host == own or host.endswith(f".{own}") for own in self._hosts
        )

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _site(url: URL) -> str:
    return (url.host or "").lower().removeprefix("www.")


def _url(visit: Visit) -> URL:
    """Makes the URL without a change of its spelling. The library would normalise it in its own way."""
    return URL(visit.url, encoded=True)


def _why(barred: Rejected, url: URL) -> str:
    if barred.reason is not Reason.ROBOTS_DENIED:
        return f"opted out: {barred.detail}" if barred.reason is Reason.OPTED_OUT else barred.detail
    more = f": {barred.detail}" if barred.detail != url.host else ""
    return f"robots.txt forbids it{more}"


def _declared(found: HtmlPage, response: WebResponse) -> Declared:
    """Returns what the page and its headers declare. The page's own TDM reservation has precedence over a header's."""
    reservations = [found.tdm_reservation] if found.tdm_reservation else response.tdm_reservations
    return Declared([*found.directives, *response.robots_tags], reservations, response.content_usages)


def _problem(visit: Visit, why: str) -> Page:
    return Page((), None, (f"website: {visit.url[:200]}: {why}",))
